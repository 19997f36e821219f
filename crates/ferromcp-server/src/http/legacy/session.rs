//! A session over HTTP: one client, from `initialize` to DELETE or expiry.
//!
//! A session is plain data. It owns no task, and a queue is created only for a GET stream.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferromcp_core::{Identity, RequestId, Revision};
use tokio::time::Instant;

use super::event_id::{StreamId, StreamKind};
use super::event_stream::EventStream;
use super::session_scopes::SessionScopes;
use super::session_source::Source;
use crate::era::legacy::Session;
use crate::http::limits::MAX_STREAMS_PER_SESSION;
use crate::http::sink::HttpSink;
use crate::latch::Latch;

/// The session of one client.
pub(crate) struct HttpSession {
    pub(crate) id: Arc<str>,
    /// The identity that started it. Requests of any other identity do not find it.
    pub(super) identity: Option<Identity>,
    pub(super) source: Source,
    /// The scopes of its requests.
    pub(super) scopes: SessionScopes,
    /// The result of the handshake.
    negotiated: Mutex<Session>,
    /// Set when the client has sent `notifications/initialized`.
    pub(super) initialized: Latch,
    /// The time of the last use, as [`now_millis`].
    last_used: AtomicU64,
    /// The time at which a request or a stream last had a connection, as [`now_millis`]. The end of a request that
    /// continued without a connection does not count.
    last_connected: AtomicU64,
    /// The number of requests in flight and open streams.
    in_use: AtomicUsize,
    /// The number of requests in flight that continue without a connection.
    detached: AtomicUsize,
    /// Requests in flight that did not finish on the first poll, for cancellation.
    calls: Mutex<HashMap<RequestId, Arc<HttpSink>>>,
    streams: Mutex<Streams>,
    last_stream: AtomicU64,
    /// Set when the session has ended.
    pub(super) ended: Latch,
}

/// The streams of a session that are connected or can be resumed.
#[derive(Default)]
struct Streams {
    live: HashMap<u64, Arc<EventStream>>,
    /// The number of connected GET streams.
    get_streams: usize,
}

impl HttpSession {
    pub(super) fn new(id: Arc<str>, identity: Option<Identity>, source: Source, negotiated: Session) -> Self {
        Self {
            id,
            identity,
            source,
            scopes: SessionScopes::default(),
            negotiated: Mutex::new(negotiated),
            initialized: Latch::default(),
            last_used: AtomicU64::new(now_millis()),
            last_connected: AtomicU64::new(now_millis()),
            in_use: AtomicUsize::new(0),
            detached: AtomicUsize::new(0),
            calls: Mutex::default(),
            streams: Mutex::default(),
            last_stream: AtomicU64::new(0),
            ended: Latch::default(),
        }
    }

    pub(super) fn negotiated(&self) -> MutexGuard<'_, Session> {
        self.negotiated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the negotiated revision.
    pub(super) fn revision(&self) -> Revision {
        self.negotiated().revision_or_latest()
    }

    /// Marks the handshake as complete: the client has sent `notifications/initialized`.
    pub(super) fn mark_initialized(&self) {
        self.initialized.set();
    }

    /// Returns since when the session is idle, or `None` while a request is in flight or a stream is open.
    pub(super) fn idle_since(&self) -> Option<u64> {
        (self.in_use.load(Ordering::Acquire) == 0).then(|| self.last_used.load(Ordering::Acquire))
    }

    /// Counts a request that continues without a connection, until the guard is dropped.
    pub(crate) fn detach_request(self: &Arc<Self>) -> DetachedRequest {
        self.last_connected.store(now_millis(), Ordering::Release);
        self.detached.fetch_add(1, Ordering::AcqRel);
        DetachedRequest(Arc::clone(self))
    }

    /// Returns whether the session has had no connection for `timeout`.
    pub(crate) fn is_absent(&self, timeout: Duration) -> bool {
        let timeout = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let absent = now_millis().saturating_sub(self.last_connected.load(Ordering::Acquire));
        !self.is_connected() && absent >= timeout
    }

    /// Returns whether a request in flight or a stream has a connection.
    fn is_connected(&self) -> bool {
        self.in_use.load(Ordering::Acquire) > self.detached.load(Ordering::Acquire)
    }

    /// Returns the id of a new stream.
    pub(super) fn new_stream_id(&self, kind: StreamKind) -> StreamId {
        StreamId::nth(self.last_stream.fetch_add(1, Ordering::Relaxed) + 1, kind)
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<RequestId, Arc<HttpSink>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a request in flight. Returns false if its id is in use, or if the session has ended; then the request
    /// is cancelled.
    fn register_call(&self, id: &RequestId, sink: &Arc<HttpSink>) -> bool {
        let mut calls = self.calls();
        // Checked under the lock: `end` cancels every call registered before it.
        if self.ended.is_set() {
            drop(calls);
            sink.cancel();
            return false;
        }
        if calls.contains_key(id) {
            return false;
        }
        calls.insert(id.clone(), Arc::clone(sink));
        true
    }

    /// Returns the number of registered requests in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.calls().len()
    }

    /// Returns whether a request with this id is in flight.
    pub(super) fn is_in_flight(&self, id: &RequestId) -> bool {
        self.calls().contains_key(id)
    }

