//! The cached results of one server: expiry, partitions by principal, and invalidation.
//!
//! The cache sends no requests and runs no tasks: the caller looks up a result before a request, and inserts the result
//! afterwards.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ferromcp_core::{
    Str,
    model::{CacheHint, CacheScope},
};
use tokio::sync::Mutex as AsyncMutex;

use super::{
    clock::{Clock, millis},
    key::{CacheKey, Invalidation, Topic},
    store::{CacheStore, StoreKey, StoredEntry},
};
use crate::subscription::change::Change;

/// Maximum number of queued invalidations; on overflow, everything is invalidated.
const MAX_QUEUED: usize = 64;

/// The cached results of one server.
///
/// Private results are partitioned by principal: a text that identifies the authorization, for example a digest of the
/// access token. Without authorization, as on stdio, the principal is the empty string.
pub(crate) struct ResultCache {
    pub(super) server: Str,
    pub(super) store: Arc<dyn CacheStore>,
    pub(super) clock: Clock,
    /// Upper bound of the time-to-live.
    pub(super) max_ttl: Duration,
    /// How long a stale result may be used when a request fails.
    pub(super) stale_if_error: Duration,
    state: Mutex<State>,
    /// Held while queued invalidations are applied, which every access does first.
    applying: AsyncMutex<()>,
}

/// Invalidations. The state is changed at once; the store is changed later, because `invalidate` must not block.
#[derive(Default)]
struct State {
    topics: [TopicState; Topic::ALL.len()],
    last_id: u64,
    /// Invalidations that the store has not applied yet.
    queue: Vec<(u64, Invalidation)>,
}

/// Invalidation state of one topic.
#[derive(Debug, Clone, Copy, Default)]
struct TopicState {
    /// Number of invalidations.
    count: u64,
    /// Set when the store failed to remove entries: entries received up to this time are ignored.
    ignore_until: Option<u64>,
}

/// Result of a cache lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// A fresh result, which replaces a request.
    Fresh(Str),
    /// A stale result, which may be used if the request fails. Only with [`ResultCache::stale_if_error`].
    Stale(Str),
    /// No usable result.
    Miss,
}

/// A result that was requested, and the state of the cache before. It is not cached if it was invalidated since.
#[derive(Debug)]
pub(crate) struct PendingResult {
    key: CacheKey,
    principal: String,
    /// The number of invalidations before the request.
    count: u64,
}

impl PendingResult {
    /// Returns the principal of the request.
    pub(crate) fn principal(&self) -> &str {
        &self.principal
    }
}

impl ResultCache {
    /// Creates a cache on a store, which may be shared with other servers. By default, the time-to-live is unbounded, and
    /// stale results are not used.
    pub(super) fn new(server: Str, store: Arc<dyn CacheStore>) -> Self {
        Self {
            server,
            store,
            clock: Clock::default(),
            max_ttl: Duration::MAX,
            stale_if_error: Duration::ZERO,
            state: Mutex::default(),
            applying: AsyncMutex::new(()),
        }
    }

    /// Looks up the result for `key` and `principal`.
    pub(crate) async fn get(&self, key: &CacheKey, principal: &str) -> Lookup {
        self.apply_invalidations().await;
        let private = self.get_stored(key, Some(principal)).await;
        if let Lookup::Fresh(_) = private {
            return private;
        }
        match self.get_stored(key, None).await {
            Lookup::Miss => private,
            public => public,
        }
    }

    /// Records the state before a request. Pass it to [`insert`](Self::insert) with the result.
    pub(crate) fn begin(&self, key: CacheKey, principal: String) -> PendingResult {
        let count = self.state().topics[key.topic() as usize].count;
        PendingResult { key, principal, count }
    }

