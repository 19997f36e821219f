//! Server requests (elicitation, sampling, roots) on the response stream of a call. The client answers with a POST.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server>.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferromcp_core::Identity;

use crate::latch::Latch;
use crate::pending_requests::{PendingRequest, PendingRequests, RequestError, Responder};

/// Registers server requests to the client of one request, up to a limit.
pub(crate) struct QuestionChannel {
    pending: Arc<PendingRequests>,
    session: Option<Arc<str>>,
    /// The maximum number of open questions.
    max_open: usize,
    open: AtomicUsize,
    /// Set when the client is gone.
    ended: Latch,
}

impl QuestionChannel {
    /// Creates the channel of a client with or without a session.
    pub(crate) fn new(pending: &Arc<PendingRequests>, session: Option<Arc<str>>, max_open: usize) -> Self {
        Self { pending: Arc::clone(pending), session, max_open, open: AtomicUsize::new(0), ended: Latch::default() }
    }

    /// Registers a question. It is open until both returned values are dropped.
    ///
    /// # Errors
    /// If too many questions are open, or the client is gone.
    pub(crate) fn register(
        &self,
        identity: Option<Identity>,
    ) -> Result<(QuestionSlot<'_>, PendingRequest), RequestError> {
        if self.ended.is_set() {
            return Err(RequestError::Disconnected);
        }
        let slot = QuestionSlot::acquire(self)?;
        let pending = self.pending.register(Responder { identity, session: self.session.clone() })?;
        Ok((slot, pending))
    }

    /// Ends the open questions. Later ones fail.
    pub(crate) fn end(&self) {
        self.ended.set();
    }

    /// Waits until the questions end.
    pub(crate) async fn ended(&self) {
        self.ended.wait().await;
    }
}

/// One of the questions that may be open at a time. Released when dropped. While a request has open questions, it waits
/// for a person and not for the server, so it does not count against the limit of requests in flight.
pub(crate) struct QuestionSlot<'s>(&'s QuestionChannel);

impl<'s> QuestionSlot<'s> {
    fn acquire(channel: &'s QuestionChannel) -> Result<Self, RequestError> {
        let open = channel.open.fetch_add(1, Ordering::AcqRel);
        if open == 0 {
            channel.pending.begin_waiting();
        }
        let slot = Self(channel);
        if open >= channel.max_open {
            return Err(RequestError::TooMany(channel.max_open));
        }
        Ok(slot)
    }
}

impl Drop for QuestionSlot<'_> {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.pending.end_waiting();
        }
    }
}