    /// Removes a request that has finished or was dropped.
    fn unregister_call(&self, id: &RequestId, sink: &Arc<HttpSink>) {
        let mut calls = self.calls();
        // The client may reuse the id of a request that it cancelled.
        if calls.get(id).is_some_and(|registered| Arc::ptr_eq(registered, sink)) {
            calls.remove(id);
        }
    }

    /// Cancels a request for the client. Does nothing if it has finished.
    pub(super) fn cancel(&self, id: &RequestId) {
        let call = self.calls().remove(id);
        if let Some(sink) = call {
            sink.withdraw(id);
        }
    }

    /// Ends the session: cancels its requests and closes its streams.
    pub(super) fn end(&self) {
        self.ended.set();
        let calls = std::mem::take(&mut *self.calls());
        for sink in calls.into_values() {
            sink.cancel();
        }
        let streams = std::mem::take(&mut self.streams().live);
        for stream in streams.into_values() {
            stream.close_connection();
        }
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a stream, so that the client can resume it.
    pub(super) fn add_stream(&self, id: StreamId, stream: &Arc<EventStream>) {
        self.streams().live.insert(id.number, Arc::clone(stream));
    }

    /// Adds a GET stream. Removes the oldest disconnected ones if there are more than `max`.
    pub(super) fn add_get_stream(&self, id: StreamId, stream: &Arc<EventStream>) {
        let mut streams = self.streams();
        streams.live.insert(id.number, Arc::clone(stream));
        let mut disconnected: Vec<u64> =
            streams.live.iter().filter(|(_, stream)| stream.is_disconnected_get()).map(|(number, _)| *number).collect();
        disconnected.sort_unstable();
        for number in disconnected.iter().take(disconnected.len().saturating_sub(MAX_STREAMS_PER_SESSION)) {
            streams.live.remove(number);
        }
    }

    /// Returns a stream that is live in this process.
    pub(super) fn stream(&self, id: StreamId) -> Option<Arc<EventStream>> {
        self.streams().live.get(&id.number).cloned()
    }

    /// Removes a stream, unless another one has replaced it.
    pub(super) fn remove_stream(&self, id: StreamId, stream: &Arc<EventStream>) {
        let mut streams = self.streams();
        if streams.live.get(&id.number).is_some_and(|live| Arc::ptr_eq(live, stream)) {
            streams.live.remove(&id.number);
        }
    }

    /// Counts one more connected GET stream. Returns false if there are `max` already.
    pub(super) fn acquire_get_stream(&self) -> bool {
        let mut streams = self.streams();
        let is_available = streams.get_streams < MAX_STREAMS_PER_SESSION;
        streams.get_streams += usize::from(is_available);
        is_available
    }

    /// Counts one connected GET stream less.
    pub(super) fn release_get_stream(&self) {
        self.streams().get_streams -= 1;
    }
}

/// Prevents a session from expiring as idle.
pub(crate) struct SessionGuard(Arc<HttpSession>);

impl SessionGuard {
    pub(super) fn new(session: Arc<HttpSession>) -> Self {
        session.in_use.fetch_add(1, Ordering::AcqRel);
        Self(session)
    }
}

impl Deref for SessionGuard {
    type Target = Arc<HttpSession>;

    fn deref(&self) -> &Arc<HttpSession> {
        &self.0
    }
}

impl Drop for SessionGuard {
    fn drop(&mut self) {
        let now = now_millis();
        self.0.last_used.store(now, Ordering::Release);
        if self.0.is_connected() {
            self.0.last_connected.store(now, Ordering::Release);
        }
        self.0.in_use.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Counts a request that continues without a connection.
pub(crate) struct DetachedRequest(Arc<HttpSession>);

impl Drop for DetachedRequest {
    fn drop(&mut self) {
        self.0.detached.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The session of a request, and the ids by which the client can cancel it. Unregisters them when dropped.
pub(crate) struct SessionCalls {
    session: SessionGuard,
    registered: Vec<(RequestId, Arc<HttpSink>)>,
}

impl SessionCalls {
    pub(super) fn new(session: SessionGuard) -> Self {
        Self { session, registered: Vec::new() }
    }

    /// Registers the ids of a request in flight with the session.
    pub(crate) fn register(&mut self, ids: Vec<RequestId>, sink: &Arc<HttpSink>) {
        let registered = ids.into_iter().filter(|id| self.session.register_call(id, sink));
        self.registered = registered.map(|id| (id, Arc::clone(sink))).collect();
    }
}

impl Deref for SessionCalls {
    type Target = Arc<HttpSession>;

    fn deref(&self) -> &Arc<HttpSession> {
        &self.session
    }
}

impl Drop for SessionCalls {
    fn drop(&mut self) {
        for (id, sink) in &self.registered {
            self.session.unregister_call(id, sink);
        }
    }
}

/// Returns a monotonic time in milliseconds, which fits an atomic.
pub(super) fn now_millis() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::byte_budget::ByteBudget;
    use crate::http::send_state::SendState;

    #[test]
    fn call_is_cancelled_when_registered_after_the_session_ended() {
        let session = HttpSession::new("s".into(), None, Source::default(), Session::default());
        let endpoint = SendState { closing: Latch::default(), responses: ByteBudget::new(1) };
        let sink = Arc::new(HttpSink::new(1, Arc::new(endpoint), false));
        session.end();
        assert!(!session.register_call(&RequestId::from(1), &sink));
        assert!(!sink.is_empty(), "the call is not cancelled");
        assert!(!session.is_in_flight(&RequestId::from(1)));
    }
}
