//! What the requests of one channel share: the session, what was agreed on, and whether it is over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_core::Revision;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::failure;
use super::head::Head;
use super::post::Content;
use super::session::SessionId;
use super::sorted::sorted;
use crate::channel::{Failure, Inbound};
use crate::limits::ClientLimits;

/// How long a word that nobody waits for may be on its way.
const ASIDE: Duration = Duration::from_secs(5);

/// The state of a channel.
pub(super) struct Talk {
    pub(super) endpoint: Endpoint,
    pub(super) inbound: Arc<dyn Inbound>,
    pub(super) limits: ClientLimits,
    state: Mutex<State>,
    phase: watch::Sender<Phase>,
    /// Words that nobody waits for; one more than fit is not said.
    aside: Arc<Semaphore>,
}

struct State {
    revision: Revision,
    session: Option<SessionId>,
    /// Reads the session's own stream.
    listening: Option<AbortHandle>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    Open,
    /// The server ended the session; what is under way may still be answered.
    Gone,
    Closed,
}

impl Talk {
    pub(super) fn new(endpoint: Endpoint, inbound: Arc<dyn Inbound>, limits: &ClientLimits) -> Self {
        Self {
            endpoint,
            inbound,
            limits: *limits,
            state: Mutex::new(State { revision: Revision::LATEST_LEGACY, session: None, listening: None }),
            phase: watch::Sender::new(Phase::Open),
            aside: Arc::new(Semaphore::new(limits.in_flight.clamp(1, Semaphore::MAX_PERMITS))),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session that the server began, if it did.
    pub(super) fn session(&self) -> Option<SessionId> {
        self.state().session.clone()
    }

    pub(super) fn begin(&self, session: Option<SessionId>) {
        self.state().session = session;
    }

    pub(super) fn agreed(&self, revision: Revision) {
        self.state().revision = revision;
    }

    pub(super) fn revision(&self) -> Revision {
        self.state().revision
    }

    /// Lists the task that reads the session's own stream, so that it ends with the channel.
    pub(super) fn listens(&self, task: AbortHandle) {
        if let Some(twin) = self.state().listening.replace(task) {
            twin.abort();
        }
        if self.is_closed() {
            self.stop_listening();
        }
    }

    fn stop_listening(&self) {
        if let Some(task) = self.state().listening.take() {
            task.abort();
        }
    }

    /// Whether something may be sent.
    pub(super) fn usable(&self) -> Result<(), Failure> {
        match *self.phase.borrow() {
            Phase::Open => Ok(()),
            Phase::Gone => Err(Failure::SessionGone { under_way: false }),
            Phase::Closed => {
                let closed = std::io::Error::new(std::io::ErrorKind::NotConnected, "the client was closed");
                Err(Failure::unsent(closed))
            }
        }
    }

    /// Sorts what went wrong, and takes note where the session is over.
    pub(super) fn sort(&self, failure: failure::Failure) -> Failure {
        if matches!(failure, failure::Failure::SessionEnded { .. }) {
            self.gone();
        }
        sorted(failure, &self.endpoint)
    }

    /// The server ended the session: there is nothing left to end.
    pub(super) fn gone(&self) {
        self.state().session = None;
        self.advance(Phase::Gone);
    }

    fn advance(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let later = *phase < to;
            if later {
                *phase = to;
            }
            later
        });
    }

    /// Posts a message of the legacy era that has no answer.
    pub(super) async fn say(&self, revision: Revision, message: Bytes) -> Result<(), Failure> {
        let head = Head::legacy(revision, self.session());
        let reply = self.endpoint.post(&head, message).await.map_err(|failure| self.sort(failure))?;
        match reply.content {
            Content::Json(body) if reply.status >= 400 => {
                tracing::debug!(status = reply.status, body = body.len(), "the server did not take a message");
                Err(Failure::Status { status: reply.status, body: String::new() })
            }
            _ => Ok(()),
        }
    }

    /// Posts such a message without waiting for it.
    pub(super) fn mention(self: &Arc<Self>, revision: Revision, message: Bytes) {
        let (Ok(place), Ok(runtime)) = (Arc::clone(&self.aside).try_acquire_owned(), Handle::try_current()) else {
            return tracing::debug!("too much is being said to the server; a word is left out");
        };
        let talk = Arc::clone(self);
        runtime.spawn(async move {
            if !matches!(timeout(ASIDE, talk.say(revision, message)).await, Ok(Ok(()))) {
                tracing::debug!("a word to the server did not arrive");
            }
            drop(place);
        });
    }

    pub(super) fn is_over(&self) -> bool {
        *self.phase.borrow() > Phase::Open
    }

    fn is_closed(&self) -> bool {
        *self.phase.borrow() == Phase::Closed
    }

    /// Waits until nothing more can be sent.
    pub(super) async fn over(&self) {
        self.reached(Phase::Gone).await;
    }

    /// Waits until nothing more is waited for.
    pub(super) async fn closed(&self) {
        self.reached(Phase::Closed).await;
    }

    async fn reached(&self, wanted: Phase) {
        let mut phase = self.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase >= wanted).await; // the sender lives as long as `self`
    }

    /// Ends tidily: what is being said is let arrive, then the session is ended.
    pub(super) async fn close(&self) {
        self.stop_listening();
        self.advance(Phase::Closed);
        let ending = async {
            let places = u32::try_from(self.limits.in_flight.max(1)).unwrap_or(u32::MAX);
            let _ = self.aside.acquire_many(places).await; // never closed
            self.end().await;
        };
        let _ = timeout(self.limits.shutdown_grace, ending).await;
    }

    /// Ends what nobody closed, without waiting for it.
    pub(super) fn abandon(self: &Arc<Self>) {
        self.stop_listening();
        self.advance(Phase::Closed);
        let has_session = self.state().session.is_some();
        if let (true, Ok(runtime)) = (has_session, Handle::try_current()) {
            let talk = Arc::clone(self);
            runtime.spawn(async move { timeout(talk.limits.shutdown_grace, talk.end()).await });
        }
    }

    async fn end(&self) {
        let (revision, session) = {
            let mut state = self.state();
            (state.revision, state.session.take())
        };
        if session.is_none() {
            return;
        }
        if let Err(failure) = self.endpoint.end(&Head::legacy(revision, session)).await {
            tracing::debug!(%failure, "the session was not ended");
        }
    }
}
