//! An in-memory state store with bounded memory.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::ready;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::store::{StateStore, StoreFuture};

/// Accounted overhead per entry, in bytes.
const ENTRY_OVERHEAD: usize = 256;

/// An in-memory [`StateStore`] with limits. If a limit is exceeded, the oldest entry is evicted; its call cannot be
/// resumed.
///
/// ```
/// use ferromcp_server::{MemoryStateStore, StateOptions};
///
/// let options = StateOptions::new().store(MemoryStateStore::new().total_bytes(16 << 20));
/// ```
#[must_use = "a store does nothing until it is passed to `StateOptions`"]
pub struct MemoryStateStore {
    states: usize,
    total_bytes: usize,
    entries: Mutex<Entries>,
}

/// Everything that is entries.
#[derive(Default)]
struct Entries {
    states: HashMap<Arc<str>, State>,
    /// The ids by age, oldest first.
    by_age: BTreeMap<u64, Arc<str>>,
    /// The age of the newest entry; increases with each insert.
    age: u64,
    bytes: usize,
}

struct State {
    bytes: Bytes,
    age: u64,
    /// Expiry time; `None` if it is out of range.
    expires_at: Option<Instant>,
}

impl Default for MemoryStateStore {
    fn default() -> Self {
        Self { states: 16_384, total_bytes: 64 << 20, entries: Mutex::default() }
    }
}

impl MemoryStateStore {
    /// Creates a store with the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of entries, at least 1. Default: 16,384.
    pub fn states(mut self, states: usize) -> Self {
        self.states = states;
        self
    }

    /// Sets the maximum total size in bytes, including a fixed overhead per entry. Default: 64 MiB.
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.total_bytes = bytes;
        self
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put_at(&self, id: &str, bytes: Bytes, ttl: Duration, now: Instant) -> io::Result<()> {
        if bytes.len().saturating_add(ENTRY_OVERHEAD) > self.total_bytes {
            let message = format!("cannot store a state of {} bytes; raise MemoryStateStore::total_bytes", bytes.len());
            return Err(io::Error::other(message));
        }
        let mut entries = self.lock();
        entries.remove(id);
        entries.insert(id.into(), bytes, now.checked_add(ttl));
        while entries.oldest_is_expired(now)
            || entries.states.len() > self.states.max(1)
            || entries.bytes > self.total_bytes
        {
            entries.evict();
        }
        Ok(())
    }

    pub(super) fn get_at(&self, id: &str, now: Instant) -> Option<Bytes> {
        let entries = self.lock();
        entries.states.get(id).filter(|state| !state.is_expired(now)).map(|state| state.bytes.clone())
    }

    pub(super) fn take_at(&self, id: &str, now: Instant) -> Option<Bytes> {
        let taken = self.lock().remove(id)?;
        (!taken.is_expired(now)).then_some(taken.bytes)
    }
}

impl fmt::Debug for MemoryStateStore {
    /// Omits the entries and their ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStateStore")
            .field("states", &self.states)
            .field("total_bytes", &self.total_bytes)
            .finish_non_exhaustive()
    }
}

impl StateStore for MemoryStateStore {
    fn put<'a>(&'a self, id: &'a str, state: Bytes, ttl: Duration) -> StoreFuture<'a, ()> {
        Box::pin(ready(self.put_at(id, state, ttl, Instant::now())))
    }

    fn get<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<Bytes>> {
        Box::pin(ready(Ok(self.get_at(id, Instant::now()))))
    }

    fn take<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<Bytes>> {
        Box::pin(ready(Ok(self.take_at(id, Instant::now()))))
    }
}

impl State {
    fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    fn cost(&self) -> usize {
        self.bytes.len() + ENTRY_OVERHEAD
    }
}

impl Entries {
    fn insert(&mut self, id: Arc<str>, bytes: Bytes, expires_at: Option<Instant>) {
        self.age += 1;
        let state = State { bytes, age: self.age, expires_at };
        self.bytes += state.cost();
        self.by_age.insert(self.age, Arc::clone(&id));
        self.states.insert(id, state);
    }

    fn remove(&mut self, id: &str) -> Option<State> {
        let state = self.states.remove(id)?;
        self.by_age.remove(&state.age);
        self.bytes -= state.cost();
        Some(state)
    }

    fn oldest_is_expired(&self, now: Instant) -> bool {
        let oldest = self.by_age.first_key_value().and_then(|(_, id)| self.states.get(id));
        oldest.is_some_and(|state| state.is_expired(now))
    }

    fn evict(&mut self) {
        if let Some((_, id)) = self.by_age.pop_first() {
            if let Some(state) = self.states.remove(&id) {
                self.bytes -= state.cost();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn put(store: &MemoryStateStore, id: &str, bytes: usize, seconds: u64, now: Instant) {
        store.put_at(id, vec![0; bytes].into(), Duration::from_secs(seconds), now).unwrap();
    }

    #[test]
    fn state_is_available_until_taken_or_expired() {
        let (store, begin) = (MemoryStateStore::new(), Instant::now());
        put(&store, "a", 3, 10, begin);
        assert_eq!(store.get_at("a", begin).unwrap().len(), 3);
        assert!(store.get_at("a", begin + Duration::from_secs(9)).is_some());
        assert!(store.get_at("a", begin + Duration::from_secs(10)).is_none());
        assert!(store.get_at("b", begin).is_none());
        assert!(store.take_at("a", begin).is_some());
        assert!(store.take_at("a", begin).is_none() && store.get_at("a", begin).is_none());
        put(&store, "a", 3, 10, begin);
        assert!(store.take_at("a", begin + Duration::from_secs(10)).is_none());
        store.put_at("b", Bytes::new(), Duration::MAX, begin).unwrap();
        assert!(store.get_at("b", begin + HOUR).is_some());
    }

    #[test]
    fn oldest_state_is_evicted_when_store_is_full() {
        let begin = Instant::now();
        let few = MemoryStateStore::new().states(2);
        let small = MemoryStateStore::new().total_bytes(2 * (1000 + 256));
        for store in [few, small] {
            for id in ["a", "b", "c"] {
                put(&store, id, 1000, 10, begin);
            }
            let there = |id: &str| store.get_at(id, begin).is_some();
            assert!(!there("a") && there("b") && there("c"));
            put(&store, "b", 1000, 10, begin);
            put(&store, "d", 1000, 10, begin);
            assert!(!there("c") && there("b") && there("d"), "a second put resets the age");
        }
    }

    #[test]
    fn expired_states_are_evicted_on_put() {
        let (store, begin) = (MemoryStateStore::new().states(10), Instant::now());
        for n in 0..5 {
            put(&store, &n.to_string(), 10, 10, begin);
        }
        put(&store, "late", 10, 10, begin + Duration::from_secs(10));
        assert!(store.get_at("4", begin).is_none() && store.get_at("late", begin).is_some());
    }

    #[test]
    fn put_fails_without_eviction_when_state_exceeds_total_bytes() {
        let (store, begin) = (MemoryStateStore::new().total_bytes(1000), Instant::now());
        put(&store, "a", 10, 10, begin);
        let error = store.put_at("b", vec![0; 1000].into(), HOUR, begin).unwrap_err();
        assert!(error.to_string().contains("raise MemoryStateStore::total_bytes"), "{error}");
        assert!(store.get_at("a", begin).is_some());
    }
}
