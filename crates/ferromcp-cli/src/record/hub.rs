//! The state that pages of the inspector show, and the events that change it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::RawJson;
use ferromcp_core::model::{Implementation, Root, ServerCapabilities};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::history::History;
use super::message::{MessageRecord, unix_millis};

/// Maximum number of events that a page has not received yet. A slower page receives a new snapshot.
const MAX_PENDING_EVENTS: usize = 256;

/// Maximum number and size of recorded messages.
const MAX_MESSAGES: (usize, usize) = (2000, 32 << 20);

/// Maximum number and size of log entries.
const MAX_LOG: (usize, usize) = (5000, 8 << 20);

/// Maximum length of the data of a log entry, in bytes of JSON.
const MAX_LOG_ENTRY: usize = 64 << 10;

/// The state of the server that is developed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Status {
    Building,
    Starting,
    Running,
    /// The last build cannot be built or started. The server before it still runs, if there is one.
    Failed,
}

/// The server that is developed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerState {
    pub(crate) status: Status,
    /// The number of builds that have started.
    pub(crate) generation: usize,
    pub(crate) error: Option<String>,
    pub(crate) target: String,
    pub(crate) endpoint: String,
    /// The words of `mcp call` before the name of the tool.
    pub(crate) command: Vec<String>,
    /// The words of `mcp call` after the arguments.
    pub(crate) command_after: Vec<String>,
    pub(crate) url: Option<String>,
    pub(crate) watching: Vec<PathBuf>,
    /// Milliseconds of the last build and start.
    pub(crate) build_ms: Option<u64>,
    pub(crate) version: &'static str,
}

/// The state of a connection of the inspector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ConnectionStatus {
    Closed,
    Connecting,
    Open,
    Failed,
    /// The server requires a login.
    Login,
}

/// A connection of the inspector.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConnectionState {
    pub(crate) id: &'static str,
    pub(crate) status: ConnectionStatus,
    pub(crate) error: Option<String>,
    pub(crate) generation: usize,
    pub(crate) revision: Option<String>,
    pub(crate) era: Option<&'static str>,
    pub(crate) transport: Option<&'static str>,
    pub(crate) server_info: Option<Implementation>,
    pub(crate) capabilities: ServerCapabilities,
    pub(crate) instructions: Option<String>,
}

impl ConnectionState {
    /// Creates the state of a connection without a server.
    pub(crate) fn new(id: &'static str, status: ConnectionStatus, generation: usize) -> Self {
        Self {
            id,
            status,
            error: None,
            generation,
            revision: None,
            era: None,
            transport: None,
            server_info: None,
            capabilities: ServerCapabilities::default(),
            instructions: None,
        }
    }
}

