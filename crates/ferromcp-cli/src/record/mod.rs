//! Records the messages of connections, for `mcp dev`.
//!
//! | module | content |
//! |---|---|
//! | `hub` | the state that pages show, and the events that change it |
//! | `history` | recent records, with a limit of their number and size |
//! | `channel` | a connection that records its messages |
//! | `headers` | the HTTP headers of a request |

mod channel;
mod headers;
mod history;
pub(crate) mod hub;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use ferromcp_client::{Client, ClientBuilder, ClientError, ConnectOptions, Connector, Target};
use ferromcp_core::{RawJson, Str};
use serde::Serialize;

use channel::RecordedConnector;
use hub::Hub;

pub(crate) use headers::RecordedCredentials;

/// Maximum size of the payload of a recorded message, in bytes. Larger payloads are omitted.
pub(crate) const MAX_PAYLOAD: usize = 4 << 20;

tokio::task_local! {
    /// The call of the page that the current task sends.
    pub(crate) static CALL: Arc<CallContext>;
}

/// A call of the page.
pub(crate) struct CallContext {
    pub(crate) id: Str,
    /// The latest result that the server has sent for it.
    result: Mutex<Option<RawJson>>,
}

impl CallContext {
    /// Creates the context of a call with this id.
    pub(crate) fn new(id: Str) -> Self {
        Self { id, result: Mutex::default() }
    }

    /// Returns the latest result as the server has sent it.
    pub(crate) fn take_result(&self) -> Option<RawJson> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set_result(&self, result: RawJson) {
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }
}

/// Records the messages of one connection. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Recorder {
    connection: &'static str,
    hub: Arc<Hub>,
}

/// The direction of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Direction {
    Sent,
    Received,
}

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum MessageKind {
    Request,
    Response,
    Notification,
}

/// The contents of a message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Payload {
    Params(RawJson),
    Result(RawJson),
    Error(RawJson),
}

impl Payload {
    fn size(&self) -> usize {
        match self {
            Self::Params(json) | Self::Result(json) | Self::Error(json) => json.as_str().len(),
        }
    }
}

/// The HTTP exchange of a request. Values of headers with credentials are omitted.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpExchange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    pub(crate) request_headers: Vec<(String, String)>,
    pub(crate) response_headers: Vec<(String, String)>,
}

/// A recorded message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageRecord {
    /// Set by the hub.
    pub(crate) seq: u64,
    pub(crate) connection: &'static str,
    /// Milliseconds since the Unix epoch.
    pub(crate) time: u64,
    pub(crate) direction: Direction,
    pub(crate) kind: MessageKind,
    pub(crate) id: Option<RawJson>,
    pub(crate) method: String,
    /// Omitted if it is too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<Payload>,
    /// The record of the request that a response belongs to.
    pub(crate) request: Option<u64>,
    /// Milliseconds between a request and its response.
    pub(crate) duration: Option<f64>,
    pub(crate) call: Option<Str>,
    pub(crate) size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<HttpExchange>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) truncated: bool,
}

impl Recorder {
    /// Creates the recorder of a connection.
    pub(crate) fn new(hub: &Arc<Hub>, connection: &'static str) -> Self {
        Self { connection, hub: Arc::clone(hub) }
    }

    /// Connects, and records the messages of the connection.
    ///
    /// # Errors
    /// Fails like [`ClientBuilder::connect`].
    pub(crate) async fn connect<M>(&self, builder: ClientBuilder, target: impl Target<M>) -> Result<Client, ClientError> {
        builder.connect(Recorded { target, recorder: self.clone() }).await
    }

    /// Creates a record with the current time.
    fn record(&self, direction: Direction, kind: MessageKind, method: &str, payload: Payload) -> MessageRecord {
        let size = payload.size();
        MessageRecord {
            seq: 0,
            connection: self.connection,
            time: unix_millis(),
            direction,
            kind,
            id: None,
            method: method.to_owned(),
            payload: (size <= MAX_PAYLOAD).then_some(payload),
            request: None,
            duration: None,
            call: None,
            size,
            http: None,
            truncated: size > MAX_PAYLOAD,
        }
    }
}

/// Returns the milliseconds since the Unix epoch.
pub(crate) fn unix_millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// A target whose messages are recorded.
struct Recorded<T> {
    target: T,
    recorder: Recorder,
}

/// Marker for recorded targets. `M` is the marker of the target.
enum ViaRecorded<M> {
    #[expect(dead_code, reason = "a type parameter must be used")]
    Never(std::convert::Infallible, std::marker::PhantomData<M>),
}

impl<M, T: Target<M>> Target<ViaRecorded<M>> for Recorded<T> {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        self.connector_with(&ConnectOptions::default())
    }

    fn connector_with(self, options: &ConnectOptions) -> Result<Box<dyn Connector>, ClientError> {
        let inner = self.target.connector_with(options)?;
        Ok(Box::new(RecordedConnector::new(inner, self.recorder)))
    }
}
