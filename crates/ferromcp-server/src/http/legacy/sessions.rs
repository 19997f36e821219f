//! All sessions of an endpoint, by id.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferromcp_core::Identity;

use super::session::{HttpSession, SessionGuard, now_millis};
use super::session_source::{RateLimit, Source};
use crate::era::legacy::Session;
use crate::random;

/// The number of shards. Requests of different sessions rarely contend for a lock.
const SHARDS: usize = 16;
/// The fraction (1/16) of the maximum that one eviction of the client's own or unused sessions removes, so that these
/// evictions are rare.
const EVICTION_FRACTION: usize = 16;
/// How many sessions of other connections one origin may evict at once, and per second.
const EVICTIONS: (u32, u32) = (64, 10);
/// The fraction (1/4) of the maximum that one origin may start at once, and the time in seconds for the maximum after
/// that.
const START_FRACTION: usize = 4;
const START_SECONDS: usize = 60;
/// The least number of sessions that one origin may start at once, and per second.
const MIN_STARTS: (usize, usize) = (64, 10);

type Shard = HashMap<Arc<str>, Arc<HttpSession>>;

/// The sessions of an endpoint.
pub(crate) struct Sessions {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    count: AtomicUsize,
    max: usize,
    starts: RateLimit,
    evictions: RateLimit,
}

/// Why a session cannot be added.
#[derive(Debug)]
pub(super) enum NotAdded {
    /// The maximum is reached, and no session may be evicted.
    Full,
    /// The client starts sessions too fast.
    TooFast,
    /// The system's random number generator failed.
    NoRandomNumbers(io::Error),
}

/// The order in which idle sessions are evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EvictionClass {
    /// The session was started on the connection of the new session.
    SameConnection,
    /// The handshake is incomplete.
    Uninitialized,
    /// The session has the principal or address of the new session.
    SameOrigin,
    /// Any other session.
    Other,
}

/// A new session, and the idle sessions that were ended for it.
pub(super) struct Added {
    pub(super) session: SessionGuard,
    pub(super) evicted: Vec<Arc<HttpSession>>,
}