    /// Caches a complete result, unless it was invalidated since [`begin`](Self::begin).
    pub(crate) async fn insert(&self, pending: &PendingResult, result: &str, hint: CacheHint) {
        let ttl = hint.ttl_ms.min(millis(self.max_ttl));
        if ttl == 0 && self.stale_if_error.is_zero() {
            return;
        }
        self.apply_invalidations().await;
        if self.is_outdated(pending) {
            return;
        }
        let received = self.clock.now();
        let fresh_until = received.saturating_add(ttl);
        let entry = StoredEntry {
            result: result.into(),
            received,
            fresh_until,
            evict_after: fresh_until.saturating_add(millis(self.stale_if_error)),
        };
        let mut stored = pending.key.to_store_key(&self.server, Some(&pending.principal));
        let mut other = pending.key.to_store_key(&self.server, None);
        if hint.scope == CacheScope::Public {
            std::mem::swap(&mut stored, &mut other);
        }
        // The scope of a result may have changed, so remove the entry of the other scope.
        self.log_failure("remove", self.store.remove(&other).await);
        self.log_failure("store", self.store.put(stored.clone(), entry).await);
        // An invalidation during the write may have missed the new entry.
        if self.is_outdated(pending) {
            self.log_failure("remove", self.store.remove(&stored).await);
        }
    }

    /// Invalidates results after a change on the server. Does not block: the store applies it before the next access.
    pub(crate) fn invalidate(&self, change: &Change) {
        self.enqueue(Invalidation::of(change));
    }

    /// Invalidates all pages of the list that `key` belongs to, after the server rejected a cursor.
    pub(crate) async fn invalidate_pages(&self, key: &CacheKey) {
        self.enqueue(Invalidation::pages(key));
        self.apply_invalidations().await;
    }

    fn enqueue(&self, mut invalidation: Invalidation) {
        let mut state = self.state();
        if state.queue.len() >= MAX_QUEUED {
            state.queue.clear();
            invalidation = Invalidation::Everything;
        }
        for &topic in invalidation.topics() {
            state.topics[topic as usize].count += 1;
        }
        state.last_id += 1;
        let id = state.last_id;
        state.queue.push((id, invalidation));
    }

    async fn apply_invalidations(&self) {
        let _applying = self.applying.lock().await;
        loop {
            // Remove an entry only after it was applied, because this future may be dropped at the await.
            let next = self.state().queue.first().cloned();
            let Some((id, invalidation)) = next else { return };
            self.apply(&invalidation).await;
            self.state().queue.retain(|(other, _)| *other != id);
        }
    }

    async fn apply(&self, invalidation: &Invalidation) {
        let covers = |key: &StoreKey| key.server == self.server && invalidation.covers(key);
        if let Err(error) = self.store.remove_matching(&self.server, Box::new(covers)).await {
            let now = self.clock.now();
            let mut state = self.state();
            for &topic in invalidation.topics() {
                state.topics[topic as usize].ignore_until = Some(now);
            }
            tracing::warn!(%error, "cannot remove invalidated results from the cache store; ignoring older results");
        }
    }

    async fn get_stored(&self, key: &CacheKey, partition: Option<&str>) -> Lookup {
        let stored = key.to_store_key(&self.server, partition);
        let entry = match self.store.get(&stored).await {
            Ok(Some(entry)) => entry,
            Ok(None) => return Lookup::Miss,
            Err(error) => {
                self.log_failure("look up", Err(error));
                return Lookup::Miss;
            }
        };
        let now = self.clock.now();
        let ignore_until = self.state().topics[key.topic() as usize].ignore_until;
        if ignore_until.is_some_and(|since| entry.received <= since) {
            return Lookup::Miss;
        }
        // An entry from the future was stored before the clock was set back; treat it as stale.
        if now < entry.fresh_until && entry.received <= now {
            return Lookup::Fresh(entry.result);
        }
        if !self.stale_if_error.is_zero() && now < entry.evict_after {
            return Lookup::Stale(entry.result);
        }
        self.log_failure("remove", self.store.remove(&stored).await);
        Lookup::Miss
    }

    fn is_outdated(&self, pending: &PendingResult) -> bool {
        self.state().topics[pending.key.topic() as usize].count != pending.count
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs a failure of the store, which only costs a cache miss.
    fn log_failure(&self, action: &str, outcome: std::io::Result<()>) {
        if let Err(error) = outcome {
            tracing::debug!(server = &*self.server, %error, "cannot {action} a cached result");
        }
    }
}

impl fmt::Debug for ResultCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultCache").field("server", &self.server).finish_non_exhaustive()
    }
}
