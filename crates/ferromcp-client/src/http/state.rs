//! State shared by the requests of one HTTP channel: session, revision, phase.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_core::{RawJson, RequestId, Revision};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::channel_error::channel_error;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::legacy::SessionId;
use super::request_headers::RequestHeaders;
use crate::channel::{ChannelError, Inbound};
use crate::deviations::{Deviations, name_request};
use crate::limits::ClientLimits;

/// Timeout of a detached POST.
const DETACHED_POST_TIMEOUT: Duration = Duration::from_secs(5);

/// State of an HTTP channel.
pub(super) struct HttpState {
    pub(super) endpoint: Endpoint,
    pub(super) inbound: Arc<dyn Inbound>,
    pub(super) limits: ClientLimits,
    pub(super) deviations: Deviations,
    inner: Mutex<Inner>,
    phase: watch::Sender<Phase>,
    /// Limits concurrent detached POSTs. Messages over the limit are discarded.
    detached_permits: Arc<Semaphore>,
}

struct Inner {
    revision: Revision,
    session: Option<SessionId>,
    /// Task that reads the GET stream of the session.
    session_stream: Option<AbortHandle>,
    /// Requests whose response may arrive on the GET stream of the session. The specification forbids this, but some
    /// servers do it.
    waiting: HashMap<RequestId, Waiter>,
}

/// A request that waits for its response on any stream.
struct Waiter {
    method: Cow<'static, str>,
    reply: oneshot::Sender<Outcome>,
}

type Outcome = Result<RawJson, ChannelError>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Phase {
    Open,
    /// The server ended the session. Responses to in-flight requests may still arrive.
    SessionExpired,
    Closed,
}

