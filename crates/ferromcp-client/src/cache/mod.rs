//! Results that are kept for as long as the server says they stay fresh.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>. Nothing here
//! asks a server or runs by itself: whoever sends a request looks here first, and brings the result
//! afterwards. Old revisions give no hint, so of them nothing is kept.
//!
//! | file | what |
//! |---|---|
//! | `key` | what makes two requests the same, and what a change makes stale |
//! | `clock` | milliseconds that a test can set |
//! | `store` | where results are kept: a trait |
//! | `memory` | a store in memory, bounded |
//! | `options` | what a client wants of its cache |

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ferromcp_core::model::CacheScope;

mod clock;
mod key;
mod memory;
mod options;
mod store;

pub use clock::Clock;
pub use key::{Change, Key, Topic};
pub use memory::{CacheLimits, MemoryStore};
pub use options::CacheOptions;
pub use store::{CacheStore, Entry, StoreFuture, StoreKey};

use clock::millis;
use key::TOPICS;

/// The longest time a result is taken for fresh, whatever its server says, unless told otherwise: a day.
pub const DEFAULT_MAX_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// The results of one server.
///
/// Private results are kept apart by *who* asked: a text that stands for the authorization, for example a
/// digest of the access token. Where there is no authorization, as on stdio, it is the empty text.
///
/// ```
/// use ferromcp_client::cache::{Cache, Change, Found, Key, Receipt, Topic};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let cache = Cache::new("https://example.com/mcp");
/// let key = Key::page(Topic::Tools, None);
/// let ticket = cache.ticket(&key); // before the request is sent
/// cache.keep(ticket, &key, "", Receipt::new(r#"{"tools":[]}"#).ttl_ms(60_000)).await;
/// assert!(matches!(cache.find(&key, "").await, Found::Fresh(_)));
/// cache.changed(&Change::List(Topic::Tools)).await;
/// assert!(matches!(cache.find(&key, "").await, Found::Nothing));
/// # }
/// ```
#[derive(Clone)]
pub struct Cache {
    server: Arc<str>,
    store: Arc<dyn CacheStore>,
    clock: Clock,
    max_ttl: Duration,
    keep_stale: Duration,
    changes: Arc<Mutex<[Changes; TOPICS]>>,
}

/// What is known of the changes within a topic.
#[derive(Debug, Clone, Copy, Default)]
struct Changes {
    /// How many there were.
    count: u64,
    /// A store failed to forget; what was received up to then is not trusted.
    distrust: Option<u64>,
}

/// What a cache has for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A result that can be used in place of asking.
    Fresh(Arc<str>),
    /// A result that may be used if asking fails; only where [`Cache::keep_stale`] says so.
    Stale(Arc<str>),
    /// Nothing.
    Nothing,
}

/// Says when a request was sent, so that a result is not kept if a change was told in the meantime.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Ticket(u64);

/// A result as it came, and what decides whether it may be kept.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Receipt<'a> {
    result: &'a str,
    ttl_ms: u64,
    scope: CacheScope,
    complete: bool,
    retry: bool,
}

impl<'a> Receipt<'a> {
    /// A complete `result`, as JSON, to a first attempt, without hints: stale at once, and private.
    pub fn new(result: &'a str) -> Self {
        Self { result, ttl_ms: 0, scope: CacheScope::Private, complete: true, retry: false }
    }

    /// Its `ttlMs`; an absent one counts as 0, and so did a negative one when it was read.
    pub fn ttl_ms(mut self, hint: impl Into<Option<u64>>) -> Self {
        self.ttl_ms = hint.into().unwrap_or(0);
        self
    }

    /// Its `cacheScope`; an absent one counts as private.
    pub fn scope(mut self, hint: impl Into<Option<CacheScope>>) -> Self {
        self.scope = hint.into().unwrap_or_default();
        self
    }

    /// It asks for input: never kept.
    pub fn input_required(mut self) -> Self {
        self.complete = false;
        self
    }

    /// Its request carried `inputResponses` or `requestState`: never kept.
    pub fn of_retry(mut self) -> Self {
        self.retry = true;
        self
    }
}

impl Cache {
    /// An empty cache in memory for the server known as `server`, for example by its URL.
    pub fn new(server: impl Into<Arc<str>>) -> Self {
        Self::with_store(server, Arc::new(MemoryStore::default()))
    }

