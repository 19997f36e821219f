//! An event store in memory, with limits.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::session_log::SessionLog;
use super::{EventReplay, EventStore, StreamKey};
use crate::request_state::StoreFuture;

/// Stores events in this process, within limits.
///
/// When a limit is exceeded, the oldest events are evicted: those of the stream, of the session, or of the least
/// recently used session.
///
/// ```
/// use ferromcp_server::http::{HttpServerOptions, MemoryEventStore};
///
/// let options = HttpServerOptions::new().events(MemoryEventStore::new().total_bytes(8 << 20).session_bytes(256 <<
/// 10));
/// ```
#[must_use = "an event store does nothing until it is passed to HttpServerOptions::events"]
pub struct MemoryEventStore {
    total_bytes: usize,
    session_bytes: usize,
    events_per_stream: usize,
    store: Mutex<Store>,
}

/// The stored sessions.
#[derive(Debug, Default)]
struct Store {
    sessions: HashMap<Arc<str>, Session>,
    /// The sessions by their last use.
    by_use: BTreeMap<u64, Arc<str>>,
    /// A counter of uses, as a clock.
    now: u64,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Session {
    log: SessionLog,
    last_used: u64,
}

impl Default for MemoryEventStore {
    fn default() -> Self {
        Self { total_bytes: 64 << 20, session_bytes: 1 << 20, events_per_stream: 1024, store: Mutex::default() }
    }
}

impl MemoryEventStore {
    /// Creates a store with the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum size of all sessions together in bytes, including overhead. Default: 64 MiB.
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// Sets the maximum size of one session in bytes, including overhead. Default: 1 MiB.
    pub fn session_bytes(mut self, bytes: usize) -> Self {
        self.session_bytes = bytes;
        self
    }

    /// Sets the maximum number of events of one stream; at least 1. Default: 1,024.
    pub fn events_per_stream(mut self, events: usize) -> Self {
        self.events_per_stream = events;
        self
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryEventStore {
    /// Omits the events and the session ids, which are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryEventStore")
            .field("total_bytes", &self.total_bytes)
            .field("session_bytes", &self.session_bytes)
            .field("events_per_stream", &self.events_per_stream)
            .finish_non_exhaustive()
    }
}

impl EventStore for MemoryEventStore {
    fn append<'a>(&'a self, key: StreamKey<'a>, number: u64, data: Bytes) -> StoreFuture<'a, ()> {
        let mut store = self.store();
        store.with_session(key.session, true, |log| {
            log.append(number, key.stream, &data, self.events_per_stream);
            while log.bytes() > self.session_bytes && log.evict() {}
        });
        store.shrink(self.total_bytes);
        Box::pin(ready(Ok(())))
    }

    fn end<'a>(&'a self, key: StreamKey<'a>) -> StoreFuture<'a, ()> {
        self.store().with_session(key.session, false, |log| log.end(key.stream));
        Box::pin(ready(Ok(())))
    }

    fn replay<'a>(&'a self, key: StreamKey<'a>, after: u64) -> StoreFuture<'a, EventReplay> {
        let replay = self.store().with_session(key.session, false, |log| log.replay(key.stream, after));
        Box::pin(ready(Ok(replay.unwrap_or(EventReplay::Lost))))
    }

    fn forget<'a>(&'a self, session: &'a str) -> StoreFuture<'a, ()> {
        let removed = self.store().remove(session);
        drop(removed); // after the lock is released, since it may hold many events
        Box::pin(ready(Ok(())))
    }
}

impl Store {
    /// Calls `f` with the log of a session, which is created first if `create` is set. Returns `None` if there is no
    /// such session.
    fn with_session<T>(&mut self, id: &str, create: bool, f: impl FnOnce(&mut SessionLog) -> T) -> Option<T> {
        if create && !self.sessions.contains_key(id) {
            self.sessions.insert(id.into(), Session::default());
        }
        let session = self.sessions.get_mut(id)?;
        let before = session.log.bytes();
        let outcome = f(&mut session.log);
        let after = session.log.bytes();
        self.bytes = self.bytes - before + after;
        self.now += 1;
        // The id moves to its new position, so that frequent use copies nothing.
        let name = self.by_use.remove(&session.last_used).unwrap_or_else(|| id.into());
        session.last_used = self.now;
        self.by_use.insert(self.now, name);
        if after == 0 {
            self.remove(id);
        }
        Some(outcome)
    }

    /// Evicts the oldest events of the least recently used sessions until the total size is at most `max`.
    fn shrink(&mut self, max: usize) {
        while self.bytes > max {
            let Some((_, id)) = self.by_use.first_key_value() else { return };
            let id = Arc::clone(id);
            let Some(session) = self.sessions.get_mut(&id) else { return };
            let before = session.log.bytes();
            while self.bytes - before + session.log.bytes() > max && session.log.evict() {}
            let after = session.log.bytes();
            self.bytes = self.bytes - before + after;
            if after == 0 {
                self.remove(&id);
            }
        }
    }

    fn remove(&mut self, id: &str) -> Option<Session> {
        let session = self.sessions.remove(id)?;
        self.by_use.remove(&session.last_used);
        self.bytes -= session.log.bytes();
        Some(session)
    }
}

#[cfg(test)]
mod tests;
