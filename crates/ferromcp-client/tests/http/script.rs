//! A scripted server: sends the given responses in order, and records the requests.

use std::future::IntoFuture;

use ferromcp_client::http::HttpOptions;
use ferromcp_client::{Client, ClientBuilder, ClientError, ClientLimits};
use ferromcp_core::Revision;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::wire::{ReceivedRequest, TEST_TIMEOUT, Wire, run_both};

/// Creates a response from the request.
pub(crate) type Respond = Box<dyn Fn(&ReceivedRequest) -> String>;

/// Options for a local server.
pub(crate) fn options() -> HttpOptions {
    HttpOptions::new().no_proxy()
}

pub(crate) fn builder() -> ClientBuilder {
    Client::builder("tester", "1.0.0").http(options())
}

/// Creates a client without retries and with short timeouts.
pub(crate) fn impatient_builder() -> ClientBuilder {
    let limits = ClientLimits::new().retries(0);
    builder().limits(limits)
}

/// Creates a response with `Connection: close`.
pub(crate) fn closing(status: u16, media_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Type: {media_type}\r\nContent-Length: \
         {length}\r\n\r\n{body}"
    )
}

/// Responds with a fixed body.
pub(crate) fn respond_with(status: u16, media_type: &'static str, body: &'static str) -> Respond {
    Box::new(move |_| closing(status, media_type, body))
}

/// Responds with a JSON-RPC result.
pub(crate) fn json_result(result: Value) -> Respond {
    Box::new(move |asked| closing(200, "application/json", &response(asked, "result", &result)))
}

/// Responds with a JSON-RPC error.
#[allow(clippy::needless_pass_by_value, reason = "keeps the tests concise")]
pub(crate) fn json_error(status: u16, code: i64, data: Value) -> Respond {
    let error = json!({ "code": code, "message": "no", "data": data });
    Box::new(move |asked| closing(status, "application/json", &response(asked, "error", &error)))
}

/// Accepts a notification.
pub(crate) fn accept_notification() -> Respond {
    respond_with(202, "text/plain", "")
}

fn response(asked: &ReceivedRequest, kind: &str, value: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": asked.json()["id"], kind: value }).to_string()
}

/// Adds a session ID header to a response.
pub(crate) fn with_session_id(session: &'static str, say: Respond) -> Respond {
    let header = format!("Mcp-Session-Id: {session}\r\nContent-Type");
    Box::new(move |asked| say(asked).replacen("Content-Type", &header, 1))
}

/// Creates a result of `server/discover`.
pub(crate) fn discovered(versions: &[&str]) -> Value {
    json!({ "resultType": "complete", "supportedVersions": versions, "ttlMs": 0, "cacheScope": "private",
        "capabilities": { "tools": {}, "resources": { "subscribe": true } } })
}

/// Creates a result of `initialize`.
pub(crate) fn initialized(revision: Revision) -> Value {
    json!({ "protocolVersion": revision.as_str(), "serverInfo": { "name": "script", "version": "2" },
        "capabilities": { "tools": { "listChanged": true }, "logging": {} } })
}

/// Creates a tool result.
pub(crate) fn text(text: &str) -> Value {
    json!({ "resultType": "complete", "content": [{ "type": "text", "text": text }] })
}

impl ReceivedRequest {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a body of JSON")
    }

    /// Returns the JSON-RPC method, or the HTTP method if there is no body.
    pub(crate) fn method_name(&self) -> String {
        if self.body.is_empty() { self.method.clone() } else { self.json()["method"].as_str().unwrap_or("").to_owned() }
    }
}

impl Wire {
    /// Sends the responses in order.
    pub(crate) async fn play(&self, script: &[Respond]) -> Vec<ReceivedRequest> {
        let mut asked = Vec::new();
        for say in script {
            let (request, mut peer) = self.asked().await;
            peer.say(say(&request)).await;
            asked.push(request);
        }
        asked
    }

    /// Connects a client to this server while the script runs.
    pub(crate) async fn connect(
        &self,
        builder: ClientBuilder,
        script: &[Respond],
    ) -> (Result<Client, ClientError>, Vec<ReceivedRequest>) {
        run_both(builder.connect(self.url("/mcp")), self.play(script)).await
    }
}

/// Returns the methods of the requests.
pub(crate) fn methods(asked: &[ReceivedRequest]) -> Vec<String> {
    asked.iter().map(ReceivedRequest::method_name).collect()
}

/// Awaits a future with a timeout.
pub(crate) async fn with_timeout<F: IntoFuture>(future: F) -> F::Output {
    timeout(TEST_TIMEOUT, future.into_future()).await.expect("finishes in time")
}
