//! All sessions of an endpoint, by id.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferromcp_core::Identity;

use super::session::{HttpSession, SessionGuard, now_millis};
use crate::era::legacy::Session;
use crate::random;

/// The number of shards. Requests of different sessions rarely contend for a lock.
const SHARDS: usize = 16;
/// The fraction (1/16) of the maximum that one eviction removes, so that evictions are rare.
const EVICTION_FRACTION: usize = 16;

type Shard = HashMap<Arc<str>, Arc<HttpSession>>;

/// The sessions of an endpoint.
pub(crate) struct Sessions {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    count: AtomicUsize,
    max: usize,
}

/// A new session, and the idle sessions that were ended for it.
pub(super) struct Added {
    pub(super) session: SessionGuard,
    pub(super) evicted: Vec<Arc<HttpSession>>,
}

impl Sessions {
    /// Creates an empty table for up to `max` sessions.
    pub(super) fn new(max: usize) -> Self {
        Self { shards: Default::default(), hasher: RandomState::new(), count: AtomicUsize::new(0), max }
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

    /// Adds a session. Returns `None` if the maximum is reached and no session is idle.
    ///
    /// # Errors
    /// If the system's random number generator fails.
    pub(super) fn add(&self, identity: Option<Identity>, negotiated: Session) -> io::Result<Option<Added>> {
        let mut evicted = Vec::new();
        if self.count.fetch_add(1, Ordering::AcqRel) >= self.max {
            evicted = self.evict();
            if evicted.is_empty() {
                self.count.fetch_sub(1, Ordering::AcqRel);
                return Ok(None);
            }
        }
        let id: Arc<str> = match random::id() {
            Ok(id) => id.into(),
            Err(error) => {
                self.count.fetch_sub(1, Ordering::AcqRel);
                return Err(error);
            }
        };
        let session = Arc::new(HttpSession::new(Arc::clone(&id), identity, negotiated));
        let guard = SessionGuard::new(Arc::clone(&session));
        self.shard(&id).insert(Arc::clone(&id), session);
        Ok(Some(Added { session: guard, evicted }))
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

    /// Ends the longest idle sessions, and returns them.
    fn evict(&self) -> Vec<Arc<HttpSession>> {
        let idle = self
            .shards
            .iter()
            .flat_map(|shard| lock(shard).values().filter_map(|session| session.idle_since()).collect::<Vec<_>>());
        let mut idle: Vec<u64> = idle.collect();
        if idle.is_empty() {
            return Vec::new();
        }
        let last = (self.max / EVICTION_FRACTION).min(idle.len() - 1);
        let (_, limit, _) = idle.select_nth_unstable(last);
        self.end_idle_since(*limit)
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

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(sessions: &Sessions) -> Option<SessionGuard> {
        sessions.add(None, Session::default()).unwrap().map(|added| added.session)
    }

    #[test]
    fn session_ids_are_unique_visible_ascii() {
        // S-174, S-175
        let sessions = Sessions::new(100);
        let guards: Vec<SessionGuard> = (0..100).map(|_| add(&sessions).unwrap()).collect();
        for (index, one) in guards.iter().enumerate() {
            assert!(one.id.len() >= 43 && one.id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
            assert!(guards[..index].iter().all(|other| other.id != one.id));
        }
    }

    #[test]
    fn session_is_not_found_when_the_identity_differs() {
        let sessions = Sessions::new(10);
        let (ann, bob) = (Identity::new("ann"), Identity::new("bob"));
        let Ok(Some(Added { session, .. })) = sessions.add(Some(ann.clone()), Session::default()) else { panic!() };
        assert!(sessions.find(&session.id, Some(&ann)).is_some());
        assert!(sessions.find(&session.id, Some(&bob)).is_none());
        assert!(sessions.find(&session.id, None).is_none());
    }

    #[test]
    fn evicts_only_idle_sessions_when_the_limit_is_reached() {
        let sessions = Sessions::new(32);
        let busy: Vec<SessionGuard> = (0..16).map(|_| add(&sessions).unwrap()).collect();
        let idle: Vec<Arc<str>> = (0..16).map(|_| Arc::clone(&add(&sessions).unwrap().id)).collect();
        assert!(add(&sessions).is_some());
        assert!(sessions.len() <= 32);
        assert!(idle.iter().any(|id| sessions.find(id, None).is_none()));
        assert!(busy.iter().all(|session| sessions.find(&session.id, None).is_some()));
    }

    #[test]
    fn rejects_a_session_when_the_limit_is_reached_and_none_is_idle() {
        let sessions = Sessions::new(2);
        let _busy = (add(&sessions).unwrap(), add(&sessions).unwrap());
        assert!(add(&sessions).is_none());
        assert_eq!(sessions.len(), 2);
    }

    #[test]
    fn idle_sessions_expire_after_timeout() {
        let sessions = Sessions::new(10);
        let busy = add(&sessions).unwrap();
        drop(add(&sessions));
        std::thread::sleep(Duration::from_millis(5));
        assert!(sessions.expire_idle(Duration::from_secs(60)).is_empty());
        assert_eq!(sessions.expire_idle(Duration::from_millis(1)).len(), 1);
        assert!(sessions.find(&busy.id, None).is_some());
        assert_eq!(sessions.len(), 1);
    }
}
