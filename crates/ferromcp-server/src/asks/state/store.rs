//! Where the server keeps what does not travel with the client.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#security-considerations>.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

/// A future of a store.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Keeps journals that are too long for the wire, and knows which states were used.
///
/// What it is given is sealed, and the ids are random: who reads the store learns nothing. A fleet shares one store as
/// it shares its keys.
pub trait StateStore: Send + Sync + 'static {
    /// Keeps a state for `ttl`; after that it may go. It may be an empty mark as well as a whole journal.
    fn put<'a>(&'a self, id: &'a str, state: Bytes, ttl: Duration) -> StoreFuture<'a, ()>;

    /// A state, which stays; `None` if there is none, or its time is over.
    fn get<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<Bytes>>;

    /// A state, which is gone with that. Of two who ask at once, on whatever server, one gets it.
    fn take<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<Bytes>>;
}
