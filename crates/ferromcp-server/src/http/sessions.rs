//! All sessions of an endpoint, found by id.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferromcp_core::Identity;

use super::clock;
use super::session::{Busy, HttpSession};
use crate::era::legacy::Session;
use crate::random;

/// So that sessions used at once on many threads rarely meet.
const SHARDS: usize = 16;
/// What part of all sessions is ended at once to make room, so that making room is rarely needed.
const ROOM: usize = 16;

type Shard = HashMap<Arc<str>, Arc<HttpSession>>;

/// The sessions of an endpoint.
pub(crate) struct Sessions {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    count: AtomicUsize,
    most: usize,
}

/// A session that was begun, and those that were ended to make room for it.
pub(crate) struct Added {
    pub(crate) session: Busy,
    pub(crate) ended: Vec<Arc<HttpSession>>,
}

impl Sessions {
    /// Room for `most` sessions.
    pub(crate) fn new(most: usize) -> Self {
        Self { shards: Default::default(), hasher: RandomState::new(), count: AtomicUsize::new(0), most }
    }

    fn shard(&self, id: &str) -> MutexGuard<'_, Shard> {
        let number = usize::try_from(self.hasher.hash_one(id) % SHARDS as u64).unwrap_or_default();
        lock(&self.shards[number])
    }

    /// The session of this id, if it is `identity`'s. It is busy while the result lives.
    pub(crate) fn find(&self, id: &str, identity: Option<&Identity>) -> Option<Busy> {
        let shard = self.shard(id);
        let session = shard.get(id).filter(|session| session.identity.as_ref() == identity)?;
        Some(Busy::new(Arc::clone(session))) // under the lock, so that no sweep comes in between
    }

    /// A new session; `None` when there are too many and none is idle.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(crate) fn add(&self, identity: Option<Identity>, agreed: Session) -> io::Result<Option<Added>> {
        let mut ended = Vec::new();
        if self.count.fetch_add(1, Ordering::AcqRel) >= self.most {
            ended = self.end_longest_idle();
            if ended.is_empty() {
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
        let session = Arc::new(HttpSession::new(Arc::clone(&id), identity, agreed));
        let busy = Busy::new(Arc::clone(&session));
        self.shard(&id).insert(Arc::clone(&id), session);
        Ok(Some(Added { session: busy, ended }))
    }

    /// Takes a session away and ends it.
    pub(crate) fn end(&self, session: &HttpSession) {
        if self.shard(&session.id).remove(&session.id).is_some() {
            self.count.fetch_sub(1, Ordering::AcqRel);
        }
        session.end();
    }

    /// Ends sessions that were idle for `idle`; gives them.
    pub(crate) fn sweep(&self, idle: Duration) -> Vec<Arc<HttpSession>> {
        let idle = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
        let Some(limit) = clock::now().checked_sub(idle) else { return Vec::new() };
        self.end_idle(limit)
    }

    /// Ends all sessions.
    pub(crate) fn end_all(&self) -> Vec<Arc<HttpSession>> {
        self.take_if(|_| true)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    fn end_longest_idle(&self) -> Vec<Arc<HttpSession>> {
        let idle = self
            .shards
            .iter()
            .flat_map(|shard| lock(shard).values().filter_map(|session| session.idle_since()).collect::<Vec<_>>());
        let mut idle: Vec<u64> = idle.collect();
        if idle.is_empty() {
            return Vec::new();
        }
        let last = (self.most / ROOM).min(idle.len() - 1);
        let (_, limit, _) = idle.select_nth_unstable(last);
        self.end_idle(*limit)
    }

    /// Ends those that were last used at `limit` or before.
    fn end_idle(&self, limit: u64) -> Vec<Arc<HttpSession>> {
        self.take_if(|session| session.idle_since().is_some_and(|since| since <= limit))
    }

    fn take_if(&self, over: impl Fn(&HttpSession) -> bool) -> Vec<Arc<HttpSession>> {
        let mut taken = Vec::new();
        for shard in &self.shards {
            lock(shard).retain(|_, session| {
                let over = over(session);
                if over {
                    taken.push(Arc::clone(session));
                }
                !over
            });
        }
        self.count.fetch_sub(taken.len(), Ordering::AcqRel);
        for session in &taken {
            session.end();
        }
        taken
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(sessions: &Sessions) -> Option<Busy> {
        sessions.add(None, Session::default()).unwrap().map(|added| added.session)
    }

    #[test]
    fn ids_are_visible_ascii_and_differ() {
        // S-174, S-175
        let sessions = Sessions::new(100);
        let busy: Vec<Busy> = (0..100).map(|_| add(&sessions).unwrap()).collect();
        for (place, one) in busy.iter().enumerate() {
            assert!(one.id.len() >= 43 && one.id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
            assert!(busy[..place].iter().all(|other| other.id != one.id));
        }
    }

    #[test]
    fn a_session_belongs_to_who_opened_it() {
        let sessions = Sessions::new(10);
        let (ann, bob) = (Identity::new("ann"), Identity::new("bob"));
        let Ok(Some(Added { session, .. })) = sessions.add(Some(ann.clone()), Session::default()) else { panic!() };
        assert!(sessions.find(&session.id, Some(&ann)).is_some());
        assert!(sessions.find(&session.id, Some(&bob)).is_none());
        assert!(sessions.find(&session.id, None).is_none());
    }

    #[test]
    fn the_longest_idle_makes_room_and_the_busy_stay() {
        let sessions = Sessions::new(32);
        let busy: Vec<Busy> = (0..16).map(|_| add(&sessions).unwrap()).collect();
        let idle: Vec<Arc<str>> = (0..16).map(|_| Arc::clone(&add(&sessions).unwrap().id)).collect();
        assert!(add(&sessions).is_some());
        assert!(sessions.len() <= 32);
        assert!(idle.iter().any(|id| sessions.find(id, None).is_none()));
        assert!(busy.iter().all(|session| sessions.find(&session.id, None).is_some()));
    }

    #[test]
    fn no_room_among_the_busy() {
        let sessions = Sessions::new(2);
        let _busy = (add(&sessions).unwrap(), add(&sessions).unwrap());
        assert!(add(&sessions).is_none());
        assert_eq!(sessions.len(), 2);
    }

    #[test]
    fn idle_sessions_are_swept() {
        let sessions = Sessions::new(10);
        let busy = add(&sessions).unwrap();
        drop(add(&sessions));
        std::thread::sleep(Duration::from_millis(5));
        assert!(sessions.sweep(Duration::from_secs(60)).is_empty());
        assert_eq!(sessions.sweep(Duration::from_millis(1)).len(), 1);
        assert!(sessions.find(&busy.id, None).is_some());
        assert_eq!(sessions.len(), 1);
    }
}
