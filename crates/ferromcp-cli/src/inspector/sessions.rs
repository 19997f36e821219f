//! The connections of the inspector, which follow the builds of the server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferromcp_client::{Client, ClientLimits, ConnectionState as ClientState};
use ferromcp_core::Era;
use ferromcp_core::model::{LogLevel, LogMessageParams};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::build::Build;
use super::questions::{PageHandler, Questions};
use super::subscriptions::Subscriptions;
use crate::bridge::DRAIN_TIME;
use crate::cli::EraArg;
use crate::connect::{Observer, new_builder, open_observed};
use crate::exit::{Exit, Failure};
use crate::record::Recorder;
use crate::record::hub::{ConnectionState, ConnectionStatus, Hub};

/// The connections: the newest common revision, and those of one era.
pub(super) const IDS: [&str; 3] = ["auto", "legacy", "modern"];

/// Interval at which the calls of a replaced connection are counted.
const DRAIN_INTERVAL: Duration = Duration::from_millis(50);

/// How long a new connection may take to restore the log level and the subscriptions.
const RESTORE_TIME: Duration = Duration::from_secs(10);

/// Timeout of the negotiation.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// An open connection. It is closed when no call uses it any more, after another build has replaced it.
pub(super) struct OpenConnection {
    pub(super) client: Client,
    pub(super) subscriptions: Subscriptions,
    is_http: bool,
    log_level: Arc<Mutex<Option<LogLevel>>>,
}

impl OpenConnection {
    /// Returns the log level that the page has selected.
    pub(super) fn log_level(&self) -> Option<LogLevel> {
        *self.log_level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the connection has no session.
    pub(super) fn is_modern(&self) -> bool {
        self.client.revision().is_modern()
    }

    /// Returns the state of the connection.
    fn describe(&self, id: &'static str, generation: usize) -> ConnectionState {
        let client = &self.client;
        let status = match client.state() {
            ClientState::Connected => ConnectionStatus::Open,
            ClientState::Connecting => ConnectionStatus::Connecting,
            ClientState::Closed => ConnectionStatus::Closed,
            _ => ConnectionStatus::Failed,
        };
        let mut state = ConnectionState::new(id, status, generation);
        if status == ConnectionStatus::Failed {
            let error = client.last_connect_error().map(|error| error.to_string());
            state.error = error.or_else(|| Some("the connection was lost; the next request connects again".to_owned()));
        }
        state.revision = Some(client.revision().as_str().to_owned());
        state.era = Some(if client.revision().era() == Era::Modern { "modern" } else { "legacy" });
        state.transport = Some(match (client.negotiated().http_sse, self.is_http) {
            (true, _) => "http+sse",
            (false, true) => "http",
            (false, false) => "stdio",
        });
        state.server_info = client.server_info();
        state.capabilities = client.capabilities();
        state.instructions = client.instructions();
        state
    }
}

/// The connections of the inspector. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Sessions(Arc<Inner>);

struct Inner {
    hub: Arc<Hub>,
    builds: watch::Receiver<Option<Arc<Build>>>,
    questions: Questions,
    slots: HashMap<&'static str, Slot>,
}

/// One of the connections.
#[derive(Default)]
struct Slot {
    open: Mutex<Option<Arc<OpenConnection>>>,
    /// One connection is opened at a time.
    opening: tokio::sync::Mutex<()>,
    log_level: Arc<Mutex<Option<LogLevel>>>,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<OpenConnection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    /// Creates closed connections, and reopens those that are open when there is another build.
    pub(super) fn new(hub: &Arc<Hub>, builds: watch::Receiver<Option<Arc<Build>>>) -> Self {
        let slots = IDS.into_iter().map(|id| (id, Slot::default())).collect();
        let questions = Questions::new(hub);
        let sessions = Self(Arc::new(Inner { hub: Arc::clone(hub), builds, questions, slots }));
        let (weak, mut builds) = (Arc::downgrade(&sessions.0), sessions.0.builds.clone());
        tokio::spawn(async move {
            while builds.changed().await.is_ok() {
                let Some(sessions) = weak.upgrade().map(Self) else { return };
                for id in IDS.into_iter().filter(|id| sessions.get(id).is_ok()) {
                    let sessions = sessions.clone();
                    tokio::spawn(async move { sessions.open(id).await });
                }
            }
        });
        sessions
    }

