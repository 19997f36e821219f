//! A cache of results, with the time-to-live that the server sets.
//!
//! [`ClientBuilder::cache`](crate::ClientBuilder::cache) configures the cache with [`CacheOptions`], and
//! [`no_cache`](crate::ClientBuilder::no_cache) disables it. By default, results are stored in a [`MemoryStore`] of the
//! client. A [`CacheStore`] stores them elsewhere, for example to share them between processes.
//!
//! Servers of legacy revisions send no cache hints, so their results are not cached.
//!
//! | module | content |
//! |---|---|
//! | `options` | cache configuration of a client |
//! | `store` | the storage trait, its keys and entries |
//! | `memory` | the bounded in-memory store |
//! | `clock` | a clock that tests can replace |
//! | `result_cache` | the cached results of one server: expiry, partitions, invalidation |
//! | `key` | which results are cacheable, and which a change invalidates |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>.

mod clock;
mod key;
mod memory;
mod options;
mod result_cache;
mod store;
#[cfg(test)]
mod tests;

pub use clock::Clock;
pub(crate) use key::{CacheKey, cache_hint};
pub use memory::MemoryStore;
pub use options::{CacheOptions, DEFAULT_MAX_TTL};
pub(crate) use result_cache::{Lookup, PendingResult, ResultCache};
pub use store::{CacheFuture, CacheStore, StoreKey, StoredEntry};
