//! How a client keeps results.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    Cache, Clock, DEFAULT_MAX_TTL,
    memory::{CacheLimits, MemoryStore},
    store::CacheStore,
};

/// How a client keeps results; the default is in memory, for as long as servers say, and nothing that is stale.
///
/// ```
/// use std::time::Duration;
/// use ferromcp_client::{Client, cache::CacheOptions};
/// let builder = Client::new("demo", "1.0.0").cache(CacheOptions::new().keep_stale(Duration::from_secs(600)));
/// ```
#[derive(Clone)]
#[must_use]
pub struct CacheOptions {
    limits: CacheLimits,
    shared: Option<(Arc<str>, Arc<dyn CacheStore>)>,
    clock: Option<Clock>,
    max_ttl: Duration,
    keep_stale: Duration,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            limits: CacheLimits::default(),
            shared: None,
            clock: None,
            max_ttl: DEFAULT_MAX_TTL,
            keep_stale: Duration::ZERO,
        }
    }
}

impl CacheOptions {
    /// The default.
    pub fn new() -> Self {
        Self::default()
    }

    /// How much is kept in memory, of each server.
    pub fn limits(mut self, limits: CacheLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Keeps results in `store` instead, which others may use as well. `server` is the name of the server there, and
    /// no other server's; so a builder that connects to several servers needs one for each.
    pub fn store(mut self, server: impl Into<Arc<str>>, store: Arc<dyn CacheStore>) -> Self {
        self.shared = Some((server.into(), store));
        self
    }

    /// Another clock, for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The longest time a result is taken for fresh ([`DEFAULT_MAX_TTL`] unless set).
    pub fn max_ttl(mut self, time: Duration) -> Self {
        self.max_ttl = time;
        self
    }

    /// How long a result that is no longer fresh may serve in place of an error where the server cannot be asked (not at
    /// all unless set). What a change has made stale never does.
    pub fn keep_stale(mut self, time: Duration) -> Self {
        self.keep_stale = time;
        self
    }

    /// A cache of its own for the server that is reached as `name`.
    pub(crate) fn build(&self, name: String) -> Cache {
        let (server, store) = match &self.shared {
            Some((server, store)) => (Arc::clone(server), Arc::clone(store)),
            None => (Arc::from(name), Arc::new(MemoryStore::new(self.limits)) as _),
        };
        let cache = Cache::with_store(server, store).max_ttl(self.max_ttl).keep_stale(self.keep_stale);
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
            .field("keep_stale", &self.keep_stale)
            .finish_non_exhaustive()
    }
}
