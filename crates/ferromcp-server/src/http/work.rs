//! What answers a POST: one call, or the calls of a batch.

use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use ferromcp_core::wire::encode;
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
    Batch(Batch),
    /// A call that the client withdrew: nothing is left of it.
    Withdrawn,
}

impl Work {
    pub(crate) fn poll(&mut self, inner: &Inner, cx: &mut Context<'_>) -> Poll<Answer> {
        match self {
            Self::Call(call) => {
                poll_caught(&mut call.future, cx).map(|reply| encoded(inner, &call.id, reply, call.revision))
            }
            Self::Batch(batch) => batch.poll(inner, cx).map(|body| Answer { status: StatusCode::OK, body }),
            Self::Withdrawn => Poll::Pending,
        }
    }

    /// Drops the call that the client withdrew, which takes its questions back. Says whether anything is left to answer.
    pub(crate) fn withdraw(&mut self, id: &RequestId) -> bool {
        match self {
            Self::Batch(batch) => batch.withdraw(id),
            Self::Call(_) | Self::Withdrawn => {
                *self = Self::Withdrawn;
                false
            }
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

/// The calls of a batch, which go on side by side.
pub(crate) struct Batch {
    revision: Revision,
    waiting: Vec<(RequestId, BoxFuture<Reply>)>,
    /// The answers so far, as the beginning of an array.
    out: BytesMut,
}

impl Batch {
    pub(crate) fn new(inner: &Inner, parts: Vec<Part>, revision: Revision) -> Self {
        let mut batch = Self { revision, waiting: Vec::new(), out: BytesMut::with_capacity(ROOM) };
        for Part { id, started } in parts {
            match (id, started) {
                (id, Started::Ready(reply)) => batch.write(inner, id.as_ref(), reply),
                (Some(id), Started::Pending(future)) => batch.waiting.push((id, future)),
                (None, Started::Pending(_)) => {} // without an id nothing is begun
            }
        }
        batch
    }

    fn write(&mut self, inner: &Inner, id: Option<&RequestId>, reply: Reply) {
        self.out.put_u8(if self.out.is_empty() { b'[' } else { b',' });
        match (id, reply) {
            (Some(id), reply) => answer::write(&mut self.out, inner, id, reply, self.revision),
            (None, Reply::Failed(error)) => encode::error(&mut self.out, None, error, self.revision),
            (None, _) => {}
        }
    }

    /// All answers as one array, when all are there.
    fn poll(&mut self, inner: &Inner, cx: &mut Context<'_>) -> Poll<Bytes> {
        let mut place = 0;
        while let Some((_, future)) = self.waiting.get_mut(place) {
            match poll_caught(future, cx) {
                Poll::Pending => place += 1,
                Poll::Ready(reply) => {
                    let (id, _) = self.waiting.remove(place);
                    self.write(inner, Some(&id), reply);
                }
            }
        }
        if !self.waiting.is_empty() {
            return Poll::Pending;
        }
        self.out.put_u8(b']');
        Poll::Ready(self.out.split().freeze())
    }

    fn withdraw(&mut self, id: &RequestId) -> bool {
        self.waiting.retain(|(waiting, _)| waiting != id);
        !self.waiting.is_empty() || !self.out.is_empty()
    }
}
