//! A session of the legacy era over HTTP: one client, from its `initialize` to its DELETE or long silence.
//!
//! Plain data: no task and no channel belongs to it. A queue is made when there is a stream to fill it.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::{Identity, RequestId, Revision};

use super::clock;
use super::event_id::{Purpose, StreamName};
use super::event_stream::EventStream;
use super::sink::HttpSink;
use crate::era::legacy::Session;
use crate::latch::Latch;

/// One client's session.
pub(crate) struct HttpSession {
    pub(crate) id: Arc<str>,
    /// Who opened it; nobody else may use it.
    pub(crate) identity: Option<Identity>,
    /// What was agreed on.
    pub(crate) agreed: Mutex<Session>,
    /// The client said that it is ready for messages of the server's own.
    pub(crate) ready: Latch,
    /// When it was last used, by our [`clock`].
    used: AtomicU64,
    /// Requests under way and streams open.
    busy: AtomicUsize,
    /// Requests under way that had to wait, and how to cancel them.
    calls: Mutex<HashMap<RequestId, Arc<HttpSink>>>,
    streams: Mutex<Streams>,
    last_stream: AtomicU64,
    /// It is over.
    pub(crate) ended: Latch,
}

/// The streams that can be resumed or are read.
#[derive(Default)]
struct Streams {
    live: HashMap<u64, Arc<EventStream>>,
    /// How many GET streams are read.
    news: usize,
}

impl HttpSession {
    pub(crate) fn new(id: Arc<str>, identity: Option<Identity>, agreed: Session) -> Self {
        Self {
            id,
            identity,
            agreed: Mutex::new(agreed),
            ready: Latch::default(),
            used: AtomicU64::new(clock::now()),
            busy: AtomicUsize::new(0),
            calls: Mutex::default(),
            streams: Mutex::default(),
            last_stream: AtomicU64::new(0),
            ended: Latch::default(),
        }
    }

    pub(crate) fn agreed(&self) -> MutexGuard<'_, Session> {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The revision that was agreed on.
    pub(crate) fn revision(&self) -> Revision {
        self.agreed().revision().unwrap_or(Revision::LATEST_LEGACY)
    }

    /// The client said `notifications/initialized`.
    pub(crate) fn initialized(&self) {
        self.ready.set();
    }

    /// Since when no request is under way and no stream open; `None` while there is one.
    pub(crate) fn idle_since(&self) -> Option<u64> {
        (self.busy.load(Ordering::Acquire) == 0).then(|| self.used.load(Ordering::Acquire))
    }

    /// A name for a new stream.
    pub(crate) fn name(&self, purpose: Purpose) -> StreamName {
        StreamName::nth(self.last_stream.fetch_add(1, Ordering::Relaxed) + 1, purpose)
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<RequestId, Arc<HttpSink>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request under way, unless its id is in use. One that comes as the session ends is cancelled.
    pub(crate) fn begin(&self, id: &RequestId, sink: &Arc<HttpSink>) -> bool {
        let mut calls = self.calls();
        // Under the lock: what is noted before the end is cancelled by the end.
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

    /// How many requests are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.calls().len()
    }

    /// Whether a request of this id is under way.
    pub(crate) fn is_under_way(&self, id: &RequestId) -> bool {
        self.calls().contains_key(id)
    }

    /// The request is answered or gone.
    pub(crate) fn finish(&self, id: &RequestId, sink: &Arc<HttpSink>) {
        let mut calls = self.calls();
        // A client may use the id of a call that it withdrew for another.
        if calls.get(id).is_some_and(|of| Arc::ptr_eq(of, sink)) {
            calls.remove(id);
        }
    }

    /// The client withdrew a request; nothing happens if it is answered already.
    pub(crate) fn cancel(&self, id: &RequestId) {
        let call = self.calls().remove(id);
        if let Some(sink) = call {
            sink.withdraw(id);
        }
    }

    /// Ends the session: its streams close, and requests under way are dropped.
    pub(crate) fn end(&self) {
        self.ended.set();
        let calls = std::mem::take(&mut *self.calls());
        for sink in calls.into_values() {
            sink.cancel();
        }
        let streams = std::mem::take(&mut self.streams().live);
        for stream in streams.into_values() {
            stream.release();
        }
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a stream at hand for those who resume it.
    pub(crate) fn keep(&self, name: StreamName, stream: &Arc<EventStream>) {
        self.streams().live.insert(name.number, Arc::clone(stream));
    }

    /// Keeps a GET stream at hand, and forgets the oldest ones that nobody reads if there are more than `most`.
    pub(crate) fn keep_news(&self, name: StreamName, stream: &Arc<EventStream>, most: usize) {
        let mut streams = self.streams();
        streams.live.insert(name.number, Arc::clone(stream));
        let mut unread: Vec<u64> =
            streams.live.iter().filter(|(_, stream)| stream.is_idle_news()).map(|(number, _)| *number).collect();
        unread.sort_unstable();
        for number in unread.iter().take(unread.len().saturating_sub(most)) {
            streams.live.remove(number);
        }
    }

    /// A stream that goes on here.
    pub(crate) fn stream(&self, name: StreamName) -> Option<Arc<EventStream>> {
        self.streams().live.get(&name.number).cloned()
    }

    /// Forgets a stream, unless another has taken its place.
    pub(crate) fn forget(&self, name: StreamName, stream: &Arc<EventStream>) {
        let mut streams = self.streams();
        if streams.live.get(&name.number).is_some_and(|live| Arc::ptr_eq(live, stream)) {
            streams.live.remove(&name.number);
        }
    }

    /// Opens a GET stream, unless there are `most` already.
    pub(crate) fn open_news(&self, most: usize) -> bool {
        let mut streams = self.streams();
        let room = streams.news < most;
        streams.news += usize::from(room);
        room
    }

    /// A GET stream is no longer read.
    pub(crate) fn close_news(&self) {
        self.streams().news -= 1;
    }
}

/// Keeps a session from being taken for idle.
pub(crate) struct Busy(Arc<HttpSession>);

impl Busy {
    pub(crate) fn new(session: Arc<HttpSession>) -> Self {
        session.busy.fetch_add(1, Ordering::AcqRel);
        Self(session)
    }
}

impl Deref for Busy {
    type Target = Arc<HttpSession>;

    fn deref(&self) -> &Arc<HttpSession> {
        &self.0
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.used.store(clock::now(), Ordering::Release);
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_begins_as_its_session_ends_is_cancelled() {
        let session = HttpSession::new("s".into(), None, Session::default());
        let sink = Arc::new(HttpSink::new(1, Arc::default(), false));
        session.end();
        assert!(!session.begin(&RequestId::from(1), &sink));
        assert!(!sink.is_silent(), "it hears of the end");
        assert!(!session.is_under_way(&RequestId::from(1)));
    }
}
