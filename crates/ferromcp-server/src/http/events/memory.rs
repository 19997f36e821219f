//! The store of events that needs nothing but memory, and never more of it than it was given.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::kept::Kept;
use super::{EventStore, Replay, StoreFuture, StreamKey};

/// Keeps events in this process, within bounds. What goes beyond a bound pushes out the oldest:
/// of its stream, of its session, or of the session that was left alone for longest.
///
/// ```
/// use ferromcp_server::http::{HttpOptions, MemoryEvents};
///
/// let options = HttpOptions::new().events(MemoryEvents::new().total_bytes(8 << 20).session_bytes(256 << 10));
/// ```
#[must_use = "a store keeps nothing until it is put into HttpOptions"]
pub struct MemoryEvents {
    total_bytes: usize,
    session_bytes: usize,
    events_per_stream: usize,
    store: Mutex<Store>,
}

/// Everything that is kept.
#[derive(Debug, Default)]
struct Store {
    sessions: HashMap<Arc<str>, Session>,
    /// The sessions by when they were last used.
    by_use: BTreeMap<u64, Arc<str>>,
    /// Counts uses.
    now: u64,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Session {
    kept: Kept,
    used: u64,
}

impl Default for MemoryEvents {
    fn default() -> Self {
        Self { total_bytes: 64 << 20, session_bytes: 1 << 20, events_per_stream: 1024, store: Mutex::default() }
    }
}

impl MemoryEvents {
    /// A store with the default bounds.
    pub fn new() -> Self {
        Self::default()
    }

    /// The most bytes of events of all sessions together, with what keeping them costs. 64 MiB unless set.
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// The most bytes of events of one session, with what keeping them costs. 1 MiB unless set.
    pub fn session_bytes(mut self, bytes: usize) -> Self {
        self.session_bytes = bytes;
        self
    }

    /// The most events of one stream; at least 1. 1,024 unless set.
    pub fn events_per_stream(mut self, events: usize) -> Self {
        self.events_per_stream = events;
        self
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryEvents {
    /// Neither events nor the ids of sessions, which are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryEvents")
            .field("total_bytes", &self.total_bytes)
            .field("session_bytes", &self.session_bytes)
            .field("events_per_stream", &self.events_per_stream)
            .finish_non_exhaustive()
    }
}

impl EventStore for MemoryEvents {
    fn append<'a>(&'a self, key: StreamKey<'a>, number: u64, data: Bytes) -> StoreFuture<'a, ()> {
        let mut store = self.store();
        store.within(key.session, true, |kept| {
            kept.append(number, key.stream, data, self.events_per_stream);
            while kept.bytes() > self.session_bytes && kept.evict() {}
        });
        store.shrink(self.total_bytes);
        Box::pin(ready(Ok(())))
    }

    fn end<'a>(&'a self, key: StreamKey<'a>) -> StoreFuture<'a, ()> {
        self.store().within(key.session, false, |kept| kept.end(key.stream));
        Box::pin(ready(Ok(())))
    }

    fn replay<'a>(&'a self, key: StreamKey<'a>, after: u64) -> StoreFuture<'a, Replay> {
        let replay = self.store().within(key.session, false, |kept| kept.replay(key.stream, after));
        Box::pin(ready(Ok(replay.unwrap_or(Replay::Lost))))
    }

    fn forget<'a>(&'a self, session: &'a str) -> StoreFuture<'a, ()> {
        let forgotten = self.store().remove(session);
        drop(forgotten); // many events perhaps, and nobody need wait for them
        Box::pin(ready(Ok(())))
    }
}

impl Store {
    /// Uses a session, and makes it first if `make`.
    fn within<T>(&mut self, id: &str, make: bool, act: impl FnOnce(&mut Kept) -> T) -> Option<T> {
        if make && !self.sessions.contains_key(id) {
            self.sessions.insert(id.into(), Session::default());
        }
        let session = self.sessions.get_mut(id)?;
        let before = session.kept.bytes();
        let outcome = act(&mut session.kept);
        let after = session.kept.bytes();
        self.bytes = self.bytes - before + after;
        self.now += 1;
        // The name is moved along, so that using a session again and again copies nothing.
        let name = self.by_use.remove(&session.used).unwrap_or_else(|| id.into());
        session.used = self.now;
        self.by_use.insert(self.now, name);
        if after == 0 {
            self.remove(id);
        }
        Some(outcome)
    }

    /// Drops the oldest events of the sessions that were left alone for longest until all fits.
    fn shrink(&mut self, most: usize) {
        while self.bytes > most {
            let Some((_, id)) = self.by_use.first_key_value() else { return };
            let id = Arc::clone(id);
            let Some(session) = self.sessions.get_mut(&id) else { return };
            let before = session.kept.bytes();
            while self.bytes - before + session.kept.bytes() > most && session.kept.evict() {}
            let after = session.kept.bytes();
            self.bytes = self.bytes - before + after;
            if after == 0 {
                self.remove(&id);
            }
        }
    }

    fn remove(&mut self, id: &str) -> Option<Session> {
        let session = self.sessions.remove(id)?;
        self.by_use.remove(&session.used);
        self.bytes -= session.kept.bytes();
        Some(session)
    }
}

#[cfg(test)]
mod tests;
