//! What answers a POST: one call, or the calls of a batch.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use ferromcp_core::{RequestId, Revision};
use http::StatusCode;

use super::reply::{Answer, status_of};
use crate::answer;
use crate::call::Reply;
use crate::dispatch::poll_caught;
use crate::inner::Inner;
use crate::started::{BoxFuture, Started};

/// Room for most answers.
const ROOM: usize = 512;

/// One call under way.
pub(crate) struct OneCall {
    pub(crate) id: RequestId,
    pub(crate) revision: Revision,
    pub(crate) future: BoxFuture<Reply>,
}

/// What answers a POST.
pub(crate) enum Work {
    Call(OneCall),
    Batch(BoxFuture<Bytes>),
}

impl Work {
    pub(crate) fn poll(&mut self, inner: &Inner, cx: &mut Context<'_>) -> Poll<Answer> {
        match self {
            Self::Call(call) => {
                poll_caught(&mut call.future, cx).map(|reply| encoded(inner, &call.id, reply, call.revision))
            }
            Self::Batch(future) => future.as_mut().poll(cx).map(|body| Answer { status: StatusCode::OK, body }),
        }
    }
}

/// A reply as bytes, with its status.
pub(crate) fn encoded(inner: &Inner, id: &RequestId, reply: Reply, revision: Revision) -> Answer {
    let status = status_of(&reply, revision);
    let mut body = BytesMut::with_capacity(ROOM);
    answer::write(&mut body, inner, id, reply, revision);
    Answer { status, body: body.freeze() }
}

/// A call of a batch: begun, or refused before.
pub(crate) struct Part {
    pub(crate) id: Option<RequestId>,
    pub(crate) started: Started,
}

/// All answers of a batch as one array, when all are there. The calls go on side by side.
pub(crate) fn batch(inner: Arc<Inner>, parts: Vec<Part>, revision: Revision) -> Work {
    Work::Batch(Box::pin(async move {
        let mut waiting = Vec::new();
        let mut out = BytesMut::with_capacity(ROOM);
        let mut write = |id: Option<&RequestId>, reply: Reply| {
            out.put_u8(if out.is_empty() { b'[' } else { b',' });
            match (id, reply) {
                (Some(id), reply) => answer::write(&mut out, &inner, id, reply, revision),
                (None, Reply::Failed(error)) => {
                    ferromcp_core::wire::encode::error(&mut out, None, error, revision);
                }
                (None, _) => {}
            }
        };
        for part in parts {
            match part.started {
                Started::Ready(reply) => write(part.id.as_ref(), reply),
                Started::Pending(future) => waiting.push((part.id, future)),
            }
        }
        poll_fn(|cx| {
            waiting.retain_mut(|(id, future)| match poll_caught(future, cx) {
                Poll::Ready(reply) => {
                    write(id.as_ref(), reply);
                    false
                }
                Poll::Pending => true,
            });
            if waiting.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        out.put_u8(b']');
        out.freeze()
    }))
}
