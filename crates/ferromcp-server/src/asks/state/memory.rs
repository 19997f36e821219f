//! The store of states that needs nothing but memory, and never more of it than it was given.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::ready;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::store::{StateStore, StoreFuture};

/// What a state counts beside its bytes.
const STATE_COST: usize = 256;

/// Keeps states in this process, within bounds. What goes beyond a bound pushes out the oldest, whose call then has to
/// begin again.
///
/// ```
/// use ferromcp_server::asks::state::{MemoryStates, StateOptions};
///
/// let options = StateOptions::new().store(MemoryStates::new().total_bytes(16 << 20));
/// ```
#[must_use = "a store keeps nothing until it is put into StateOptions"]
pub struct MemoryStates {
    states: usize,
    total_bytes: usize,
    kept: Mutex<Kept>,
}

/// Everything that is kept.
#[derive(Default)]
struct Kept {
    states: HashMap<Arc<str>, State>,
    /// The ids by age, oldest first.
    by_age: BTreeMap<u64, Arc<str>>,
    /// The age that the next state gets.
    age: u64,
    bytes: usize,
}

struct State {
    bytes: Bytes,
    age: u64,
    /// When its time is over; `None` if that is beyond what a clock can say.
    until: Option<Instant>,
}

impl Default for MemoryStates {
    fn default() -> Self {
        Self { states: 16_384, total_bytes: 64 << 20, kept: Mutex::default() }
    }
}

impl MemoryStates {
    /// A store with the default bounds.
    pub fn new() -> Self {
        Self::default()
    }

    /// The most states; at least 1. 16,384 unless set.
    pub fn states(mut self, states: usize) -> Self {
        self.states = states;
        self
    }

    /// The most bytes of all states together, with what keeping them costs. 64 MiB unless set.
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.total_bytes = bytes;
        self
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put_at(&self, id: &str, bytes: Bytes, ttl: Duration, now: Instant) -> io::Result<()> {
        if bytes.len().saturating_add(STATE_COST) > self.total_bytes {
            let message = format!("a state of {} bytes does not fit; raise MemoryStates::total_bytes", bytes.len());
            return Err(io::Error::other(message));
        }
        let mut kept = self.kept();
        kept.remove(id);
        kept.insert(id.into(), bytes, now.checked_add(ttl));
        while kept.oldest_is_over(now) || kept.states.len() > self.states.max(1) || kept.bytes > self.total_bytes {
            kept.evict();
        }
        Ok(())
    }

    pub(super) fn get_at(&self, id: &str, now: Instant) -> Option<Bytes> {
        let kept = self.kept();
        kept.states.get(id).filter(|state| !state.is_over(now)).map(|state| state.bytes.clone())
    }

    pub(super) fn take_at(&self, id: &str, now: Instant) -> Option<Bytes> {
        let taken = self.kept().remove(id)?;
        (!taken.is_over(now)).then_some(taken.bytes)
    }
}

impl fmt::Debug for MemoryStates {
    /// Neither states nor their ids.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStates")
            .field("states", &self.states)
            .field("total_bytes", &self.total_bytes)
            .finish_non_exhaustive()
    }
}

impl StateStore for MemoryStates {
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
    fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    fn cost(&self) -> usize {
        self.bytes.len() + STATE_COST
    }
}

impl Kept {
    fn insert(&mut self, id: Arc<str>, bytes: Bytes, until: Option<Instant>) {
        self.age += 1;
        let state = State { bytes, age: self.age, until };
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

    fn oldest_is_over(&self, now: Instant) -> bool {
        let oldest = self.by_age.first_key_value().and_then(|(_, id)| self.states.get(id));
        oldest.is_some_and(|state| state.is_over(now))
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

    fn put(store: &MemoryStates, id: &str, bytes: usize, seconds: u64, now: Instant) {
        store.put_at(id, vec![0; bytes].into(), Duration::from_secs(seconds), now).unwrap();
    }

    #[test]
    fn a_state_is_there_until_it_is_taken_or_its_time_is_over() {
        let (store, begin) = (MemoryStates::new(), Instant::now());
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
    fn the_oldest_gives_way() {
        let begin = Instant::now();
        let few = MemoryStates::new().states(2);
        let small = MemoryStates::new().total_bytes(2 * (1000 + 256));
        for store in [few, small] {
            for id in ["a", "b", "c"] {
                put(&store, id, 1000, 10, begin);
            }
            let there = |id: &str| store.get_at(id, begin).is_some();
            assert!(!there("a") && there("b") && there("c"));
            put(&store, "b", 1000, 10, begin);
            put(&store, "d", 1000, 10, begin);
            assert!(!there("c") && there("b") && there("d"), "what was put again is young again");
        }
    }

    #[test]
    fn what_is_over_gives_way_without_being_asked_for() {
        let (store, begin) = (MemoryStates::new().states(10), Instant::now());
        for n in 0..5 {
            put(&store, &n.to_string(), 10, 10, begin);
        }
        put(&store, "late", 10, 10, begin + Duration::from_secs(10));
        assert!(store.get_at("4", begin).is_none() && store.get_at("late", begin).is_some());
    }

    #[test]
    fn what_never_fits_is_an_error_and_pushes_nothing_out() {
        let (store, begin) = (MemoryStates::new().total_bytes(1000), Instant::now());
        put(&store, "a", 10, 10, begin);
        let error = store.put_at("b", vec![0; 1000].into(), HOUR, begin).unwrap_err();
        assert!(error.to_string().contains("raise MemoryStates::total_bytes"), "{error}");
        assert!(store.get_at("a", begin).is_some());
    }
}
