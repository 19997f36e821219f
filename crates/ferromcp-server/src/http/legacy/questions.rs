//! Server requests (elicitation, sampling, roots) on the response stream of a call. The client answers with a POST.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server>.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferromcp_core::model::CancelledParams;
use ferromcp_core::wire::encode;
use ferromcp_core::{RawJson, Revision, ServerNotification, ServerRequest};

use crate::http::endpoint::Endpoint;
use crate::http::sink::{HttpSink, Push};
use crate::outlet::Sink;
use crate::peer::Peer;
use crate::pending_requests::RequestError;
use crate::pending_requests::{PendingRequest, PendingRequests, Responder};

/// Sends server requests to the client of one request, and waits for the responses.
pub(crate) struct QuestionChannel {
    pending: Arc<PendingRequests>,
    session: Option<Arc<str>>,
    /// The most questions open at a time.
    max_open: usize,
    open: AtomicUsize,
}

impl QuestionChannel {
    /// Creates the channel of a client with or without a session.
    pub(crate) fn new(endpoint: &Endpoint, session: Option<Arc<str>>) -> Self {
        let pending = Arc::clone(&endpoint.legacy.questions);
        Self { pending, session, max_open: endpoint.inner.limits.questions, open: AtomicUsize::new(0) }
    }

    /// Sends a question through `sink` and waits for the response. Cancels the question if dropped before.
    ///
    /// # Errors
    /// If too many questions are open, or the client is gone.
    pub(crate) async fn ask(
        &self,
        sink: &HttpSink,
        question: ServerRequest,
        peer: &Peer,
    ) -> Result<RawJson, RequestError> {
        let revision = peer.revision();
        let asked = Responder { identity: peer.principal(), session: self.session.clone() };
        let _slot = QuestionSlot::acquire(self)?;
        let pending = self.pending.register(asked)?;
        let id = pending.id.clone();
        loop {
            match sink.push(|out| encode::server_request(out, &id, question.clone(), revision)) {
                Push::Done => break,
                Push::Closed => return Err(RequestError::Disconnected),
                Push::Full => sink.ready().await,
            }
        }
        let mut sent = SentQuestion { sink, pending, revision };
        sent.pending.wait().await
    }
}

/// One of the questions that may be open at a time. Released when dropped.
struct QuestionSlot<'s>(&'s AtomicUsize);

impl<'s> QuestionSlot<'s> {
    fn acquire(channel: &'s QuestionChannel) -> Result<Self, RequestError> {
        let slot = Self(&channel.open);
        if channel.open.fetch_add(1, Ordering::AcqRel) >= channel.max_open {
            return Err(RequestError::TooMany(channel.max_open));
        }
        Ok(slot)
    }
}

impl Drop for QuestionSlot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A question that was sent. Sends `notifications/cancelled` if dropped without a response.
struct SentQuestion<'s> {
    sink: &'s HttpSink,
    pending: PendingRequest,
    revision: Revision,
}

impl Drop for SentQuestion<'_> {
    fn drop(&mut self) {
        if self.pending.is_pending() {
            let cancelled = ServerNotification::Cancelled(CancelledParams::new(self.pending.id.clone()));
            self.sink.push(|out| encode::server_notification(out, cancelled, self.revision));
        }
    }
}
