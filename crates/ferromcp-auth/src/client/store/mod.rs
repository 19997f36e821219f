//! Stores of credentials: registrations and tokens, bound to the issuer that issued them.

mod file;
mod key;
mod memory;
mod record;

pub use file::FileStore;
pub use key::StoreKey;
#[allow(unused_imports, reason = "used by the feature `keychain`")]
pub(crate) use key::random_key;
pub use memory::MemoryStore;
pub use record::StoredCredentials;

use std::any::Any;
use std::future::Future;
use std::pin::Pin;

use crate::error::AuthError;

/// A boxed future returned by [`CredentialStore`].
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AuthError>> + Send + 'a>>;

/// Releases the lock of a [`CredentialStore`] when it is dropped.
pub type StoreLock = Box<dyn Any + Send>;

/// A store of credentials. A key is the URL of an MCP server; the credentials name the issuer that they belong to.
pub trait CredentialStore: Send + Sync + 'static {
    /// Loads the credentials for a server.
    ///
    /// Called before each refresh and each login. If the result is `None`, another process has logged out, and the client
    /// forgets its tokens.
    ///
    /// # Errors
    /// Fails if the store cannot be read. Missing credentials are not an error.
    fn load<'a>(&'a self, server: &'a str) -> StoreFuture<'a, Option<StoredCredentials>>;

    /// Saves the credentials for a server. The previous ones are replaced as a whole, even if the process is killed.
    ///
    /// # Errors
    /// Fails if the store cannot be written.
    fn save<'a>(&'a self, server: &'a str, credentials: &'a StoredCredentials) -> StoreFuture<'a, ()>;

    /// Removes the credentials for a server.
    ///
    /// # Errors
    /// Fails if the store cannot be written.
    fn remove<'a>(&'a self, server: &'a str) -> StoreFuture<'a, ()>;

    /// Locks the credentials for a server against other processes, and waits until they are unlocked. The client holds the
    /// lock while it refreshes a token, because a refresh token can often be used only once, and during a login.
    ///
    /// Dropping the future must not leave the credentials locked. Do not block threads of the runtime: the holder of the lock
    /// may need them.
    ///
    /// The default does not lock, for stores that processes do not share.
    ///
    /// # Errors
    /// Fails if the store cannot be locked.
    fn lock<'a>(&'a self, server: &'a str) -> StoreFuture<'a, StoreLock> {
        let _ = server;
        Box::pin(std::future::ready(Ok(Box::new(()) as StoreLock)))
    }
}
