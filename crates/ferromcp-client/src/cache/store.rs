//! The storage interface of the cache.

use std::{fmt, future::Future, io, pin::Pin};

use ferromcp_core::Str;
use serde::{Deserialize, Serialize};

/// Future returned by the methods of a [`CacheStore`].
pub type CacheFuture<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Key of an entry in a store: the server, the method, its cursor or URI, and the partition of a private result.
///
/// Entries with different keys must not be confused. As the key of an external store, use the serialized key, which
/// contains all parts. `Debug` omits the partition, because it may be derived from a secret.
///
/// ```
/// use ferromcp_client::cache::StoreKey;
/// let key = StoreKey::new("https://example.com/mcp", "resources/read").with_param("file:///a").with_partition("anna");
/// let text = serde_json::to_string(&key)?;
/// assert_eq!(serde_json::from_str::<StoreKey>(&text)?, key);
/// assert_eq!((key.method(), key.param()), ("resources/read", Some("file:///a")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StoreKey {
    pub(super) server: Str,
    pub(super) partition: Option<Str>,
    pub(super) method: Str,
    pub(super) param: Option<Str>,
}

impl StoreKey {
    /// Creates the key of a public result without a cursor or URI.
    pub fn new(server: impl Into<Str>, method: impl Into<Str>) -> Self {
        Self { server: server.into(), partition: None, method: method.into(), param: None }
    }

    /// Sets the cursor of a page of a list, or the URI of a resource.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<Str>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Sets the partition of a private result.
    #[must_use]
    pub fn with_partition(mut self, partition: impl Into<Str>) -> Self {
        self.partition = Some(partition.into());
        self
    }

    /// Returns the name of the server; see [`CacheOptions::store`](super::CacheOptions::store).
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns the partition of a private result, which identifies the authorization; `None` for public results.
    pub fn partition(&self) -> Option<&str> {
        self.partition.as_deref()
    }

    /// Returns the method, for example `tools/list`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the cursor of a page of a list, or the URI of a resource; `None` for the first page of a list. `""` is a
    /// valid cursor.
    pub fn param(&self) -> Option<&str> {
        self.param.as_deref()
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = if self.partition.is_some() { "private" } else { "public" };
        f.debug_struct("StoreKey")
            .field("server", &self.server)
            .field("scope", &scope)
            .field("method", &self.method)
            .field("param", &self.param)
            .finish()
    }
}

/// A result with its timestamps, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredEntry {
    /// The result, as JSON.
    pub result: Str,
    /// When the result was received.
    pub received: u64,
    /// When the result becomes stale.
    pub fresh_until: u64,
    /// When the entry can be evicted.
    pub evict_after: u64,
}

impl StoredEntry {
    /// Creates an entry.
    pub fn new(result: impl Into<Str>, received: u64, fresh_until: u64, evict_after: u64) -> Self {
        Self { result: result.into(), received, fresh_until, evict_after }
    }
}

/// Storage of the cache of a client. It may drop entries at any time; only removal must not fail.
///
/// A store may be shared by several clients; each names its server with
/// [`CacheOptions::store`](super::CacheOptions::store). [`StoreKey`] and [`StoredEntry`] are serializable, so that a
/// store outside of this process can save them as text, for example in one hash of a database for each server. Such a
/// store must protect private results like the tokens they were requested with.
///
/// The cache checks the timestamps of entries, so a store need not. It may use [`StoredEntry::evict_after`] as the expiry
/// of the entry.
///
/// Entries may outlive the client. Changes while no client is connected are not notified, so a client may find results in
/// the store that are outdated, until their time-to-live ends.
pub trait CacheStore: Send + Sync + 'static {
    /// Returns the entry with this key.
    fn get<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, Option<StoredEntry>>;

    /// Stores an entry, replacing the previous one.
    fn put(&self, key: StoreKey, entry: StoredEntry) -> CacheFuture<'_, ()>;

    /// Removes the entry with this key.
    fn remove<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, ()>;

    /// Removes all entries of `server` whose key satisfies `predicate`, which is false for the keys of other servers.
    fn remove_matching<'a>(
        &'a self,
        server: &'a str,
        predicate: Box<dyn Fn(&StoreKey) -> bool + Send + Sync + 'a>,
    ) -> CacheFuture<'a, ()>;
}
