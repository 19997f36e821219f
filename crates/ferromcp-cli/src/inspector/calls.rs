//! Requests of the page to the server, which can be cancelled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ferromcp_client::ClientError;
use ferromcp_core::model::LogLevel;
use ferromcp_core::wire::{FromClient, Incoming, Message, decode};
use ferromcp_core::{ClientRequest, RawJson, Str};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::oneshot;

use super::sessions::OpenConnection;
use crate::record::hub::Hub;
use crate::record::{CALL, CallContext};

/// Maximum number of calls in flight.
const MAX_CALLS: usize = 256;

/// Default timeout of a call.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Maximum duration of a call, regardless of progress.
const TIME_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A request of the page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    pub(super) connection: String,
    call: String,
    method: String,
    #[serde(default = "RawJson::empty_object")]
    params: RawJson,
    log_level: Option<LogLevel>,
    timeout: Option<f64>,
}

/// The calls in flight. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Calls {
    hub: Arc<Hub>,
    in_flight: Arc<Mutex<HashMap<String, oneshot::Sender<()>>>>,
}

/// Removes a call when it ends.
struct InFlight<'a> {
    calls: &'a Calls,
    call: &'a str,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.calls.lock().remove(self.call);
    }
}

impl Calls {
    /// Creates an empty table.
    pub(super) fn new(hub: &Arc<Hub>) -> Self {
        Self { hub: Arc::clone(hub), in_flight: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<()>>> {
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cancels a call. Returns `false` if it does not exist.
    pub(super) fn cancel(&self, call: &str) -> bool {
        self.lock().remove(call).is_some_and(|cancel| cancel.send(()).is_ok())
    }

    /// Sends a request, and returns its result or error.
    ///
    /// # Errors
    /// Fails if the request is invalid, with a message for the page.
    pub(super) async fn send(&self, connection: &OpenConnection, request: Request) -> Result<RawJson, String> {
        let decoded = decode_request(&request)?;
        let (cancel, cancelled) = oneshot::channel();
        {
            let mut in_flight = self.lock();
            if in_flight.len() >= MAX_CALLS {
                return Err(format!("{MAX_CALLS} calls are in flight already; cancel one"));
            }
            if in_flight.insert(request.call.clone(), cancel).is_some() {
                return Err(format!("the call `{}` is in flight already; choose another id", request.call));
            }
        }
        let _in_flight = InFlight { calls: self, call: &request.call };
        let started = Instant::now();
        let outcome = tokio::select! {
            outcome = self.run(connection, &request, decoded) => outcome,
            _ = cancelled => Err(local_error("cancelled")),
        };
        let duration = started.elapsed().as_secs_f64() * 1000.0;
        let response = match outcome {
            Ok(result) => Response { result: Some(result), error: None, duration },
            Err(error) => Response { result: None, error: Some(error), duration },
        };
        RawJson::new(&response).map_err(|error| format!("cannot serialize the result: {error}"))
    }

    /// Returns the result or the error as JSON text: a `Value` cannot contain every text of a server.
    async fn run(
        &self,
        connection: &OpenConnection,
        request: &Request,
        decoded: ClientRequest,
    ) -> Result<RawJson, RawJson> {
        let timeout = request.timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(TIMEOUT);
        let context = Arc::new(CallContext::new(Str::from(request.call.as_str())));
        let (hub, call) = (Arc::clone(&self.hub), request.call.clone());
        let mut sent = connection.client.forward(decoded).timeout(timeout).time_limit(TIME_LIMIT.max(timeout));
        sent = sent.on_progress(move |progress| {
            hub.progress(&call, progress.progress, progress.total, progress.message.as_deref());
        });
        if let Some(level) = request.log_level.or(connection.log_level()).filter(|_| connection.is_modern()) {
            sent = sent.log_level(level);
        }
        match CALL.scope(Arc::clone(&context), sent.into_future()).await {
            // The result as the server has sent it; the other one is repaired.
            Ok(result) => match context.take_result() {
                Some(received) => Ok(received),
                None => RawJson::new(&result).map_err(|error| local_error(&error.to_string())),
            },
            Err(error) => Err(error_of(&error)),
        }
    }
}

/// The response to a request of the page.
#[derive(Serialize)]
struct Response {
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<RawJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<RawJson>,
    /// Milliseconds.
    duration: f64,
}

/// Converts the request of the page.
fn decode_request(request: &Request) -> Result<ClientRequest, String> {
    #[derive(Serialize)]
    struct Frame<'a> {
        jsonrpc: &'static str,
        id: u8,
        method: &'a str,
        params: &'a RawJson,
    }
    let frame = Frame { jsonrpc: "2.0", id: 0, method: &request.method, params: &request.params };
    let frame = serde_json::to_vec(&frame).map_err(|error| error.to_string())?;
    match decode::<FromClient>(Bytes::from(frame)) {
        Ok(Incoming::One(Message::Request { request, .. })) => Ok(request),
        Ok(_) => Err(format!("`{}` is not the method of a request", request.method)),
        Err(error) => Err(error.error.message.clone()),
    }
}

/// Returns the JSON-RPC error, or that of the connection, which has no code.
fn error_of(error: &ClientError) -> RawJson {
    let rpc = error.rpc().and_then(|rpc| RawJson::new(rpc).ok());
    rpc.unwrap_or_else(|| local_error(&error.to_string()))
}

fn local_error(message: &str) -> RawJson {
    RawJson::from(json!({ "code": null, "message": message }))
}
