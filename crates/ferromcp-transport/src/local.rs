//! Something in this process that serves whoever is at the other end of a memory pipe.
//!
//! It is what lets a client connect to a server beside it while neither's crate knows the other.

use std::{future::Future, io, pin::Pin};

use crate::Memory;

/// A server in this process.
pub trait Local: Send + Sync + 'static {
    /// Serves one peer: what it says arrives on `far`. It is called once for each peer, and ends when that hangs up.
    ///
    /// # Errors
    /// When the server cannot start, or stops before its time.
    fn serve_far(&self, far: Memory) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

    /// A word for logs and errors.
    fn name(&self) -> String {
        "local".to_owned()
    }
}
