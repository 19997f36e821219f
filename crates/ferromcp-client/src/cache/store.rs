//! The storage interface of a cache.

use std::{fmt, future::Future, io, pin::Pin, sync::Arc};

use super::key::CacheKey;

/// Future returned by the methods of a [`CacheStore`].
pub type CacheFuture<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Key of an entry in a store. Entries with different keys must not be confused.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StoreKey {
    /// The server.
    pub server: Arc<str>,
    /// The partition of a private result; `None` for public results.
    pub partition: Option<Arc<str>>,
    /// The request.
    pub key: CacheKey,
}

/// Omits the partition, because it may be derived from a secret.
impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = if self.partition.is_some() { "private" } else { "public" };
        f.debug_struct("StoreKey").field("server", &self.server).field("scope", &scope).field("key", &self.key).finish()
    }
}

/// A result with its timestamps, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// The result, as JSON.
    pub result: Arc<str>,
    /// When the result was received.
    pub received: u64,
    /// When the result becomes stale.
    pub fresh_until: u64,
    /// When the entry can be evicted.
    pub evict_after: u64,
}

/// Storage of a [`Cache`](super::Cache). It may drop entries at any time; only removal must not fail.
///
/// A store may be shared by several caches. A store outside of this process must protect private results like the
/// tokens they were requested with.
pub trait CacheStore: Send + Sync + 'static {
    /// Returns the entry with this key.
    fn get<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, Option<StoredEntry>>;

    /// Stores an entry, replacing the previous one.
    fn put(&self, key: StoreKey, entry: StoredEntry) -> CacheFuture<'_, ()>;

    /// Removes the entry with this key.
    fn remove<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, ()>;

    /// Removes all entries whose key satisfies `predicate`.
    fn remove_matching<'a>(&'a self, predicate: Box<dyn Fn(&StoreKey) -> bool + Send + 'a>) -> CacheFuture<'a, ()>;
}
