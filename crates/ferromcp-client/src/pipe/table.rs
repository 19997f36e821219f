//! Who waits for which answer, and what waits to be written.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::{RawJson, RequestId, Revision};
use ferromcp_transport::Outbound;
use tokio::sync::{Notify, oneshot, watch};

use crate::channel::ChannelError;
use crate::limits::ClientLimits;

/// The state of a pipe, shared by those who ask and the task that reads and writes.
pub(super) struct Table {
    state: Mutex<State>,
    /// There is something to write.
    filled: Notify,
    /// There may be room again.
    drained: Notify,
    phase: watch::Sender<Phase>,
    max_bytes: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    Open,
    /// Everything was written and the writing side closed.
    Finished,
    Over,
}

struct State {
    out: Outbound,
    /// Bytes ever queued, and bytes ever written: who began before the second may have been read.
    queued: u64,
    written: u64,
    calls: HashMap<RequestId, Waiting>,
    revision: Revision,
    /// Nothing more is taken; what waits is still written.
    closing: bool,
    broken: Option<Arc<io::Error>>,
    over: Option<Arc<io::Error>>,
}

struct Waiting {
    /// Where its frame begins, in bytes ever queued.
    from: u64,
    reply: oneshot::Sender<Result<RawJson, ChannelError>>,
}

/// What the writer is to do.
pub(super) enum Work {
    Write,
    Finish,
    Nothing,
}

impl Table {
    pub(super) fn new(limits: &ClientLimits) -> Self {
        Self {
            state: Mutex::new(State {
                out: Outbound::new(),
                queued: 0,
                written: 0,
                calls: HashMap::new(),
                revision: Revision::LATEST_LEGACY,
                closing: false,
                broken: None,
                over: None,
            }),
            filled: Notify::new(),
            drained: Notify::new(),
            phase: watch::Sender::new(Phase::Open),
            max_bytes: limits.outbound_bytes.max(1),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is room to queue something.
    pub(super) async fn room(&self) -> Result<(), ChannelError> {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            {
                let state = self.state();
                state.usable()?;
                if state.waiting() < self.max_bytes as u64 {
                    return Ok(());
                }
            }
            drained.await;
        }
    }

    /// Whether there is room to queue something now.
    pub(super) fn has_room(&self) -> bool {
        self.state().waiting() < self.max_bytes as u64
    }

    /// Queues a request.
    pub(super) fn ask(
        &self,
        id: RequestId,
        line: &[u8],
    ) -> Result<oneshot::Receiver<Result<RawJson, ChannelError>>, ChannelError> {
        let (reply, answer) = oneshot::channel();
        let mut state = self.state();
        state.usable()?;
        let from = state.queued;
        state.calls.insert(id, Waiting { from, reply });
        state.queue(line);
        drop(state);
        self.filled.notify_one();
        Ok(answer)
    }

    /// Queues what has no answer.
    pub(super) fn say(&self, line: &[u8]) -> Result<(), ChannelError> {
        let mut state = self.state();
        state.usable()?;
        state.queue(line);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Hands an answer to who waits for it. An answer that nobody waits for is late, or a lie.
    pub(super) fn answered(&self, id: &RequestId, outcome: Result<RawJson, ChannelError>) {
        let Some(waiting) = self.state().calls.remove(id) else {
            return tracing::debug!(?id, "an answer to nothing that waits; ignored");
        };
        let _ = waiting.reply.send(outcome); // who waited may have given up just now
    }

    /// Fails the only request that is under way: what came can be meant for no other.
    pub(super) fn answered_somebody(&self, failure: ChannelError) {
        let mut state = self.state();
        if state.calls.len() != 1 {
            return tracing::warn!(?failure, "an answer that cannot be read, and nobody knows whose it is");
        }
        if let Some((_, waiting)) = state.calls.drain().next() {
            let _ = waiting.reply.send(Err(failure));
        }
    }

    /// Stops waiting for an answer; whether it was still to come.
    pub(super) fn forget(&self, id: &RequestId) -> bool {
        self.state().calls.remove(id).is_some()
    }

    pub(super) fn set_revision(&self, revision: Revision) {
        self.state().revision = revision;
    }

    pub(super) fn revision(&self) -> Revision {
        self.state().revision
    }

    /// Takes nothing more in; what is queued is written, then the writing side is closed.
    pub(super) fn close(&self) {
        self.state().closing = true;
        self.filled.notify_one();
        self.drained.notify_waiters();
    }

    /// Waits for something to write.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Moves what waits behind `out`.
    pub(super) fn take(&self, out: &mut Outbound) -> Work {
        let mut state = self.state();
        out.append(&mut state.out);
        match (out.is_empty(), state.closing) {
            (false, _) => Work::Write,
            (true, true) => Work::Finish,
            (true, false) => Work::Nothing,
        }
    }

    /// `left` of what was taken is still to be written.
    pub(super) fn wrote(&self, left: usize) {
        let mut state = self.state();
        state.written = state.queued - (state.out.len() + left) as u64;
        drop(state);
        self.drained.notify_waiters();
    }

    /// Nothing can be written any more; answers may still come.
    pub(super) fn broke(&self, error: io::Error) {
        self.state().broken = Some(Arc::new(error));
        self.drained.notify_waiters();
    }

    /// The writing side is closed.
    pub(super) fn finish(&self) {
        self.phase.send_if_modified(|phase| advance(phase, Phase::Finished));
    }

    /// The pipe is over, the first time with its reason.
    pub(super) fn end(&self, why: io::Error) {
        let mut state = self.state();
        if state.over.is_some() {
            return;
        }
        let why = Arc::new(why);
        state.over = Some(Arc::clone(&why));
        let written = state.written;
        for (_, waiting) in state.calls.drain() {
            let why = Arc::clone(&why);
            let failure = if waiting.from < written { ChannelError::Lost(why) } else { ChannelError::Unsent(why) };
            let _ = waiting.reply.send(Err(failure));
        }
        drop(state);
        self.drained.notify_waiters();
        self.phase.send_if_modified(|phase| advance(phase, Phase::Over));
    }

    pub(super) fn is_closed(&self) -> bool {
        let state = self.state();
        state.over.is_some() || state.broken.is_some() || state.closing
    }

    pub(super) async fn finished(&self) {
        self.reached(Phase::Finished).await;
    }

    pub(super) async fn closed(&self) {
        self.reached(Phase::Over).await;
    }

    async fn reached(&self, wanted: Phase) {
        let mut phase = self.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase >= wanted).await; // the sender lives as long as `self`
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
    /// Whether something may still be queued.
    fn usable(&self) -> Result<(), ChannelError> {
        if let Some(why) = self.over.as_ref().or(self.broken.as_ref()) {
            return Err(ChannelError::Unsent(Arc::clone(why)));
        }
        if self.closing {
            let error = io::Error::new(io::ErrorKind::NotConnected, "the client was closed");
            return Err(ChannelError::unsent(error));
        }
        Ok(())
    }

    /// Bytes queued and not written.
    fn waiting(&self) -> u64 {
        self.queued - self.written
    }

    fn queue(&mut self, line: &[u8]) {
        let before = self.out.len();
        self.out.frame(|out| out.extend_from_slice(line));
        self.queued += (self.out.len() - before) as u64;
    }
}
