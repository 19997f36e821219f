//! A server that says exactly what a test wants it to, line by line.

use std::future::IntoFuture;
use std::time::Duration;

use ferromcp_client::{Client, ClientBuilder, ClientError, Connector, Opened, redial};
use ferromcp_core::Revision;
use ferromcp_transport::memory::{MemoryRx, MemoryTx};
use ferromcp_transport::{Frame, FrameRx, FrameTx, Memory, Outbound, Transport, memory};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The far end of a pipe, in the hands of a test.
pub(crate) struct Far {
    rx: MemoryRx,
    tx: MemoryTx,
}

pub(crate) fn builder() -> ClientBuilder {
    Client::new("tester", "1.0.0")
}

/// A transport for a client, and its far end.
pub(crate) fn pair() -> (Memory, Far) {
    let (near, far) = memory();
    let (rx, tx) = far.split().unwrap();
    (near, Far { rx, tx })
}

/// A connector that opens a pipe each time, and the far ends as they are opened.
pub(crate) fn dialer() -> (impl Connector, UnboundedReceiver<Far>) {
    let (sender, fars) = unbounded_channel();
    let open = move || {
        let (near, far) = pair();
        sender.send(far).unwrap();
        std::future::ready(Ok(Opened::from(near)))
    };
    (redial("scripted", open), fars)
}

/// Waits for what must come soon.
pub(crate) fn soon<F: IntoFuture>(future: F) -> impl Future<Output = F::Output> {
    let future = Box::pin(future.into_future()); // scripts are large
    async { tokio::time::timeout(PATIENCE, future).await.expect("it came in time") }
}

impl Far {
    /// The next message; `None` at the end.
    pub(crate) async fn try_recv(&mut self) -> Option<Value> {
        match soon(self.rx.recv()).await.unwrap()? {
            Frame::Whole(line) => Some(serde_json::from_slice(&line).unwrap()),
            Frame::TooLong { .. } => panic!("a frame beyond the limit"),
        }
    }

    pub(crate) async fn recv(&mut self) -> Value {
        self.try_recv().await.expect("the client is still there")
    }

    /// The next message, which is of `method`.
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

    /// Asks the client something, in the manner of a legacy server.
    pub(crate) async fn ask(&mut self, id: Value, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
    }

    /// Answers the probe as a modern server.
    pub(crate) async fn be_modern(&mut self) {
        let probe = self.expect("server/discover").await;
        self.answer(&probe, discovered(&[Revision::LATEST.as_str()])).await;
    }

    /// Refuses the probe and opens a session.
    pub(crate) async fn be_legacy(&mut self) {
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

/// The result of a modern server's `server/discover`.
pub(crate) fn discovered(versions: &[&str]) -> Value {
    json!({
        "resultType": "complete", "supportedVersions": versions, "ttlMs": 0, "cacheScope": "private",
        "capabilities": { "tools": {}, "resources": { "subscribe": true }, "prompts": {} }, "instructions": "Be kind",
        "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "script", "version": "2" } },
    })
}

/// The result of `initialize`.
pub(crate) fn initialized(version: &str) -> Value {
    json!({
        "protocolVersion": version, "instructions": "Be kind", "serverInfo": { "name": "script", "version": "2" },
        "capabilities": {
            "tools": { "listChanged": true }, "prompts": {}, "logging": {},
            "resources": { "subscribe": true, "listChanged": true },
        },
    })
}

/// A client connected to a script that is modern.
pub(crate) async fn modern(builder: ClientBuilder) -> (Client, Far) {
    let (near, mut far) = pair();
    let (client, ()) = soon(async { tokio::join!(builder.connect(near), far.be_modern()) }).await;
    (client.unwrap(), far)
}

/// A client connected to a script that is legacy.
pub(crate) async fn legacy(builder: ClientBuilder) -> (Client, Far) {
    let (near, mut far) = pair();
    let (client, ()) = soon(async { tokio::join!(builder.connect(near), far.be_legacy()) }).await;
    (client.unwrap(), far)
}

/// Connects while `script` runs, and gives what came of it.
pub(crate) async fn connect_to<F: AsyncFnOnce(&mut Far)>(
    builder: ClientBuilder,
    script: F,
) -> (Result<Client, ClientError>, Far) {
    let (near, mut far) = pair();
    let (client, ()) = soon(async { tokio::join!(builder.connect(near), script(&mut far)) }).await;
    (client, far)
}

/// A text as a tool answers it.
pub(crate) fn text(text: &str) -> Value {
    json!({ "resultType": "complete", "content": [{ "type": "text", "text": text }] })
}