impl Sessions {
    /// Creates an empty table for up to `max` sessions.
    pub(super) fn new(max: usize) -> Self {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let burst = count((max / START_FRACTION).max(MIN_STARTS.0));
        let per_second = count((max / START_SECONDS).max(MIN_STARTS.1));
        Self {
            shards: Default::default(),
            hasher: RandomState::new(),
            count: AtomicUsize::new(0),
            max,
            starts: RateLimit::new(burst, per_second),
            evictions: RateLimit::new(EVICTIONS.0, EVICTIONS.1),
        }
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, Shard> {
        let number = usize::try_from(self.hasher.hash_one(id) % SHARDS as u64).unwrap_or_default();
        lock(&self.shards[number])
    }

    /// Returns the session with this id if `identity` started it. It does not expire while the guard exists.
    pub(super) fn find(&self, id: &str, identity: Option<&Identity>) -> Option<SessionGuard> {
        let shard = self.shard(id);
        let session = shard.get(id).filter(|session| session.identity.as_ref() == identity)?;
        Some(SessionGuard::new(Arc::clone(session))) // under the lock, so that no session expires in between
    }

    /// Adds a session from `source`. If the maximum is reached, evicts idle sessions: first those that were started on the
    /// same connection, then those without a complete handshake, then those of the same principal or address, then
    /// others; the longest idle first.
    ///
    /// # Errors
    /// If no session may be evicted, the client starts sessions too fast, or the system's random number generator fails.
    pub(super) fn add(
        &self,
        identity: Option<Identity>,
        source: Source,
        negotiated: Session,
    ) -> Result<Added, NotAdded> {
        if !self.starts.take(source.origin.as_ref()) {
            return Err(NotAdded::TooFast);
        }
        let id: Arc<str> = random::id().map_err(NotAdded::NoRandomNumbers)?.into();
        let mut evicted = Vec::new();
        if self.count.fetch_add(1, Ordering::AcqRel) >= self.max {
            evicted = self.evict_for(&source).inspect_err(|_| {
                self.count.fetch_sub(1, Ordering::AcqRel);
            })?;
        }
        let session = Arc::new(HttpSession::new(Arc::clone(&id), identity, source, negotiated));
        let guard = SessionGuard::new(Arc::clone(&session));
        self.shard(&id).insert(Arc::clone(&id), session);
        Ok(Added { session: guard, evicted })
    }

    /// Removes a session and ends it.
    pub(super) fn end(&self, session: &HttpSession) {
        if self.shard(&session.id).remove(&session.id).is_some() {
            self.count.fetch_sub(1, Ordering::AcqRel);
        }
        session.end();
    }

    /// Ends the sessions that were idle for `idle`, and returns them.
    pub(super) fn expire_idle(&self, idle: Duration) -> Vec<Arc<HttpSession>> {
        let idle = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        let Some(limit) = now_millis().checked_sub(idle) else { return Vec::new() };
        self.end_idle_since(limit)
    }

    /// Ends all sessions, and returns them.
    pub(crate) fn end_all(&self) -> Vec<Arc<HttpSession>> {
        self.end_if(|_| true)
    }

    /// Returns the number of sessions.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Ends the idle sessions that make room for one from `source`, and returns them.
    fn evict_for(&self, source: &Source) -> Result<Vec<Arc<HttpSession>>, NotAdded> {
        let candidate = |session: &HttpSession| Some((EvictionClass::of(session, source), session.idle_since()?));
        let mut idle: Vec<(EvictionClass, u64)> = Vec::new();
        for shard in &self.shards {
            idle.extend(lock(shard).values().filter_map(|session| candidate(session)));
        }
        let class = idle.iter().map(|(class, _)| *class).min().ok_or(NotAdded::Full)?;
        let count = match class {
            EvictionClass::SameConnection | EvictionClass::Uninitialized => (self.max / EVICTION_FRACTION).max(1),
            EvictionClass::SameOrigin | EvictionClass::Other if self.evictions.take(source.origin.as_ref()) => 1,
            EvictionClass::SameOrigin | EvictionClass::Other => return Err(NotAdded::TooFast),
        };
        idle.retain(|(other, _)| *other == class);
        let last = count.min(idle.len()) - 1;
        let (_, (_, limit), _) = idle.select_nth_unstable(last);
        let (limit, left) = (*limit, Cell::new(count));
        let evicted = self.end_if(|session| {
            let is_evicted =
                left.get() > 0 && candidate(session).is_some_and(|(other, since)| other == class && since <= limit);
            left.set(left.get() - usize::from(is_evicted));
            is_evicted
        });
        if evicted.is_empty() { Err(NotAdded::Full) } else { Ok(evicted) }
    }

    /// Ends the idle sessions whose last use was at `limit` or earlier.
    fn end_idle_since(&self, limit: u64) -> Vec<Arc<HttpSession>> {
        self.end_if(|session| session.idle_since().is_some_and(|since| since <= limit))
    }

    fn end_if(&self, predicate: impl Fn(&HttpSession) -> bool) -> Vec<Arc<HttpSession>> {
        let mut removed = Vec::new();
        for shard in &self.shards {
            lock(shard).retain(|_, session| {
                let is_removed = predicate(session);
                if is_removed {
                    removed.push(Arc::clone(session));
                }
                !is_removed
            });
        }
        self.count.fetch_sub(removed.len(), Ordering::AcqRel);
        for session in &removed {
            session.end();
        }
        removed
    }
}

impl EvictionClass {
    /// Returns the class of a session when a session from `source` is added.
    fn of(session: &HttpSession, source: &Source) -> Self {
        let is_same = |connection: Option<u64>| connection.is_some() && connection == source.connection;
        if is_same(session.source.connection) {
            Self::SameConnection
        } else if !session.initialized.is_set() {
            Self::Uninitialized
        } else if source.origin.is_some() && session.source.origin == source.origin {
            Self::SameOrigin
        } else {
            Self::Other
        }
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