    /// A cache over a `store`, which may hold the results of other servers as well.
    pub fn with_store(server: impl Into<Arc<str>>, store: Arc<dyn CacheStore>) -> Self {
        Self {
            server: server.into(),
            store,
            clock: Clock::default(),
            max_ttl: DEFAULT_MAX_TTL,
            keep_stale: Duration::ZERO,
            changes: Arc::default(),
        }
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The longest time a result is taken for fresh ([`DEFAULT_MAX_TTL`] unless set).
    #[must_use]
    pub fn max_ttl(mut self, time: Duration) -> Self {
        self.max_ttl = time;
        self
    }

    /// How long a result that is no longer fresh is kept in case that asking fails (not at all unless set).
    /// What a change has made stale is not kept.
    #[must_use]
    pub fn keep_stale(mut self, time: Duration) -> Self {
        self.keep_stale = time;
        self
    }

    /// To be taken before a request is sent, and given back with its result.
    pub fn ticket(&self, key: &Key) -> Ticket {
        Ticket(self.changes_of(key.topic(), |changes| changes.count))
    }

    /// What there is for `key` when `who` asks.
    pub async fn find(&self, key: &Key, who: &str) -> Found {
        let private = self.find_in(&self.key(key, Some(who))).await;
        if let Found::Fresh(_) = private {
            return private;
        }
        match self.find_in(&self.key(key, None)).await {
            Found::Nothing => private,
            public => public,
        }
    }

    /// Keeps a result that came for `key` when `who` asked, if it may be kept.
    pub async fn keep(&self, ticket: Ticket, key: &Key, who: &str, receipt: Receipt<'_>) {
        let ttl = receipt.ttl_ms.min(millis(self.max_ttl));
        let lasts = ttl > 0 || !self.keep_stale.is_zero();
        if !receipt.complete || receipt.retry || !lasts || self.is_outdated(ticket, key) {
            return;
        }
        let received = self.clock.now();
        let fresh_until = received.saturating_add(ttl);
        let entry = Entry {
            result: receipt.result.into(),
            received,
            fresh_until,
            keep_until: fresh_until.saturating_add(millis(self.keep_stale)),
        };
        let (mut stored, mut other) = (self.key(key, Some(who)), self.key(key, None));
        if receipt.scope == CacheScope::Public {
            std::mem::swap(&mut stored, &mut other);
        }
        // A server may change its mind on who may see a result.
        self.tell("forget", self.store.remove(&other).await);
        self.tell("keep", self.store.put(stored.clone(), entry).await);
        // A change may have been told while the store was writing; its sweep then missed this.
        if self.is_outdated(ticket, key) {
            self.tell("forget", self.store.remove(&stored).await);
        }
    }

    /// Drops what a change that the server told of has made stale.
    pub async fn changed(&self, change: &Change) {
        for &topic in change.topics() {
            self.changes_of(topic, |changes| changes.count += 1);
        }
        let server = Arc::clone(&self.server);
        let covers = {
            let change = change.clone();
            move |key: &StoreKey| *key.server == *server && change.covers(&key.key)
        };
        if let Err(error) = self.store.sweep(Box::new(covers)).await {
            let now = self.clock.now();
            for &topic in change.topics() {
                self.changes_of(topic, |changes| changes.distrust = Some(now));
            }
            tracing::warn!(%error, "a cache could not forget what changed; its older results are no longer used");
        }
    }

    /// Drops all pages of the list that `key` is a page of, as its cursor was refused.
    pub async fn cursor_refused(&self, key: &Key) {
        self.changed(&Change::Pages(key.topic())).await;
    }

    async fn find_in(&self, key: &StoreKey) -> Found {
        let entry = match self.store.get(key).await {
            Ok(Some(entry)) => entry,
            Ok(None) => return Found::Nothing,
            Err(error) => {
                self.tell("look up", Err(error));
                return Found::Nothing;
            }
        };
        let now = self.clock.now();
        if self.changes_of(key.key.topic(), |changes| changes.distrust.is_some_and(|since| entry.received <= since)) {
            return Found::Nothing;
        }
        // One from the future was kept by a clock that has been set back since.
        if now < entry.fresh_until && entry.received <= now {
            return Found::Fresh(entry.result);
        }
        if !self.keep_stale.is_zero() && now < entry.keep_until {
            return Found::Stale(entry.result);
        }
        self.tell("forget", self.store.remove(key).await);
        Found::Nothing
    }

    fn is_outdated(&self, ticket: Ticket, key: &Key) -> bool {
        self.changes_of(key.topic(), |changes| changes.count != ticket.0)
    }

    fn key(&self, key: &Key, partition: Option<&str>) -> StoreKey {
        StoreKey { server: Arc::clone(&self.server), partition: partition.map(Arc::from), key: key.clone() }
    }

    fn changes_of<T>(&self, topic: Topic, look: impl FnOnce(&mut Changes) -> T) -> T {
        look(&mut self.changes.lock().unwrap_or_else(PoisonError::into_inner)[topic as usize])
    }

    /// A store that fails costs a request, and nothing else.
    fn tell(&self, what: &str, done: std::io::Result<()>) {
        if let Err(error) = done {
            tracing::debug!(server = &*self.server, %error, "a cache could not {what} a result");
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("server", &self.server).finish_non_exhaustive()
    }
}