    /// Returns the questions of all connections.
    pub(super) fn questions(&self) -> &Questions {
        &self.0.questions
    }

    /// Returns the latest build.
    pub(super) fn build(&self) -> Option<Arc<Build>> {
        self.0.builds.borrow().clone()
    }

    /// Returns the name of a connection as a constant.
    ///
    /// # Errors
    /// Fails if there is no such connection.
    pub(super) fn id(name: &str) -> Result<&'static str, String> {
        let found = IDS.into_iter().find(|id| *id == name);
        found.ok_or_else(|| "unknown connection; use `auto`, `legacy` or `modern`".to_owned())
    }

    /// Returns an open connection.
    ///
    /// # Errors
    /// Fails if it is closed.
    pub(super) fn get(&self, name: &str) -> Result<Arc<OpenConnection>, String> {
        let slot = &self.0.slots[Self::id(name)?];
        slot.lock().clone().ok_or_else(|| format!("the connection `{name}` is closed; open it first"))
    }

    /// Opens a connection to the latest build. Its state is reported to the page.
    pub(super) async fn open(&self, id: &'static str) {
        let slot = &self.0.slots[id];
        let _opening = slot.opening.lock().await;
        let hub = &self.0.hub;
        let build = self.build();
        let number = build.as_ref().map_or(0, |build| build.number);
        let Some(build) = build else {
            let mut state = ConnectionState::new(id, ConnectionStatus::Failed, number);
            state.error = Some("the server has not started yet".to_owned());
            return hub.connection(state);
        };
        hub.connection(ConnectionState::new(id, ConnectionStatus::Connecting, number));
        match self.connect(id, &build).await {
            Ok(client) => {
                let subscriptions = Subscriptions::new(hub, id, &client);
                let log_level = Arc::clone(&slot.log_level);
                let is_http = build.target.url().is_some();
                let open = Arc::new(OpenConnection { client, subscriptions, is_http, log_level });
                let previous = slot.lock().replace(Arc::clone(&open));
                self.start(id, &open, number, previous.as_deref()).await;
                if let Some(previous) = previous {
                    tokio::spawn(drain(previous));
                }
            }
            Err(failure) => {
                let status =
                    if failure.exit == Exit::Login { ConnectionStatus::Login } else { ConnectionStatus::Failed };
                let mut state = ConnectionState::new(id, status, number);
                state.error = Some(failure.to_string());
                hub.connection(state);
                if let Some(previous) = slot.lock().take() {
                    tokio::spawn(drain(previous));
                }
            }
        }
    }

    async fn connect(&self, id: &'static str, build: &Build) -> Result<Client, Failure> {
        let mut target = build.target.duplicate();
        match id {
            "legacy" => target.connection.era = Some(EraArg::Legacy),
            "modern" => target.connection.era = Some(EraArg::Modern),
            _ => {}
        }
        let hub = &self.0.hub;
        let limits = ClientLimits::new().connect_timeout(CONNECT_TIMEOUT);
        let logs = Arc::clone(hub);
        let handler = PageHandler { questions: self.0.questions.clone(), connection: id };
        let builder = new_builder(&target.connection).limits(limits).handler(handler).validate_output(false);
        let builder = builder.on_log(LogLevel::Debug, move |message: LogMessageParams| {
            let data: Value = message.data.decode().unwrap_or_default();
            let level = json!(message.level);
            logs.log("server", Some(id), level.as_str().unwrap_or("info"), message.logger.as_deref(), data);
        });
        let stderr = Arc::clone(hub);
        let stderr = move |line: &str| stderr.log("stderr", Some(id), "info", None, line.into());
        let observer = Observer { recorder: Some(Recorder::new(hub, id)), stderr: Some(Arc::new(stderr)) };
        // The remedy of the command line does not apply to the page.
        open_observed(target, builder, &observer).await
    }

