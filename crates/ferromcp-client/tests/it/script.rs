//! A scripted server: tests send and receive individual messages.

use std::future::IntoFuture;
use std::time::Duration;

use ferromcp_client::{Client, ClientBuilder, ClientError, Connector, Opened, reconnect_with};
use ferromcp_core::Revision;
use ferromcp_transport::{Frame, FrameRx, FrameTx, Memory, MemoryRx, MemoryTx, Outbound, Transport, memory};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Timeout of expected messages.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The server end of a pipe, controlled by a test.
pub(crate) struct ScriptedServer {
    rx: MemoryRx,
    tx: MemoryTx,
}

pub(crate) fn builder() -> ClientBuilder {
    Client::builder("tester", "1.0.0")
}

/// Creates a transport for a client, and its server end.
pub(crate) fn pair() -> (Memory, ScriptedServer) {
    let (near, peer) = memory();
    let (rx, tx) = peer.split().unwrap();
    (near, ScriptedServer { rx, tx })
}

/// Creates a connector that opens a pipe per connection, and a channel of the server ends.
pub(crate) fn reconnecting_connector() -> (impl Connector, UnboundedReceiver<ScriptedServer>) {
    let (sender, peers) = unbounded_channel();
    let open = move || {
        let (near, peer) = pair();
        sender.send(peer).unwrap();
        std::future::ready(Ok(Opened::from(near)))
    };
    (reconnect_with("scripted", open), peers)
}

/// Awaits a future with the timeout.
pub(crate) fn soon<F: IntoFuture>(future: F) -> impl Future<Output = F::Output> {
    let future = Box::pin(future.into_future()); // boxed, because scripts are large futures
    async { tokio::time::timeout(TIMEOUT, future).await.expect("timed out") }
}

impl ScriptedServer {
    /// Receives the next message; `None` at end of input.
    pub(crate) async fn try_recv(&mut self) -> Option<Value> {
        match soon(self.rx.recv()).await.unwrap()? {
            Frame::Complete(line) => Some(serde_json::from_slice(&line).unwrap()),
            Frame::TooLong { .. } => panic!("frame exceeds the limit"),
        }
    }

    pub(crate) async fn recv(&mut self) -> Value {
        self.try_recv().await.expect("the client disconnected")
    }

    /// Receives the next message, and asserts its method.
    pub(crate) async fn expect(&mut self, method: &str) -> Value {
        let message = self.recv().await;
        assert_eq!(message["method"], method, "{message}");
        message
    }

    pub(crate) async fn line(&mut self, line: &str) {
        let mut out = Outbound::new();
        out.frame(|buffer| buffer.extend_from_slice(line.as_bytes()));
        while !out.is_empty() {
            if self.tx.write(&mut out).await.is_err() {
                return;
            }
        }
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.line(&message.to_string()).await;
    }

    pub(crate) async fn answer(&mut self, request: &Value, result: Value) {
        self.send(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })).await;
    }

    pub(crate) async fn fail(&mut self, request: &Value, code: i64, data: Value) {
        let error = json!({ "code": code, "message": "no", "data": data });
        self.send(json!({ "jsonrpc": "2.0", "id": request["id"], "error": error })).await;
    }

    pub(crate) async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    /// Sends a request to the client, as a legacy server.
    pub(crate) async fn ask(&mut self, id: Value, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
    }

    /// Answers the probe as a modern server.
    pub(crate) async fn negotiate_modern(&mut self) {
        let probe = self.expect("server/discover").await;
        self.answer(&probe, discovered(&[Revision::LATEST.as_str()])).await;
    }

    /// Rejects the probe and opens a session.
    pub(crate) async fn negotiate_legacy(&mut self) {
        let probe = self.expect("server/discover").await;
        self.fail(&probe, -32601, Value::Null).await;
        self.open_session().await;
    }

    pub(crate) async fn open_session(&mut self) -> Value {
        let opening = self.expect("initialize").await;
        self.answer(&opening, initialized(opening["params"]["protocolVersion"].as_str().unwrap())).await;
        self.expect("notifications/initialized").await;
        opening
    }
}

/// Returns a result of `server/discover`.
pub(crate) fn discovered(versions: &[&str]) -> Value {
    json!({
        "resultType": "complete", "supportedVersions": versions, "ttlMs": 0, "cacheScope": "private",
        "capabilities": { "tools": {}, "resources": { "subscribe": true }, "prompts": {} }, "instructions": "Be kind",
        "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "script", "version": "2" } },
    })
}

/// Returns a result of `initialize`.
pub(crate) fn initialized(version: &str) -> Value {
    json!({
        "protocolVersion": version, "instructions": "Be kind", "serverInfo": { "name": "script", "version": "2" },
        "capabilities": {
            "tools": { "listChanged": true }, "prompts": {}, "logging": {},
            "resources": { "subscribe": true, "listChanged": true },
        },
    })
}

/// Connects a client to a modern scripted server.
pub(crate) async fn modern(builder: ClientBuilder) -> (Client, ScriptedServer) {
    let (near, mut peer) = pair();
    let (client, ()) = soon(async { tokio::join!(builder.connect(near), peer.negotiate_modern()) }).await;
    (client.unwrap(), peer)
}

/// Connects a client to a legacy scripted server.
pub(crate) async fn legacy(builder: ClientBuilder) -> (Client, ScriptedServer) {
    let (near, mut peer) = pair();
    let (client, ()) = soon(async { tokio::join!(builder.connect(near), peer.negotiate_legacy()) }).await;
    (client.unwrap(), peer)
}

/// Connects while `script` runs, and returns the outcome.
pub(crate) async fn connect_to<F: AsyncFnOnce(&mut ScriptedServer)>(
    builder: ClientBuilder,
    script: F,
) -> (Result<Client, ClientError>, ScriptedServer) {
    let (near, mut peer) = pair();
    let (client, ()) = soon(async { tokio::join!(builder.connect(near), script(&mut peer)) }).await;
    (client, peer)
}

/// Returns a tool result with a text.
pub(crate) fn text(text: &str) -> Value {
    json!({ "resultType": "complete", "content": [{ "type": "text", "text": text }] })
}
