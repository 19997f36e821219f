//! A cache of results, with the time-to-live that the server sets.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>. The cache sends no
//! requests and runs no tasks: the caller looks up a result before a request, and inserts the result afterwards.
//! Servers of legacy revisions send no cache hints, so their results are not cached.
//!
//! | module | content |
//! |---|---|
//! | `key` | cache keys, and invalidation |
//! | `clock` | a clock that tests can replace |
//! | `store` | the storage trait |
//! | `memory` | the bounded in-memory store |
//! | `options` | cache configuration of a client |

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ferromcp_core::model::CacheScope;

mod clock;
mod key;
mod memory;
mod options;
mod store;

pub use clock::Clock;
pub use key::{CacheKey, Invalidation, Topic};
pub use memory::{CacheLimits, MemoryStore};
pub use options::CacheOptions;
pub use store::{CacheFuture, CacheStore, StoreKey, StoredEntry};

use clock::millis;
use key::TOPICS;

/// Default maximum time-to-live of a result: one day.
pub const DEFAULT_MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// The cached results of one server.
///
/// Private results are partitioned by principal: a string derived from the authorization, for example a digest of the
/// access token. Without authorization, as on stdio, the principal is the empty string.
///
/// ```
/// use ferromcp_client::cache::{Cache, CacheEntry, CacheKey, Invalidation, Lookup, Topic};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cache = Cache::new("https://example.com/mcp");
/// let key = CacheKey::page(Topic::Tools, None);
/// let generation = cache.generation(&key); // before the request is sent
/// cache.insert(generation, &key, "", CacheEntry::new(r#"{"tools":[]}"#).ttl_ms(60_000)).await;
/// assert!(matches!(cache.get(&key, "").await, Lookup::Fresh(_)));
/// cache.invalidate(&Invalidation::List(Topic::Tools)).await;
/// assert!(matches!(cache.get(&key, "").await, Lookup::Miss));
/// # }
/// ```
#[derive(Clone)]
pub struct Cache {
    server: Arc<str>,
    store: Arc<dyn CacheStore>,
    clock: Clock,
    max_ttl: Duration,
    stale_if_error: Duration,
    changes: Arc<Mutex<[Changes; TOPICS]>>,
}

/// Invalidation state of one topic.
#[derive(Debug, Clone, Copy, Default)]
struct Changes {
    /// Number of invalidations.
    count: u64,
    /// Set when the store failed to remove entries: entries received up to this time are ignored.
    ignore_until: Option<u64>,
}

/// Result of a cache lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A fresh result, which replaces a request.
    Fresh(Arc<str>),
    /// A stale result, which may be used if the request fails. Only with [`Cache::stale_if_error`].
    Stale(Arc<str>),
    /// No usable result.
    Miss,
}

/// The number of invalidations when a request was sent. A result is not cached if it has changed since.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Generation(u64);

/// A received result with its cache hints.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct CacheEntry<'a> {
    result: &'a str,
    ttl_ms: u64,
    scope: CacheScope,
    complete: bool,
    retry: bool,
}

impl<'a> CacheEntry<'a> {
    /// Creates an entry from the JSON of a complete result, without hints: private, with a time-to-live of zero.
    pub fn new(result: &'a str) -> Self {
        Self { result, ttl_ms: 0, scope: CacheScope::Private, complete: true, retry: false }
    }

    /// Sets the `ttlMs` hint. `None` means zero.
    pub fn ttl_ms(mut self, hint: impl Into<Option<u64>>) -> Self {
        self.ttl_ms = hint.into().unwrap_or(0);
        self
    }

    /// Sets the `cacheScope` hint. `None` means private.
    pub fn scope(mut self, hint: impl Into<Option<CacheScope>>) -> Self {
        self.scope = hint.into().unwrap_or_default();
        self
    }

    /// Marks the result as `input_required`, which is never cached.
    pub fn input_required(mut self) -> Self {
        self.complete = false;
        self
    }

    /// Marks the result as that of a request with `inputResponses` or `requestState`, which is never cached.
    pub fn for_retry(mut self) -> Self {
        self.retry = true;
        self
    }
}

impl Cache {
    /// Creates an empty in-memory cache for a server, identified for example by its URL.
    pub fn new(server: impl Into<Arc<str>>) -> Self {
        Self::with_store(server, Arc::new(MemoryStore::default()))
    }

    /// Creates a cache on a store, which may be shared with other servers.
    pub fn with_store(server: impl Into<Arc<str>>, store: Arc<dyn CacheStore>) -> Self {
        Self {
            server: server.into(),
            store,
            clock: Clock::default(),
            max_ttl: DEFAULT_MAX_TTL,
            stale_if_error: Duration::ZERO,
            changes: Arc::default(),
        }
    }

    /// Replaces the clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the maximum time-to-live, which caps the `ttlMs` of the server. Default: [`DEFAULT_MAX_TTL`].
    #[must_use]
    pub fn max_ttl(mut self, time: Duration) -> Self {
        self.max_ttl = time;
        self
    }