    /// Reports a connection, and restores the subscriptions and the log level of the previous one.
    async fn start(
        &self,
        id: &'static str,
        open: &Arc<OpenConnection>,
        number: usize,
        previous: Option<&OpenConnection>,
    ) {
        let hub = &self.0.hub;
        let mut states = open.client.watch_state();
        states.mark_unchanged();
        hub.connection(open.describe(id, number));
        let (sessions, weak) = (Arc::downgrade(&self.0), Arc::downgrade(open));
        tokio::spawn(async move {
            while states.changed().await.is_ok() {
                let is_closed = *states.borrow_and_update() == ClientState::Closed;
                let (Some(sessions), Some(open)) = (sessions.upgrade(), weak.upgrade()) else { return };
                // A replaced connection does not change the state of the next one.
                let is_current = sessions.slots[id].lock().as_ref().is_some_and(|it| Arc::ptr_eq(it, &open));
                if is_closed || !is_current {
                    return;
                }
                sessions.hub.connection(open.describe(id, number));
            }
        });
        open.subscriptions.watch_lists();
        let restoring = async {
            for uri in previous.map(|previous| previous.subscriptions.uris()).unwrap_or_default() {
                match open.subscriptions.subscribe(&uri).await {
                    Ok(()) => hub.change(id, "resource", Some(&uri)),
                    Err(error) => hub.log("dev", Some(id), "warning", None, error.into()),
                }
            }
            if let Some(level) = open.log_level() {
                let _ = self.set_level_of_session(open, level).await;
            }
        };
        if timeout(RESTORE_TIME, restoring).await.is_err() {
            let text = "cannot restore the subscriptions and the log level: the server does not respond";
            hub.log("dev", Some(id), "warning", None, text.into());
        }
    }

    /// Sets the log level of a connection; `None` stops log messages of a connection without a session.
    ///
    /// # Errors
    /// Fails if the connection is closed, or the server rejects the level.
    pub(super) async fn set_log_level(&self, name: &str, level: Option<LogLevel>) -> Result<(), String> {
        let open = self.get(name)?;
        *open.log_level.lock().unwrap_or_else(PoisonError::into_inner) = level;
        match level {
            Some(level) => self.set_level_of_session(&open, level).await,
            None => Ok(()),
        }
    }

    async fn set_level_of_session(&self, open: &OpenConnection, level: LogLevel) -> Result<(), String> {
        if open.is_modern() || open.client.capabilities().logging.is_none() {
            return Ok(());
        }
        open.client.set_log_level(level).await.map(drop).map_err(|error| error.to_string())
    }

    /// Notifies the servers of sessions that the roots have changed.
    pub(super) async fn roots_changed(&self) {
        for open in IDS.into_iter().filter_map(|id| self.get(id).ok()) {
            if let Err(error) = open.client.roots_changed().await {
                self.0.hub.log("dev", None, "warning", None, error.to_string().into());
            }
        }
    }

    /// Closes a connection. Calls in flight fail. Waits for an attempt to open it.
    pub(super) async fn close(&self, id: &'static str) {
        let slot = &self.0.slots[id];
        let _opening = slot.opening.lock().await;
        let open = slot.lock().take();
        if let Some(open) = open {
            open.client.close().await;
        }
        let number = self.build().map_or(0, |build| build.number);
        self.0.hub.connection(ConnectionState::new(id, ConnectionStatus::Closed, number));
    }

    /// Closes all connections at the same time.
    pub(super) async fn close_all(&self) {
        let mut closing = tokio::task::JoinSet::new();
        for open in IDS.into_iter().filter_map(|id| self.0.slots[id].lock().take()) {
            closing.spawn(async move { open.client.close().await });
        }
        while closing.join_next().await.is_some() {}
    }
}

/// Closes a connection when its calls have finished, or after [`DRAIN_TIME`].
async fn drain(connection: Arc<OpenConnection>) {
    let deadline = Instant::now() + DRAIN_TIME;
    while Arc::strong_count(&connection) > 1 && Instant::now() < deadline {
        sleep(DRAIN_INTERVAL).await;
    }
    connection.client.close().await;
}