/// An event, as pages receive it.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Event<'a> {
    State { state: &'a ServerState },
    Connection { connection: &'a ConnectionState },
    Message { message: &'a MessageRecord },
    Log { entry: &'a Value },
    Progress { call: &'a str, progress: f64, total: Option<f64>, message: Option<&'a str> },
    Question { question: &'a RawJson },
    QuestionClosed { id: &'a str },
    Change { connection: &'a str, what: &'a str, uri: Option<&'a str> },
    Roots { roots: &'a [Root] },
    Login { step: &'a Value },
}

/// The state when a page connects, without the history. Serialized to text, because a `Value` cannot contain every text of a
/// server.
#[derive(Serialize)]
struct Snapshot<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    state: &'a ServerState,
    connections: Vec<&'a ConnectionState>,
    questions: Vec<&'a RawJson>,
    roots: &'a [Root],
}

/// Shares the state with pages.
pub(crate) struct Hub {
    events: broadcast::Sender<Arc<str>>,
    shared: Mutex<Shared>,
    last_message: AtomicU64,
}

struct Shared {
    state: ServerState,
    connections: BTreeMap<&'static str, ConnectionState>,
    questions: BTreeMap<String, RawJson>,
    roots: Vec<Root>,
    messages: History,
    log: History,
}

/// What `Hub::clear` removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Recorded {
    Messages,
    Log,
}

impl Hub {
    /// Creates the state of a server that has not started.
    pub(crate) fn new(state: ServerState, roots: Vec<Root>) -> Self {
        let shared = Shared {
            state,
            connections: BTreeMap::new(),
            questions: BTreeMap::new(),
            roots,
            messages: History::new(MAX_MESSAGES.0, MAX_MESSAGES.1),
            log: History::new(MAX_LOG.0, MAX_LOG.1),
        };
        Self {
            events: broadcast::Sender::new(MAX_PENDING_EVENTS),
            shared: Mutex::new(shared),
            last_message: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends an event to all pages. Without pages, it is discarded.
    fn send(&self, event: &Event<'_>) {
        if self.events.receiver_count() == 0 {
            return;
        }
        if let Ok(json) = serde_json::to_string(event) {
            let _ = self.events.send(json.into());
        }
    }

    /// Returns the events from now on, and the snapshot event that precedes them.
    pub(crate) fn subscribe(&self) -> (String, broadcast::Receiver<Arc<str>>) {
        // The lock is held, so that the snapshot contains exactly the changes before the first event.
        let shared = self.lock();
        let events = self.events.subscribe();
        let rest = Snapshot {
            kind: "snapshot",
            state: &shared.state,
            connections: shared.connections.values().collect(),
            questions: shared.questions.values().collect(),
            roots: &shared.roots,
        };
        // These types serialize; maps have names as keys.
        let rest = serde_json::to_string(&rest).unwrap_or_else(|_| "{\"type\":\"snapshot\"}".to_owned());
        let (messages, log) = (shared.messages.to_json(), shared.log.to_json());
        let snapshot = format!("{},\"messages\":{messages},\"log\":{log}}}", rest.strip_suffix('}').unwrap_or(&rest));
        (snapshot, events)
    }

    /// Changes the state of the server.
    pub(crate) fn update(&self, change: impl FnOnce(&mut ServerState)) {
        let mut shared = self.lock();
        change(&mut shared.state);
        self.send(&Event::State { state: &shared.state });
    }

    /// Sets the state of a connection.
    pub(crate) fn connection(&self, connection: ConnectionState) {
        let mut shared = self.lock();
        self.send(&Event::Connection { connection: &connection });
        shared.connections.insert(connection.id, connection);
    }

    /// Records a message, and returns its number.
    pub(super) fn message(&self, mut message: MessageRecord) -> u64 {
        let mut shared = self.lock();
        message.seq = self.last_message.fetch_add(1, Ordering::Relaxed) + 1;
        if let Ok(json) = serde_json::to_string(&message) {
            shared.messages.push(json.into());
        }
        self.send(&Event::Message { message: &message });
        message.seq
    }

    /// Adds a log entry. `source` is `server`, `stderr`, `dev` or `build`.
    pub(crate) fn log(&self, source: &str, connection: Option<&str>, level: &str, logger: Option<&str>, data: Value) {
        let data = match data.to_string() {
            text if text.len() > MAX_LOG_ENTRY => text.chars().take(MAX_LOG_ENTRY / 4).collect::<String>().into(),
            _ => data,
        };
        let entry = json!({
            "time": unix_millis(), "source": source, "connection": connection, "level": level, "logger": logger,
            "data": data,
        });
        let mut shared = self.lock();
        self.send(&Event::Log { entry: &entry });
        shared.log.push(entry.to_string().into());
    }

    /// Reports the progress of a call of a page.
    pub(crate) fn progress(&self, call: &str, progress: f64, total: Option<f64>, message: Option<&str>) {
        self.send(&Event::Progress { call, progress, total, message });
    }

    /// Adds a question of the server.
    pub(crate) fn open_question(&self, id: &str, question: RawJson) {
        let mut shared = self.lock();
        self.send(&Event::Question { question: &question });
        shared.questions.insert(id.to_owned(), question);
    }

    /// Removes a question that is answered or cancelled.
    pub(crate) fn close_question(&self, id: &str) {
        if self.lock().questions.remove(id).is_some() {
            self.send(&Event::QuestionClosed { id });
        }
    }

    /// Reports a change of a list (`tools`, `resources` or `prompts`) or of a `resource`.
    pub(crate) fn change(&self, connection: &str, what: &str, uri: Option<&str>) {
        self.send(&Event::Change { connection, what, uri });
    }

    /// Returns the roots that servers receive.
    pub(crate) fn roots(&self) -> Vec<Root> {
        self.lock().roots.clone()
    }

    /// Sets the roots that servers receive.
    pub(crate) fn set_roots(&self, roots: Vec<Root>) {
        let mut shared = self.lock();
        self.send(&Event::Roots { roots: &roots });
        shared.roots = roots;
    }

    /// Reports a step of a login.
    pub(crate) fn login_step(&self, step: &Value) {
        self.send(&Event::Login { step });
    }

    /// Removes recorded messages or log entries.
    pub(crate) fn clear(&self, what: Recorded) {
        let mut shared = self.lock();
        match what {
            Recorded::Messages => shared.messages.clear(),
            Recorded::Log => shared.log.clear(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns a hub for tests.
    pub(crate) fn hub() -> Hub {
        let state = ServerState {
            status: Status::Building,
            generation: 0,
            error: None,
            target: "demo".to_owned(),
            endpoint: "http://127.0.0.1:1/mcp".to_owned(),
            command: Vec::new(),
            command_after: Vec::new(),
            url: None,
            watching: Vec::new(),
            build_ms: None,
            version: "0",
        };
        Hub::new(state, Vec::new())
    }

    #[test]
    fn snapshot_contains_earlier_changes_and_events_contain_later_ones() {
        let hub = hub();
        hub.log("dev", None, "info", None, json!("before }"));
        hub.open_question("q1", RawJson::from(json!({ "id": "q1" })));
        let (snapshot, mut events) = hub.subscribe();
        let snapshot: Value = serde_json::from_str(&snapshot).unwrap();
        assert_eq!(snapshot["type"], "snapshot");
        assert_eq!(snapshot["log"][0]["data"], "before }");
        assert_eq!(snapshot["questions"][0]["id"], "q1");
        assert_eq!(snapshot["state"]["commandAfter"], json!([]));
        hub.close_question("q1");
        hub.close_question("q1");
        hub.update(|state| state.status = Status::Running);
        let mut next = || serde_json::from_str::<Value>(&events.try_recv().unwrap()).unwrap();
        assert_eq!(next(), json!({ "type": "questionClosed", "id": "q1" }));
        assert_eq!(next()["state"]["status"], "running");
    }

    #[test]
    fn log_entries_are_truncated_when_they_are_long() {
        let hub = hub();
        hub.log("server", Some("auto"), "info", None, json!("x".repeat(1 << 20)));
        let (snapshot, _) = hub.subscribe();
        assert!(snapshot.len() < MAX_LOG_ENTRY, "{}", snapshot.len());
    }

    #[test]
    fn text_with_unpaired_surrogates_is_sent_when_a_page_connects() {
        let hub = hub();
        let raw = |text: &str| RawJson::parse(text).unwrap();
        hub.open_question("q1", raw(r#"{"id":"q1","params":{"message":"\ud800"}}"#));
        let mut connection = ConnectionState::new("auto", ConnectionStatus::Open, 1);
        connection.capabilities.extensions.insert("x", raw(r#"{"a":"\ud800"}"#));
        hub.connection(connection);
        let (snapshot, _) = hub.subscribe();
        assert!(snapshot.starts_with(r#"{"type":"snapshot","state":{"#) && snapshot.ends_with("]}"), "{snapshot}");
        assert_eq!(snapshot.matches(r"\ud800").count(), 2, "{snapshot}");
    }
}
