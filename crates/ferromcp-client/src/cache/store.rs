//! Where a cache keeps its results.

use std::{fmt, future::Future, io, pin::Pin, sync::Arc};

use super::key::Key;

/// A future of a store.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// What a result is kept under. Keys that differ in anything must not find each other's results.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StoreKey {
    /// Which server.
    pub server: Arc<str>,
    /// For whom it is; `None` for anybody.
    pub partition: Option<Arc<str>>,
    /// Which request.
    pub key: Key,
}

/// Without the partition, which may be made of a secret.
impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = if self.partition.is_some() { "private" } else { "public" };
        f.debug_struct("StoreKey").field("server", &self.server).field("scope", &scope).field("key", &self.key).finish()
    }
}

/// A result and its times, in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The result, as JSON.
    pub result: Arc<str>,
    /// When it came.
    pub received: u64,
    /// Until when it can be used in place of asking.
    pub fresh_until: u64,
    /// When it can be forgotten.
    pub keep_until: u64,
}

/// Keeps results. It need not keep any: all that may not fail is to forget.
///
/// A store may serve several caches. One outside of this process has to keep private results as safe as
/// the tokens they were got with.
pub trait CacheStore: Send + Sync + 'static {
    /// What is under `key`.
    fn get<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Entry>>;

    /// Keeps `entry` under `key`, in place of what was there.
    fn put(&self, key: StoreKey, entry: Entry) -> StoreFuture<'_, ()>;

    /// Forgets what is under `key`.
    fn remove<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, ()>;

    /// Forgets whatever is under a key that `covers` holds true of.
    fn sweep<'a>(&'a self, covers: Box<dyn Fn(&StoreKey) -> bool + Send + 'a>) -> StoreFuture<'a, ()>;
}
