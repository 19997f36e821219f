//! The calls of a batch, and their replies as one JSON array.

use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use ferromcp_core::wire::encode;
use ferromcp_core::{RequestId, Revision};

use crate::answer;
use crate::call::Reply;
use crate::dispatch::poll_caught;
use crate::http::reply::REPLY_CAPACITY;
use crate::inner::Inner;
use crate::maybe_ready::{BoxFuture, MaybeReady};

/// A request of a batch: started, or rejected.
pub(super) struct BatchItem {
    pub(super) id: Option<RequestId>,
    pub(super) started: MaybeReady,
}

/// The calls of a batch, which run concurrently.
pub(crate) struct Batch {
    revision: Revision,
    pending: Vec<(RequestId, BoxFuture<Reply>)>,
    /// The replies so far, as the beginning of a JSON array.
    replies: BytesMut,
}

impl Batch {
    pub(super) fn new(inner: &Inner, items: Vec<BatchItem>, revision: Revision) -> Self {
        let mut batch = Self { revision, pending: Vec::new(), replies: BytesMut::with_capacity(REPLY_CAPACITY) };
        for BatchItem { id, started } in items {
            match (id, started) {
                (id, MaybeReady::Ready(reply)) => batch.write(inner, id.as_ref(), reply),
                (Some(id), MaybeReady::Pending(future)) => batch.pending.push((id, future)),
                (None, MaybeReady::Pending(_)) => {} // unreachable: no request starts without an id
            }
        }
        batch
    }

    fn write(&mut self, inner: &Inner, id: Option<&RequestId>, reply: Reply) {
        self.replies.put_u8(if self.replies.is_empty() { b'[' } else { b',' });
        match (id, reply) {
            (Some(id), reply) => answer::write(&mut self.replies, inner, id, reply, self.revision),
            (None, Reply::Failed(error)) => encode::error(&mut self.replies, None, error, self.revision),
            (None, _) => {}
        }
    }

    /// Polls the calls. Ready with all replies in one array when every call has finished.
    pub(crate) fn poll(&mut self, inner: &Inner, cx: &mut Context<'_>) -> Poll<Bytes> {
        let mut index = 0;
        while let Some((_, future)) = self.pending.get_mut(index) {
            match poll_caught(future, cx) {
                Poll::Pending => index += 1,
                Poll::Ready(reply) => {
                    let (id, _) = self.pending.remove(index);
                    self.write(inner, Some(&id), reply);
                }
            }
        }
        if !self.pending.is_empty() {
            return Poll::Pending;
        }
        self.replies.put_u8(b']');
        Poll::Ready(self.replies.split().freeze())
    }

    /// Drops a call that the client cancelled. Returns whether any reply is left to send.
    pub(crate) fn withdraw(&mut self, id: &RequestId) -> bool {
        self.pending.retain(|(pending, _)| pending != id);
        !self.pending.is_empty() || !self.replies.is_empty()
    }
}
