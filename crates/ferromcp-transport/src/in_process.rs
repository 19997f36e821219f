//! The trait for servers that serve a peer in the same process over an in-memory transport.
//!
//! A client can connect to an in-process server although neither crate depends on the other.

use std::{future::Future, io, pin::Pin};

use crate::Memory;

/// A server that runs in the same process as its client.
pub trait InProcess: Send + Sync + 'static {
    /// Serves one peer over `transport`, until the peer disconnects. Called once per peer.
    ///
    /// # Errors
    /// Returns an error if the server cannot start, or if it stops before the peer disconnects.
    fn serve_peer(&self, transport: Memory) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    /// Returns a name for logs and errors.
    fn name(&self) -> String {
        "local".to_owned()
    }
}
