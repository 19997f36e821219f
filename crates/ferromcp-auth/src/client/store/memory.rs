//! A store that is lost when the process exits.

use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{CredentialStore, StoreFuture, StoredCredentials};

/// A store in memory: the default. Credentials are lost when the process exits. `Debug` shows only the number of servers.
#[derive(Default)]
pub struct MemoryStore(Mutex<HashMap<String, StoredCredentials>>);

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, StoredCredentials>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    /// Omits the URLs of the servers, whose queries may contain secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("servers", &self.all().len()).finish_non_exhaustive()
    }
}

impl CredentialStore for MemoryStore {
    fn load<'a>(&'a self, server: &'a str) -> StoreFuture<'a, Option<StoredCredentials>> {
        Box::pin(ready(Ok(self.all().get(server).cloned())))
    }

    fn save<'a>(&'a self, server: &'a str, credentials: &'a StoredCredentials) -> StoreFuture<'a, ()> {
        self.all().insert(server.to_owned(), credentials.clone());
        Box::pin(ready(Ok(())))
    }

    fn remove<'a>(&'a self, server: &'a str) -> StoreFuture<'a, ()> {
        self.all().remove(server);
        Box::pin(ready(Ok(())))
    }
}
