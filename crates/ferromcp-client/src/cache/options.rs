//! Cache configuration of a client.

use std::{fmt, sync::Arc, time::Duration};

use ferromcp_core::Str;

use super::{
    clock::Clock,
    memory::{DEFAULT_TOTAL_BYTES, MemoryStore},
    result_cache::ResultCache,
    store::CacheStore,
};

/// Default maximum time-to-live of a result: one day.
pub const DEFAULT_MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Cache configuration of a client. Default: in memory, with the `ttlMs` of the server, without stale results.
///
/// ```
/// use std::time::Duration;
/// use ferromcp_client::{Client, cache::CacheOptions};
/// let builder = Client::builder("demo", "1.0.0").cache(CacheOptions::new().stale_if_error(Duration::from_secs(600)));
/// ```
#[derive(Clone)]
#[must_use]
pub struct CacheOptions {
    total_bytes: usize,
    shared: Option<(Str, Arc<dyn CacheStore>)>,
    clock: Option<Clock>,
    max_ttl: Duration,
    stale_if_error: Duration,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            total_bytes: DEFAULT_TOTAL_BYTES,
            shared: None,
            clock: None,
            max_ttl: DEFAULT_MAX_TTL,
            stale_if_error: Duration::ZERO,
        }
    }
}

impl CacheOptions {
    /// Creates the default configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum total size of the in-memory store of each server, in bytes. Default: 16 MiB. If it is exceeded,
    /// the least recently used results are evicted. Has no effect with [`store`](Self::store).
    pub fn total_bytes(mut self, bytes: usize) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// Uses a custom store, which may be shared. `server` identifies the server in the store and must be unique, so a
    /// builder that connects to several servers needs one configuration per server.
    pub fn store(mut self, server: impl Into<Str>, store: Arc<dyn CacheStore>) -> Self {
        self.shared = Some((server.into(), store));
        self
    }

    /// Replaces the clock, for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Sets the maximum time-to-live, which caps the `ttlMs` of the server. Default: [`DEFAULT_MAX_TTL`].
    pub fn max_ttl(mut self, time: Duration) -> Self {
        self.max_ttl = time;
        self
    }

    /// Sets how long a stale result may be used when the server is unavailable. Default: zero. Invalidated results are
    /// never used.
    pub fn stale_if_error(mut self, time: Duration) -> Self {
        self.stale_if_error = time;
        self
    }

    /// Builds the cache of the server `name`.
    pub(crate) fn build(&self, name: String) -> ResultCache {
        let (server, store) = match &self.shared {
            Some((server, store)) => (server.clone(), Arc::clone(store)),
            None => (Str::from(name), Arc::new(MemoryStore::new().total_bytes(self.total_bytes)) as _),
        };
        let mut cache = ResultCache::new(server, store);
        (cache.max_ttl, cache.stale_if_error) = (self.max_ttl, self.stale_if_error);
        if let Some(clock) = &self.clock {
            cache.clock = clock.clone();
        }
        cache
    }
}

impl fmt::Debug for CacheOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheOptions")
            .field("total_bytes", &self.total_bytes)
            .field("server", &self.shared.as_ref().map(|(server, _)| server))
            .field("max_ttl", &self.max_ttl)
            .field("stale_if_error", &self.stale_if_error)
            .finish_non_exhaustive()
    }
}
