//! How request states are kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::memory::MemoryStates;
use super::ring::KeyRing;
use super::store::StateStore;

/// How a server keeps what a call remembers between its rounds. The defaults suit one process; a fleet sets
/// [`keys`](Self::keys), and [`audience`](Self::audience) if its servers do not share a name.
///
/// ```
/// use ferromcp_server::asks::state::{Key, KeyRing, StateOptions};
/// use std::time::Duration;
///
/// # let secret = "0f".repeat(32);
/// let keys = KeyRing::new(Key::parse(&secret)?);
/// let options = StateOptions::new().keys(keys).ttl(Duration::from_secs(600)).single_use(true);
/// # Ok::<_, ferromcp_server::asks::state::KeyError>(())
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until a server has them"]
pub struct StateOptions {
    pub(super) keys: KeyRing,
    pub(super) ttl: Duration,
    pub(super) state_bytes: usize,
    pub(super) journal_bytes: usize,
    audience: Option<Arc<str>>,
    store: Option<Arc<dyn StateStore>>,
    pub(super) single_use: bool,
    /// Knows the states to be used once where nobody set a store.
    marks: Arc<MemoryStates>,
    pub(super) rounds: u32,
}

impl Default for StateOptions {
    fn default() -> Self {
        Self {
            keys: KeyRing::unset(),
            ttl: Duration::from_secs(60 * 60),
            state_bytes: 16 << 10,
            journal_bytes: 1 << 20,
            audience: None,
            store: None,
            single_use: false,
            marks: Arc::default(),
            rounds: 64,
        }
    }
}

impl StateOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The keys. Unless set there is one random key, so states do not outlive the process, and no other process opens
    /// them.
    pub fn keys(mut self, keys: KeyRing) -> Self {
        self.keys = keys;
        self
    }

    /// How long a client may take for the answers of one round. One hour unless set; counted in whole seconds, so the
    /// clocks of a fleet should agree as well.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// The most characters of a state on the wire, in both directions. 16 KiB unless set; 312 are needed even
    /// where the journal is in a store.
    pub fn state_bytes(mut self, bytes: usize) -> Self {
        self.state_bytes = bytes;
        self
    }

    /// The most bytes of a journal that goes to the store, since it would not fit on the wire. 1 MiB unless set.
    pub fn journal_bytes(mut self, bytes: usize) -> Self {
        self.journal_bytes = bytes;
        self
    }

    /// What the states are for: they open where the same audience is set. The server's name unless set.
    pub fn audience(mut self, audience: impl Into<Arc<str>>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Where journals go that do not fit on the wire, and what knows which states were used. None unless set: then a
    /// call whose journal does not fit fails.
    pub fn store(mut self, store: impl StateStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Whether each state is taken once. Not so unless set: a client may then send the same answers twice, and the
    /// call goes on twice from where it was. Without a store, a [`MemoryStates`] of default size knows the states.
    pub fn single_use(mut self, single_use: bool) -> Self {
        self.single_use = single_use;
        self
    }

    /// The most rounds of questions in one call. 64 unless set.
    pub fn rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }

    /// The most rounds of one call.
    pub(crate) fn most_rounds(&self) -> u32 {
        self.rounds
    }

    /// The audience of a server that has this name.
    pub(crate) fn audience_or<'a>(&'a self, server: &'a str) -> &'a str {
        self.audience.as_deref().unwrap_or(server)
    }

    /// Where journals can go.
    pub(super) fn journals(&self) -> Option<&dyn StateStore> {
        self.store.as_deref()
    }

    /// What knows the states to be used once.
    pub(super) fn marks(&self) -> &dyn StateStore {
        self.store.as_deref().unwrap_or(&*self.marks)
    }
}

impl fmt::Debug for StateOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateOptions")
            .field("keys", &self.keys)
            .field("ttl", &self.ttl)
            .field("state_bytes", &self.state_bytes)
            .field("journal_bytes", &self.journal_bytes)
            .field("audience", &self.audience)
            .field("store", &self.store.is_some())
            .field("single_use", &self.single_use)
            .field("rounds", &self.rounds)
            .finish_non_exhaustive()
    }
}
