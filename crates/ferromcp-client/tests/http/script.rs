//! A server that answers one request after the other as the test says, and remembers what was asked.

use std::future::IntoFuture;

use ferromcp_client::{Client, ClientBuilder, ClientError, ClientLimits};
use ferromcp_core::Revision;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::wire::{Asked, PATIENCE, Wire, both, options};

/// An answer, made of the request.
pub(crate) type Say = Box<dyn Fn(&Asked) -> String>;

pub(crate) fn builder() -> ClientBuilder {
    Client::builder("tester", "1.0.0").http(options())
}

/// A client that resends nothing by itself and is not patient.
pub(crate) fn hasty() -> ClientBuilder {
    let mut limits = ClientLimits::default();
    limits.retries = 0;
    builder().limits(limits)
}

/// A response after which the connection is closed.
pub(crate) fn closing(status: u16, media_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Type: {media_type}\r\nContent-Length: \
         {length}\r\n\r\n{body}"
    )
}

/// Just this.
pub(crate) fn says(status: u16, media_type: &'static str, body: &'static str) -> Say {
    Box::new(move |_| closing(status, media_type, body))
}

/// A result for whatever was asked.
pub(crate) fn gives(result: Value) -> Say {
    Box::new(move |asked| closing(200, "application/json", &response(asked, "result", &result)))
}

/// An error for whatever was asked.
#[allow(clippy::needless_pass_by_value, reason = "values of tests are written where they are given")]
pub(crate) fn refuses(status: u16, code: i64, data: Value) -> Say {
    let error = json!({ "code": code, "message": "no", "data": data });
    Box::new(move |asked| closing(status, "application/json", &response(asked, "error", &error)))
}

/// Takes a notification.
pub(crate) fn takes() -> Say {
    says(202, "text/plain", "")
}

fn response(asked: &Asked, kind: &str, value: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": asked.json()["id"], kind: value }).to_string()
}

/// The same with a header that begins or repeats a session.
pub(crate) fn within(session: &'static str, say: Say) -> Say {
    let header = format!("Mcp-Session-Id: {session}\r\nContent-Type");
    Box::new(move |asked| say(asked).replacen("Content-Type", &header, 1))
}

/// The result of a modern server's `server/discover`.
pub(crate) fn discovered(versions: &[&str]) -> Value {
    json!({ "resultType": "complete", "supportedVersions": versions, "ttlMs": 0, "cacheScope": "private",
        "capabilities": { "tools": {}, "resources": { "subscribe": true } } })
}

/// The result of `initialize`.
pub(crate) fn initialized(revision: Revision) -> Value {
    json!({ "protocolVersion": revision.as_str(), "serverInfo": { "name": "script", "version": "2" },
        "capabilities": { "tools": { "listChanged": true }, "logging": {} } })
}

/// The result of a tool.
pub(crate) fn text(text: &str) -> Value {
    json!({ "resultType": "complete", "content": [{ "type": "text", "text": text }] })
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a body of JSON")
    }

    /// The method of JSON-RPC; of HTTP where there is no body.
    pub(crate) fn what(&self) -> String {
        if self.body.is_empty() { self.method.clone() } else { self.json()["method"].as_str().unwrap_or("").to_owned() }
    }
}

impl Wire {
    /// Answers requests one after the other.
    pub(crate) async fn play(&self, script: &[Say]) -> Vec<Asked> {
        let mut asked = Vec::new();
        for say in script {
            let (request, mut peer) = self.asked().await;
            peer.say(say(&request)).await;
            asked.push(request);
        }
        asked
    }

    /// Connects to this server while it plays.
    pub(crate) async fn connect(
        &self,
        builder: ClientBuilder,
        script: &[Say],
    ) -> (Result<Client, ClientError>, Vec<Asked>) {
        both(builder.connect(self.url("/mcp")), self.play(script)).await
    }
}

/// What was asked, in a word each.
pub(crate) fn words(asked: &[Asked]) -> Vec<String> {
    asked.iter().map(Asked::what).collect()
}

/// Waits for what must come soon.
pub(crate) async fn soon<F: IntoFuture>(future: F) -> F::Output {
    timeout(PATIENCE, future.into_future()).await.expect("it came in time")
}