    /// Sets how long a stale result may be used when a request fails. Default: zero. Invalidated results are never
    /// used.
    #[must_use]
    pub fn stale_if_error(mut self, time: Duration) -> Self {
        self.stale_if_error = time;
        self
    }

    /// Returns the current generation. Get it before sending a request, and pass it to [`insert`](Self::insert).
    pub fn generation(&self, key: &CacheKey) -> Generation {
        Generation(self.changes_of(key.topic(), |changes| changes.count))
    }

    /// Looks up the result for `key` and `principal`.
    pub async fn get(&self, key: &CacheKey, principal: &str) -> Lookup {
        let private = self.get_stored(&self.key(key, Some(principal))).await;
        if let Lookup::Fresh(_) = private {
            return private;
        }
        match self.get_stored(&self.key(key, None)).await {
            Lookup::Miss => private,
            public => public,
        }
    }

    /// Caches a result for `key` and `principal`, if it is cacheable and was not invalidated since `generation`.
    pub async fn insert(&self, generation: Generation, key: &CacheKey, principal: &str, entry: CacheEntry<'_>) {
        let ttl = entry.ttl_ms.min(millis(self.max_ttl));
        let has_lifetime = ttl > 0 || !self.stale_if_error.is_zero();
        if !entry.complete || entry.retry || !has_lifetime || self.is_outdated(generation, key) {
            return;
        }
        let received = self.clock.now();
        let fresh_until = received.saturating_add(ttl);
        let stored_entry = StoredEntry {
            result: entry.result.into(),
            received,
            fresh_until,
            evict_after: fresh_until.saturating_add(millis(self.stale_if_error)),
        };
        let (mut stored, mut other) = (self.key(key, Some(principal)), self.key(key, None));
        if entry.scope == CacheScope::Public {
            std::mem::swap(&mut stored, &mut other);
        }
        // The scope of a result may have changed, so remove the entry of the other scope.
        self.log_failure("remove", self.store.remove(&other).await);
        self.log_failure("store", self.store.put(stored.clone(), stored_entry).await);
        // An invalidation during the write may have missed the new entry.
        if self.is_outdated(generation, key) {
            self.log_failure("remove", self.store.remove(&stored).await);
        }
    }

    /// Invalidates results after a change on the server.
    pub async fn invalidate(&self, change: &Invalidation) {
        for &topic in change.topics() {
            self.changes_of(topic, |changes| changes.count += 1);
        }
        let server = Arc::clone(&self.server);
        let covers = {
            let change = change.clone();
            move |key: &StoreKey| *key.server == *server && change.covers(&key.key)
        };
        if let Err(error) = self.store.remove_matching(Box::new(covers)).await {
            let now = self.clock.now();
            for &topic in change.topics() {
                self.changes_of(topic, |changes| changes.ignore_until = Some(now));
            }
            tracing::warn!(%error, "cannot remove invalidated results from the cache store; ignoring older results");
        }
    }

    /// Invalidates all pages of the list that `key` belongs to, after the server rejected a cursor.
    pub async fn invalidate_pages(&self, key: &CacheKey) {
        self.invalidate(&Invalidation::Pages(key.topic())).await;
    }

    async fn get_stored(&self, key: &StoreKey) -> Lookup {
        let entry = match self.store.get(key).await {
            Ok(Some(entry)) => entry,
            Ok(None) => return Lookup::Miss,
            Err(error) => {
                self.log_failure("look up", Err(error));
                return Lookup::Miss;
            }
        };
        let now = self.clock.now();
        if self.changes_of(key.key.topic(), |changes| changes.ignore_until.is_some_and(|since| entry.received <= since))
        {
            return Lookup::Miss;
        }
        // An entry from the future was stored before the clock was set back; treat it as stale.
        if now < entry.fresh_until && entry.received <= now {
            return Lookup::Fresh(entry.result);
        }
        if !self.stale_if_error.is_zero() && now < entry.evict_after {
            return Lookup::Stale(entry.result);
        }
        self.log_failure("remove", self.store.remove(key).await);
        Lookup::Miss
    }

    fn is_outdated(&self, generation: Generation, key: &CacheKey) -> bool {
        self.changes_of(key.topic(), |changes| changes.count != generation.0)
    }

    fn key(&self, key: &CacheKey, partition: Option<&str>) -> StoreKey {
        StoreKey { server: Arc::clone(&self.server), partition: partition.map(Arc::from), key: key.clone() }
    }

    fn changes_of<T>(&self, topic: Topic, look: impl FnOnce(&mut Changes) -> T) -> T {
        look(&mut self.changes.lock().unwrap_or_else(PoisonError::into_inner)[topic as usize])
    }

    /// Logs a failure of the store, which only costs a cache miss.
    fn log_failure(&self, action: &str, outcome: std::io::Result<()>) {
        if let Err(error) = outcome {
            tracing::debug!(server = &*self.server, %error, "cannot {action} a cached result");
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("server", &self.server).finish_non_exhaustive()
    }
}
