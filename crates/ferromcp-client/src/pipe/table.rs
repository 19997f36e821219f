//! Pending requests and the outbound queue of a pipe.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::{RawJson, RequestId, Revision};
use ferromcp_transport::Outbound;
use tokio::sync::{Notify, oneshot, watch};

use crate::channel::{ChannelError, Rejection};
use crate::deviations::{Deviations, name_request};
use crate::limits::OUTBOUND_BYTES;

/// Maximum number of ids of cancelled requests that are remembered, because their responses may still arrive.
const MAX_CANCELLED: usize = 64;

/// State of a pipe, shared by the callers and the task that reads and writes.
pub(super) struct Table {
    state: Mutex<State>,
    /// Notified when the queue has data.
    filled: Notify,
    /// Notified when capacity may be available.
    drained: Notify,
    phase: watch::Sender<Phase>,
    pub(super) deviations: Deviations,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    Open,
    /// The queue was flushed and the write side closed.
    Finished,
    Closed,
}

struct State {
    out: Outbound,
    /// Total bytes queued and written. A request that starts before `written` may have been received.
    queued: u64,
    written: u64,
    pending: HashMap<RequestId, PendingRequest>,
    /// Ids of the last requests that were cancelled.
    cancelled: VecDeque<RequestId>,
    revision: Revision,
    /// New messages are rejected; queued messages are still written.
    closing: bool,
    write_error: Option<Arc<io::Error>>,
    close_reason: Option<Arc<io::Error>>,
}

struct PendingRequest {
    /// Offset of its frame, in total bytes queued.
    from: u64,
    method: Cow<'static, str>,
    reply: oneshot::Sender<Result<RawJson, ChannelError>>,
}

