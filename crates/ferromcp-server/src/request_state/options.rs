//! Configuration of request states.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::key_ring::KeyRing;
use super::memory_state_store::MemoryStateStore;
use super::store::StateStore;

/// Maximum size of a journal in the store, in bytes, because a handler could otherwise fill the store.
///
/// A call with a larger journal fails with error -32603.
pub(super) const MAX_JOURNAL_BYTES: usize = 1 << 20;

/// Configuration of request states, which carry the journal of a call between rounds.
///
/// The defaults suit a single process. A fleet must share [`keys`](Self::keys), and [`audience`](Self::audience) if its
/// servers have different names.
///
/// ```
/// use ferromcp_server::{Key, KeyRing, StateOptions};
/// use std::time::Duration;
///
/// # let secret = "0f".repeat(32);
/// let keys = KeyRing::new(Key::parse(&secret)?);
/// let options = StateOptions::new().keys(keys).ttl(Duration::from_secs(600)).single_use(true);
/// # Ok::<_, ferromcp_server::KeyError>(())
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until they are passed to a server"]
pub struct StateOptions {
    pub(super) keys: KeyRing,
    pub(super) ttl: Duration,
    pub(super) state_bytes: usize,
    audience: Option<Arc<str>>,
    store: Option<Arc<dyn StateStore>>,
    pub(super) single_use: bool,
    /// Stores single-use tokens if no store is set.
    used_tokens: Arc<MemoryStateStore>,
    pub(super) rounds: u32,
}

impl Default for StateOptions {
    fn default() -> Self {
        Self {
            keys: KeyRing::unset(),
            ttl: Duration::from_secs(60 * 60),
            state_bytes: 16 << 10,
            audience: None,
            store: None,
            single_use: false,
            used_tokens: Arc::default(),
            rounds: 64,
        }
    }
}

impl StateOptions {
    /// Creates options with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the keys. Default: one random key, so states become invalid when the process exits, and other processes
    /// cannot open them.
    pub fn keys(mut self, keys: KeyRing) -> Self {
        self.keys = keys;
        self
    }

    /// Sets the time until a state expires, per round. Default: one hour. The expiry is a wall-clock time in whole
    /// seconds, so the clocks of a fleet should be synchronized.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets the maximum length of `requestState` in characters, sent and received. Default: 16 KiB. At least 312 are
    /// required even if the journal is in a store.
    pub fn state_bytes(mut self, bytes: usize) -> Self {
        self.state_bytes = bytes;
        self
    }

    /// Sets the audience. States can be opened only by servers with the same audience. Default: the server's name.
    pub fn audience(mut self, audience: impl Into<Arc<str>>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Sets the store for journals that exceed [`state_bytes`](Self::state_bytes) and for single-use tokens. Default:
    /// none, so a call with a larger journal fails. A journal in the store can have up to 1 MiB.
    pub fn store(mut self, store: impl StateStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets whether each state can be used only once (replay protection). Default: false, so a client can resume a call
    /// from the same state more than once. Without a store, a [`MemoryStateStore`] of default size stores the tokens.
    pub fn single_use(mut self, single_use: bool) -> Self {
        self.single_use = single_use;
        self
    }

    /// Sets the maximum number of rounds per call. Default: 64.
    pub fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }

    /// Returns the maximum number of rounds per call.
    pub(crate) fn max_rounds(&self) -> u32 {
        self.rounds
    }

    /// Returns the audience, or `server` if unset.
    pub(crate) fn audience_or<'a>(&'a self, server: &'a str) -> &'a str {
        self.audience.as_deref().unwrap_or(server)
    }

    /// Returns the store for journals, if one is set.
    pub(super) fn journals(&self) -> Option<&dyn StateStore> {
        self.store.as_deref()
    }

    /// Returns the store for single-use tokens.
    pub(super) fn used_tokens(&self) -> &dyn StateStore {
        self.store.as_deref().unwrap_or(&*self.used_tokens)
    }
}

impl fmt::Debug for StateOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateOptions")
            .field("keys", &self.keys)
            .field("ttl", &self.ttl)
            .field("state_bytes", &self.state_bytes)
            .field("audience", &self.audience)
            .field("store", &self.store.is_some())
            .field("single_use", &self.single_use)
            .field("rounds", &self.rounds)
            .finish_non_exhaustive()
    }
}