impl HttpState {
    pub(super) fn new(endpoint: Endpoint, inbound: Arc<dyn Inbound>, limits: &ClientLimits) -> Self {
        Self {
            endpoint,
            inbound,
            limits: *limits,
            deviations: Deviations::default(),
            inner: Mutex::new(Inner {
                revision: Revision::LATEST_LEGACY,
                session: None,
                session_stream: None,
                waiting: HashMap::new(),
            }),
            phase: watch::Sender::new(Phase::Open),
            detached_permits: Arc::new(Semaphore::new(limits.in_flight.clamp(1, Semaphore::MAX_PERMITS))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the ID of the session, if there is one.
    pub(super) fn session(&self) -> Option<SessionId> {
        self.lock().session.clone()
    }

    pub(super) fn set_session(&self, session: Option<SessionId>) {
        self.lock().session = session;
    }

    pub(super) fn set_revision(&self, revision: Revision) {
        self.lock().revision = revision;
    }

    pub(super) fn revision(&self) -> Revision {
        self.lock().revision
    }

    /// Registers a request for a response on another stream, until it is unregistered.
    pub(super) fn register_waiter(&self, id: &RequestId, method: Cow<'static, str>) -> oneshot::Receiver<Outcome> {
        let (reply, receiver) = oneshot::channel();
        self.lock().waiting.insert(id.clone(), Waiter { method, reply });
        receiver
    }

    pub(super) fn unregister_waiter(&self, id: &RequestId) {
        self.lock().waiting.remove(id);
    }

    /// Returns whether a request waits for a response on another stream.
    pub(super) fn is_waiting(&self, id: &RequestId) -> bool {
        self.lock().waiting.contains_key(id)
    }

    /// Delivers a response that arrived on another stream. Returns whether its request is pending.
    pub(super) fn deliver_out_of_band(&self, id: &RequestId, outcome: Outcome) -> bool {
        let waiting = self.lock().waiting.remove(id);
        waiting.is_some_and(|waiting| waiting.reply.send(outcome).is_ok())
    }

    /// Names the requests that wait for a response on another stream.
    pub(super) fn waiting(&self) -> Vec<String> {
        self.lock().waiting.iter().map(|(id, waiter)| name_request(id, &waiter.method)).collect()
    }

    /// Sets the task that reads the GET stream of the session, so that it is aborted with the channel.
    pub(super) fn set_session_stream(&self, task: AbortHandle) {
        if let Some(previous) = self.lock().session_stream.replace(task) {
            previous.abort();
        }
        if self.is_shut_down() {
            self.stop_session_stream();
        }
    }

    fn stop_session_stream(&self) {
        if let Some(task) = self.lock().session_stream.take() {
            task.abort();
        }
    }

    /// Checks that the channel is open.
    ///
    /// # Errors
    /// Fails if the session expired or the client closed the channel.
    pub(super) fn ensure_open(&self) -> Result<(), ChannelError> {
        match *self.phase.borrow() {
            Phase::Open => Ok(()),
            Phase::SessionExpired => Err(ChannelError::SessionGone { in_flight: false }),
            Phase::Closed => {
                let closed = std::io::Error::new(std::io::ErrorKind::NotConnected, "the client was closed");
                Err(ChannelError::unsent(closed))
            }
        }
    }

    /// Converts a failure, and marks the session as expired if the failure shows that.
    pub(super) fn convert_failure(&self, failure: Failure) -> ChannelError {
        if matches!(failure, Failure::SessionEnded) {
            self.session_expired();
        }
        channel_error(failure, &self.endpoint)
    }

    /// Marks the session as ended by the server.
    pub(super) fn session_expired(&self) {
        self.lock().session = None;
        self.advance(Phase::SessionExpired);
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

    /// Posts a legacy message that has no response.
    pub(super) async fn post(&self, revision: Revision, message: Bytes) -> Result<(), ChannelError> {
        let request_headers = RequestHeaders::legacy(revision, self.session());
        let result = self.endpoint.post_message(&request_headers, message).await;
        result.map_err(|failure| self.convert_failure(failure))
    }

    /// Posts a legacy message in a detached task. Discards it if too many are in flight.
    pub(super) fn post_detached(self: &Arc<Self>, revision: Revision, message: Bytes) {
        let (Ok(permit), Ok(runtime)) = (Arc::clone(&self.detached_permits).try_acquire_owned(), Handle::try_current())
        else {
            return tracing::debug!("discarded a message: too many detached requests");
        };
        let state = Arc::clone(self);
        runtime.spawn(async move {
            if !matches!(timeout(DETACHED_POST_TIMEOUT, state.post(revision, message)).await, Ok(Ok(()))) {
                tracing::debug!("a detached message was not delivered");
            }
            drop(permit);
        });
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.phase.borrow() > Phase::Open
    }

    fn is_shut_down(&self) -> bool {
        *self.phase.borrow() == Phase::Closed
    }

    /// Waits until the channel is closed or the session expired.
    pub(super) async fn closed(&self) {
        self.reached(Phase::SessionExpired).await;
    }

    /// Waits until the client closes the channel. In-flight requests are then abandoned.
    pub(super) async fn shut_down(&self) {
        self.reached(Phase::Closed).await;
    }

    async fn reached(&self, target: Phase) {
        let mut phase = self.phase.subscribe();
        let _ = phase.wait_for(|phase| *phase >= target).await; // the sender lives as long as `self`
    }

    /// Closes the channel: waits for detached POSTs, then deletes the session, within the grace period.
    pub(super) async fn close(&self) {
        self.stop_session_stream();
        self.advance(Phase::Closed);
        let ending = async {
            let permits = u32::try_from(self.limits.in_flight.max(1)).unwrap_or(u32::MAX);
            let _ = self.detached_permits.acquire_many(permits).await; // never closed
            self.delete_session().await;
        };
        let _ = timeout(self.limits.shutdown_grace, ending).await;
    }

    /// Closes a dropped channel in a detached task.
    pub(super) fn close_detached(self: &Arc<Self>) {
        self.stop_session_stream();
        self.advance(Phase::Closed);
        let has_session = self.lock().session.is_some();
        if let (true, Ok(runtime)) = (has_session, Handle::try_current()) {
            let state = Arc::clone(self);
            runtime.spawn(async move { timeout(state.limits.shutdown_grace, state.delete_session()).await });
        }
    }

    async fn delete_session(&self) {
        let (revision, session) = {
            let mut inner = self.lock();
            (inner.revision, inner.session.take())
        };
        if session.is_none() {
            return;
        }
        if let Err(failure) = self.endpoint.delete_session(&RequestHeaders::legacy(revision, session)).await {
            tracing::debug!(%failure, "cannot delete the session");
        }
    }
}
