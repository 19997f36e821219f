//! Engine of a client: maintains one connection, sends requests over it, and applies timeouts and retries.

pub(crate) mod connection;
mod reconnect;
mod send;
pub(crate) mod timeout;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

use crate::channel::{RequestIds, TransportKind};
use crate::connect::Connector;
use crate::connection_state::StateCell;
use crate::notification_router::{NotificationRouter, ProgressListener};
use crate::settings::Settings;
use crate::tool_cache::ToolCache;
use connection::{Connection, ReconnectState};

/// State shared by all handles of one client.
pub(crate) struct Engine {
    pub(crate) settings: Settings,
    pub(crate) router: Arc<NotificationRouter>,
    pub(crate) tool_cache: ToolCache,
    pub(crate) ids: RequestIds,
    /// Number of open subscriptions.
    pub(crate) subscribed: AtomicUsize,
    connector: Arc<dyn Connector>,
    current: std::sync::Mutex<Option<Arc<Connection>>>,
    reconnect_state: Arc<Mutex<ReconnectState>>,
    permits: Semaphore,
    closed: AtomicBool,
    pub(crate) state: StateCell,
    /// Lets a reconnect continue when the call that started it is cancelled.
    this: Weak<Self>,
}

impl Engine {
    pub(crate) fn new(settings: Settings, router: NotificationRouter, connector: Arc<dyn Connector>) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            tool_cache: ToolCache::new(settings.validate_output),
            permits: Semaphore::new(settings.limits.in_flight.clamp(1, Semaphore::MAX_PERMITS)),
            reconnect_state: Arc::new(Mutex::new(ReconnectState::new(&settings))),
            settings,
            router: Arc::new(router),
            ids: RequestIds::new(),
            subscribed: AtomicUsize::new(0),
            connector,
            current: std::sync::Mutex::new(None),
            closed: AtomicBool::new(false),
            state: StateCell::new(),
            this: this.clone(),
        })
    }

    /// Returns the text that identifies the current authorization.
    pub(crate) fn authorization(&self) -> String {
        self.connector.authorization()
    }

    /// Returns when a request last waited for credentials; now if one is waiting.
    pub(crate) fn waited_for_credentials(&self) -> Option<Instant> {
        self.connector.waited_for_credentials()
    }

    /// Returns whether the target can be connected to again.
    pub(crate) fn can_reopen(&self) -> bool {
        self.connector.can_reopen()
    }

    pub(crate) fn transport_kind(&self) -> TransportKind {
        self.connector.transport_kind()
    }
}

/// Options of one request. Unset options default to the limits of the client.
#[derive(Clone, Default)]
pub(crate) struct Options {
    /// Timeout of the call without progress.
    pub(crate) timeout: Option<Duration>,
    /// Maximum total time of the call.
    pub(crate) cap: Option<Duration>,
    pub(crate) progress: Option<ProgressListener>,
    /// Whether the request is idempotent. If unset, the method and the annotations of the tool decide.
    pub(crate) idempotent: Option<bool>,
    /// Whether to bypass the result cache.
    pub(crate) fresh: bool,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("timeout", &self.timeout).field("cap", &self.cap).finish_non_exhaustive()
    }
}