/// Next action of the writer.
pub(super) enum WriterAction {
    Write,
    Finish,
    Wait,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                out: Outbound::new(),
                queued: 0,
                written: 0,
                pending: HashMap::new(),
                cancelled: VecDeque::new(),
                revision: Revision::LATEST_LEGACY,
                closing: false,
                write_error: None,
                close_reason: None,
            }),
            filled: Notify::new(),
            drained: Notify::new(),
            phase: watch::Sender::new(Phase::Open),
            deviations: Deviations::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the queue has capacity.
    pub(super) async fn wait_for_capacity(&self) -> Result<(), ChannelError> {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            {
                let state = self.state();
                state.ensure_open()?;
                if state.unwritten() < OUTBOUND_BYTES as u64 {
                    return Ok(());
                }
            }
            drained.await;
        }
    }

    /// Returns whether the queue has capacity now.
    pub(super) fn has_capacity(&self) -> bool {
        self.state().unwritten() < OUTBOUND_BYTES as u64
    }

    /// Queues a request and registers it for its response.
    pub(super) fn enqueue_request(
        &self,
        id: RequestId,
        method: Cow<'static, str>,
        line: &[u8],
    ) -> Result<oneshot::Receiver<Result<RawJson, ChannelError>>, ChannelError> {
        let (reply, response) = oneshot::channel();
        let mut state = self.state();
        state.ensure_open()?;
        let from = state.queued;
        state.pending.insert(id, PendingRequest { from, method, reply });
        state.queue(line);
        drop(state);
        self.filled.notify_one();
        Ok(response)
    }

    /// Queues a message without a response.
    pub(super) fn enqueue(&self, line: &[u8]) -> Result<(), ChannelError> {
        let mut state = self.state();
        state.ensure_open()?;
        state.queue(line);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Completes a pending request. A response without a pending request is late or bogus.
    pub(super) fn complete(&self, id: &RequestId, outcome: Result<RawJson, ChannelError>) {
        let mut state = self.state();
        if let Some(pending_request) = state.pending.remove(id) {
            drop(state);
            let _ = pending_request.reply.send(outcome); // the caller may have just stopped waiting
            return;
        }
        let late = state.cancelled.iter().position(|cancelled| cancelled == id);
        if late.and_then(|late| state.cancelled.remove(late)).is_some() {
            return tracing::debug!(?id, "ignored the response to a cancelled request");
        }
        drop(state);
        self.deviations.unmatched_response(id, || self.waiting().into_iter());
    }

    /// Names the pending requests.
    fn waiting(&self) -> Vec<String> {
        self.state().pending.iter().map(|(id, request)| name_request(id, &request.method)).collect()
    }

    /// Fails the only pending request with `failure`. Does nothing if several are pending.
    pub(super) fn fail_only_pending(&self, failure: ChannelError) {
        let mut state = self.state();
        if state.pending.len() != 1 {
            return tracing::warn!(?failure, "ignored an invalid response that cannot be attributed to a request");
        }
        if let Some((_, pending_request)) = state.pending.drain().next() {
            let _ = pending_request.reply.send(Err(failure));
        }
    }

    /// Removes a request that the caller no longer waits for. Returns whether it was still pending.
    pub(super) fn remove(&self, id: &RequestId) -> bool {
        let mut state = self.state();
        let was_pending = state.pending.remove(id).is_some();
        if was_pending {
            if state.cancelled.len() == MAX_CANCELLED {
                state.cancelled.pop_front();
            }
            state.cancelled.push_back(id.clone());
        }
        was_pending
    }

    pub(super) fn set_revision(&self, revision: Revision) {
        self.state().revision = revision;
    }

    pub(super) fn revision(&self) -> Revision {
        self.state().revision
    }

    /// Rejects new messages. Queued messages are written, then the write side is closed.
    pub(super) fn close(&self) {
        self.state().closing = true;
        self.filled.notify_one();
        self.drained.notify_waiters();
    }

    /// Waits until the queue has data.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Appends the queued bytes to `out`.
    pub(super) fn take(&self, out: &mut Outbound) -> WriterAction {
        let mut state = self.state();
        out.append(&mut state.out);
        match (out.is_empty(), state.closing) {
            (false, _) => WriterAction::Write,
            (true, true) => WriterAction::Finish,
            (true, false) => WriterAction::Wait,
        }
    }

    /// Records a write. `left` bytes of the taken data are not written yet.
    pub(super) fn record_write(&self, left: usize) {
        let mut state = self.state();
        state.written = state.queued - (state.out.len() + left) as u64;
        drop(state);
        self.drained.notify_waiters();
    }

    /// Records a write error. Responses may still arrive.
    pub(super) fn write_failed(&self, error: io::Error) {
        self.state().write_error = Some(Arc::new(error));
        self.drained.notify_waiters();
    }

    /// Marks the write side as closed.
    pub(super) fn finish(&self) {
        self.phase.send_if_modified(|phase| advance(phase, Phase::Finished));
    }

    /// Closes the pipe and fails all pending requests. Only the first call has an effect. Requests that were not written
    /// fail with the [`Rejection`] of the transport, if there is one.
    pub(super) fn end(&self, why: io::Error) {
        let mut state = self.state();
        if state.close_reason.is_some() {
            return;
        }
        let why = Arc::new(why);
        state.close_reason = Some(Arc::clone(&why));
        let written = state.written;
        let errors = [Some(&why), state.write_error.as_ref()];
        let rejection = errors.into_iter().flatten().find_map(|error| Rejection::of(error)).cloned();
        for (_, pending_request) in state.pending.drain() {
            let why = Arc::clone(&why);
            let failure = match &rejection {
                _ if pending_request.from < written => ChannelError::Lost(why),
                Some(rejection) => rejection.clone(),
                None => ChannelError::Unsent(why),
            };
            let _ = pending_request.reply.send(Err(failure));
        }
        drop(state);
        self.drained.notify_waiters();
        self.phase.send_if_modified(|phase| advance(phase, Phase::Closed));
    }

    pub(super) fn is_closed(&self) -> bool {
        let state = self.state();
        state.close_reason.is_some() || state.write_error.is_some() || state.closing
    }

    pub(super) async fn finished(&self) {
        self.reached(Phase::Finished).await;
    }

    pub(super) async fn closed(&self) {
        self.reached(Phase::Closed).await;
    }

    async fn reached(&self, target: Phase) {
        let mut phase = self.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase >= target).await; // the sender lives as long as `self`
    }
}

fn advance(phase: &mut Phase, to: Phase) -> bool {
    let later = *phase < to;
    if later {
        *phase = to;
    }
    later
}

impl State {
    /// Returns an error if nothing more can be queued.
    fn ensure_open(&self) -> Result<(), ChannelError> {
        if let Some(why) = self.close_reason.as_ref().or(self.write_error.as_ref()) {
            return Err(ChannelError::Unsent(Arc::clone(why)));
        }
        if self.closing {
            let error = io::Error::new(io::ErrorKind::NotConnected, "the client was closed");
            return Err(ChannelError::unsent(error));
        }
        Ok(())
    }

    /// Returns the number of queued bytes that are not written yet.
    fn unwritten(&self) -> u64 {
        self.queued - self.written
    }

    fn queue(&mut self, line: &[u8]) {
        let previous_len = self.out.len();
        self.out.frame(|out| out.extend_from_slice(line));
        self.queued += (self.out.len() - previous_len) as u64;
    }
}
