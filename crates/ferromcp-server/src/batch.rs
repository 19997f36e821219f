//! JSON-RPC batches, which only 2025-03-26 defines: the requests are answered one after another, in one JSON array.
//!
//! Only the requests are queued. Notifications and responses of the client are applied when the batch arrives, because a
//! request may wait for them.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-03-26/basic#batching>.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use ferromcp_core::wire::encode;
use ferromcp_core::{Error, RequestId, Revision};

use crate::call::{Call, Reply};
use crate::dispatch::start;
use crate::inner::Inner;
use crate::latch::Latch;
use crate::panics::{drop_caught, poll_caught};
use crate::shutdown_cut::ShutdownCut;

/// The initial capacity of the responses, in bytes.
const RESPONSES_CAPACITY: usize = 512;

/// The requests of a batch, in order.
#[derive(Default)]
pub(crate) struct Batch(Vec<Member>);

/// A request of a batch: a call with the latch that cancels it, or the error to respond with.
struct Member {
    id: Option<RequestId>,
    request: Result<(Call, Arc<Latch>), (Error, Revision)>,
}

impl Batch {
    /// Appends a call. Setting the returned latch cancels it, whether it has started or not.
    pub(crate) fn push(&mut self, id: RequestId, call: Call) -> Arc<Latch> {
        let cancelled = Arc::<Latch>::default();
        self.0.push(Member { id: Some(id), request: Ok((call, Arc::clone(&cancelled))) });
        cancelled
    }

    /// Appends a request that was rejected.
    pub(crate) fn push_rejected(&mut self, id: Option<RequestId>, error: Error, revision: Revision) {
        self.0.push(Member { id, request: Err((error, revision)) });
    }

    /// Returns whether no request needs a response.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Runs the calls, each after the previous one has finished. After `cut`, the others end with its error. Returns the
    /// array of responses, or `None` if every call was cancelled.
    ///
    /// Dropping the future drops the running call and those that have not started.
    pub(crate) async fn run(self, inner: Arc<Inner>, cut: ShutdownCut) -> Option<Bytes> {
        let mut responses = BytesMut::with_capacity(RESPONSES_CAPACITY);
        for Member { id, request } in self.0 {
            let (reply, revision) = match request {
                Ok((call, cancelled)) => {
                    let revision = call.peer.revision();
                    let Some(reply) = run_unless_cancelled(&inner, call, &cancelled, &cut).await else { continue };
                    (reply, revision)
                }
                Err((error, revision)) => (Reply::Failed(error), revision),
            };
            responses.put_u8(if responses.is_empty() { b'[' } else { b',' });
            match (id, reply) {
                (Some(id), reply) => reply.write(&mut responses, &id, revision, inner.info_json()),
                (None, Reply::Failed(error)) => encode::error(&mut responses, None, error, revision),
                (None, _) => {} // unreachable: a call has an id
            }
        }
        if responses.is_empty() {
            return None;
        }
        responses.put_u8(b']');
        Some(responses.freeze())
    }
}

/// Returns the reply of a call, or `None` if it is cancelled before. A panic of the call, also in a destructor, does not
/// affect the other calls.
async fn run_unless_cancelled(inner: &Arc<Inner>, call: Call, cancelled: &Latch, cut: &ShutdownCut) -> Option<Reply> {
    if cancelled.is_set() {
        return None;
    }
    if cut.latch.is_set() {
        return Some(Reply::Failed(cut.error.clone()));
    }
    let mut future = start(inner, call).boxed();
    let reply = tokio::select! {
        biased;
        () = cancelled.wait() => None,
        () = cut.latch.wait() => Some(Reply::Failed(cut.error.clone())),
        reply = poll_fn(|cx| poll_caught(&mut future, cx)) => Some(reply),
    };
    drop_caught(future);
    reply
}
