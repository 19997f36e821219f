//! Storage for large journals and single-use tokens.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#security-considerations>.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

/// The future returned by a store.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// A store for journals that exceed `StateOptions::state_bytes`, and for single-use tokens.
///
/// Values are encrypted and ids are random, so the store need not be confidential. All servers of a fleet must share
/// one store and its keys.
pub trait StateStore: Send + Sync + 'static {
    /// Stores a value under `id` until `ttl` has passed. The value is a journal or a short token.
    ///
    /// # Errors
    /// Fails if the value cannot be stored; the call then fails.
    fn put<'a>(&'a self, id: &'a str, state: Bytes, ttl: Duration) -> StoreFuture<'a, ()>;

    /// Returns the value under `id` without removing it; `None` if it does not exist or has expired.
    fn get<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<Bytes>>;

    /// Removes and returns the value under `id`. Must be atomic: of concurrent calls on any server, only one gets it.
    fn take<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<Bytes>>;
}
