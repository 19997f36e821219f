//! Cache configuration of a client.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    Cache, Clock, DEFAULT_MAX_TTL,
    memory::{CacheLimits, MemoryStore},
    store::CacheStore,
};

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
    limits: CacheLimits,
    shared: Option<(Arc<str>, Arc<dyn CacheStore>)>,
    clock: Option<Clock>,
    max_ttl: Duration,
    stale_if_error: Duration,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            limits: CacheLimits::default(),
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

    /// Sets the limits of the in-memory store of each server.
    pub fn limits(mut self, limits: CacheLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Uses a shared store. `server` identifies the server in the store and must be unique, so a builder that connects
    /// to several servers needs one configuration per server.
    pub fn store(mut self, server: impl Into<Arc<str>>, store: Arc<dyn CacheStore>) -> Self {
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
    pub(crate) fn build(&self, name: String) -> Cache {
        let (server, store) = match &self.shared {
            Some((server, store)) => (Arc::clone(server), Arc::clone(store)),
            None => (Arc::from(name), Arc::new(MemoryStore::new(self.limits)) as _),
        };
        let cache = Cache::with_store(server, store).max_ttl(self.max_ttl).stale_if_error(self.stale_if_error);
        match &self.clock {
            Some(clock) => cache.clock(clock.clone()),
            None => cache,
        }
    }
}

impl fmt::Debug for CacheOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheOptions")
            .field("limits", &self.limits)
            .field("server", &self.shared.as_ref().map(|(server, _)| server))
            .field("max_ttl", &self.max_ttl)
            .field("stale_if_error", &self.stale_if_error)
            .finish_non_exhaustive()
    }
}
