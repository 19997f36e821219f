//! Test client that sends and receives lines of JSON, so that tests assert on wire messages.
//!
//! The client validates each received message against the rules that apply to all messages.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_core::Revision;
use ferromcp_core::meta::key;
use ferromcp_server::{ServeError, Server};
use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport, memory, unix};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::schema_validation;

/// The maximum time to wait for an expected message.
const RECV_TIMEOUT: Duration = Duration::from_secs(10);

/// The transport of a test connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// In-process frames.
    Memory,
    /// Lines on a Unix socket.
    Socket,
}

impl Wire {
    pub(crate) const ALL: [Self; 2] = [Self::Memory, Self::Socket];
}

/// One entry of the test matrix: revision and transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) revision: Revision,
    pub(crate) wire: Wire,
}

impl Case {
    /// Iterates over all revisions and transports.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Revision::ALL.into_iter().flat_map(|revision| Wire::ALL.map(|wire| Self { revision, wire }))
    }

    /// Iterates over the revisions with sessions.
    pub(crate) fn legacy() -> impl Iterator<Item = Self> {
        Self::all().filter(|case| !case.is_modern())
    }

    /// Iterates over the revisions without sessions.
    pub(crate) fn modern() -> impl Iterator<Item = Self> {
        Self::all().filter(|case| case.is_modern())
    }

    /// Returns the latest revision of each era, for slow tests.
    pub(crate) fn eras() -> [Self; 2] {
        [
            Self { revision: Revision::LATEST_LEGACY, wire: Wire::Socket },
            Self { revision: Revision::LATEST, wire: Wire::Memory },
        ]
    }

    pub(crate) fn is_modern(self) -> bool {
        self.revision.is_modern()
    }
}

/// A connected test client.
pub(crate) struct Client {
    case: Case,
    out: Option<UnboundedSender<Vec<u8>>>,
    lines: UnboundedReceiver<Bytes>,
    /// Messages received while waiting for another message.
    seen: VecDeque<Value>,
    next_id: i64,
    both_eras: bool,
    /// The declared client capabilities. Server requests are rejected if this is empty.
    capabilities: Value,
    /// The ids of the received server requests.
    request_ids: HashSet<String>,
    served: JoinHandle<Result<(), ServeError>>,
}

impl Client {
    /// Connects to `server`, and completes the handshake if the revision has one.
    pub(crate) async fn connect(server: Server, case: Case) -> Self {
        let mut client = Self::raw(server, case);
        if !case.is_modern() {
            client.initialize().await;
        }
        client
    }

    /// Connects to `server` without a handshake.
    pub(crate) fn raw(server: Server, case: Case) -> Self {
        eprintln!("{case:?}");
        match case.wire {
            Wire::Memory => {
                let (near, far) = memory();
                Self::with_transport(server, case, near, far)
            }
            Wire::Socket => {
                let (near, far) = tokio::net::UnixStream::pair().unwrap();
                Self::with_transport(server, case, unix(near), unix(far))
            }
        }
    }

    /// Connects over a pair of transports; the server serves `far`.
    pub(crate) fn with_transport(server: Server, case: Case, near: impl Transport, far: impl Transport) -> Self {
        let served = tokio::spawn(server.serve(far));
        let (mut rx, mut tx) = near.split().unwrap();
        let (out, mut to_send) = unbounded_channel::<Vec<u8>>();
        let (received, lines) = unbounded_channel();
        tokio::spawn(async move {
            while let Some(line) = to_send.recv().await {
                let mut frame = Outbound::new();
                frame.frame(|out| out.extend_from_slice(&line));
                while !frame.is_empty() {
                    if tx.write(&mut frame).await.is_err() {
                        return;
                    }
                }
            }
            let _ = tx.finish().await; // the server may have disconnected first
        });
        tokio::spawn(async move {
            while let Ok(Some(frame)) = rx.recv().await {
                let Frame::Complete(line) = frame else {
                    panic!("the server sent a line that exceeds the client's limit")
                };
                if received.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            case,
            out: Some(out),
            lines,
            seen: VecDeque::new(),
            next_id: 1,
            both_eras: false,
            capabilities: json!({}),
            request_ids: HashSet::new(),
            served,
        }
    }

    /// Declares client capabilities and allows the corresponding server requests.
    pub(crate) fn with_capabilities(mut self, capabilities: Value) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Allows messages of both eras on this connection, and disables the checks that depend on the era.
    pub(crate) fn allow_both_eras(mut self) -> Self {
        self.both_eras = true;
        self
    }

    /// Initializes the session and returns the result.
    pub(crate) async fn initialize(&mut self) -> Value {
        let params = self.initialize_params(self.case.revision.as_str());
        let id = self.start("initialize", params);
        let answer = self.answer(id).await;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        answer["result"].clone()
    }

    /// Returns the parameters of an `initialize` request for `version`.
    pub(crate) fn initialize_params(&self, version: &str) -> Value {
        let client_info = json!({ "name": "test", "version": "0" });
        json!({ "protocolVersion": version, "capabilities": self.capabilities, "clientInfo": client_info })
    }

    pub(crate) fn send_bytes(&mut self, line: impl Into<Vec<u8>>) {
        let _ = self.out.as_ref().expect("the client has closed its side").send(line.into());
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.send_bytes(message.to_string());
    }

    /// Builds a request, with `_meta` if the era requires it.
    pub(crate) fn request_of(&self, id: impl Into<Value>, method: &str, params: Value) -> Value {
        let mut params = match params {
            Value::Null => Map::new(),
            Value::Object(params) => params,
            other => panic!("params must be an object, not {other}"),
        };
        if self.case.is_modern() {
            let meta = params.entry("_meta").or_insert_with(|| json!({}));
            let mut merged = modern_meta();
            merged[key::CLIENT_CAPABILITIES] = self.capabilities.clone();
            merged.as_object_mut().unwrap().extend(meta.as_object().unwrap().clone());
            *meta = merged;
        }
        json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
    }

    /// Sends a request and returns its id.
    pub(crate) fn start(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        let request = self.request_of(id, method, params);
        self.send(&request);
        id
    }

    /// Sends a `tools/call` request and returns its id.
    pub(crate) fn start_call(&mut self, tool: &str, arguments: Value) -> i64 {
        self.start("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    pub(crate) fn cancel(&mut self, id: impl Into<Value>) {
        self.notify("notifications/cancelled", json!({ "requestId": id.into(), "reason": "no longer wanted" }));
    }

    /// Returns the next message.
    pub(crate) async fn recv(&mut self) -> Value {
        if let Some(message) = self.seen.pop_front() {
            return message;
        }
        self.recv_new().await.expect("the server disconnected")
    }

    /// Receives and checks a message from the transport; `None` if the server disconnected.
    async fn recv_new(&mut self) -> Option<Value> {
        let line =
            tokio::time::timeout(RECV_TIMEOUT, self.lines.recv()).await.expect("timed out waiting for a message")?;
        let message: Value =
            serde_json::from_slice(&line).unwrap_or_else(|error| panic!("invalid JSON: {error}: {line:?}"));
        if message.get("method").is_some() && message.get("id").is_some() {
            self.check_server_request(&message);
            return Some(message);
        }
        if message["result"]["resultType"] == "input_required" {
            self.check_input_required(&message);
            return Some(message);
        }
        Some(check_message(self.case, self.both_eras, message))
    }

    /// Checks the rules for every `input_required` result.
    // M26-233, M26-234, M26-236, M26-237, M26-238, M26-240
    fn check_input_required(&self, message: &Value) {
        assert!(self.capabilities != json!({}) && self.case.is_modern(), "unexpected input_required result: {message}");
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        assert!(message["id"].is_string() || message["id"].is_i64(), "{message}");
        let result = &message["result"];
        assert!(result.get("inputRequests").or(result.get("requestState")).is_some(), "{message}");
        schema_validation::assert_valid(self.case.revision, "InputRequiredResult", result);
    }

    /// Checks the rules for every server request.
    // S-001, S-004, S-005, S-006, S-389, S-390, S-391, S-424, S-425, S-427, S-428, S-429, S-431
    fn check_server_request(&mut self, question: &Value) {
        assert!(self.capabilities != json!({}) && !self.case.is_modern(), "unexpected server request: {question}");
        assert_eq!(question["jsonrpc"], "2.0", "{question}");
        assert!(question["id"].is_string() || question["id"].is_i64(), "{question}");
        assert!(self.request_ids.insert(question["id"].to_string()), "duplicate request id: {question}");
        assert!(question.get("result").or(question.get("error")).is_none(), "{question}");
        schema_validation::assert_valid_request(self.case.revision, question);
    }

    /// Receives the next message, which must be a server request with this method.
    pub(crate) async fn question(&mut self, method: &str) -> Value {
        let question = self.recv().await;
        assert_eq!(question["method"], method, "{question}");
        assert!(question.get("id").is_some(), "{question}");
        question
    }

    /// Sends a result for a server request.
    pub(crate) fn reply(&mut self, question: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }));
    }

    /// Waits for the response to `id`. Messages received earlier stay queued for [`recv`](Self::recv).
    pub(crate) async fn answer(&mut self, id: impl Into<Value>) -> Value {
        let id = id.into();
        let matches = |message: &Value| message.get("method").is_none() && message["id"] == id;
        if let Some(index) = self.seen.iter().position(matches) {
            return self.seen.remove(index).unwrap();
        }
        loop {
            let message =
                self.recv_new().await.unwrap_or_else(|| panic!("the server disconnected before responding to {id}"));
            if matches(&message) {
                return message;
            }
            self.seen.push_back(message);
        }
    }

    /// Sends a request, waits for its response, and returns all messages received before it.
    pub(crate) async fn fence(&mut self) -> Vec<Value> {
        let id = self.start("fence/none", json!({}));
        let answer = self.answer(id).await;
        assert_eq!(answer["error"]["code"], -32601, "{answer}");
        self.seen.drain(..).collect()
    }

    /// Returns the queued messages without waiting.
    pub(crate) fn seen(&mut self) -> Vec<Value> {
        self.seen.drain(..).collect()
    }

    /// Sends a request and returns its response.
    pub(crate) async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.start(method, params);
        self.answer(id).await
    }

    /// Sends a request that must succeed and returns its result.
    pub(crate) async fn result(&mut self, method: &str, params: Value) -> Value {
        let answer = self.request(method, params).await;
        answer.get("result").unwrap_or_else(|| panic!("{method} failed: {answer}")).clone()
    }

    /// Sends a request that must fail and returns its error.
    pub(crate) async fn error(&mut self, method: &str, params: Value) -> Value {
        let answer = self.request(method, params).await;
        answer.get("error").unwrap_or_else(|| panic!("{method} did not fail: {answer}")).clone()
    }

    /// Calls a tool and returns its result.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// Calls a tool that must succeed and returns the text of its only content block.
    pub(crate) async fn text(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_ne!(result["isError"], true, "{result}");
        only_text(&result)
    }

    /// Calls a tool that must return a tool error and returns the error text.
    pub(crate) async fn tool_error(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert!(result.get("structuredContent").is_none(), "{result}");
        only_text(&result)
    }

    /// Asserts that the server responds and that no other messages were received.
    pub(crate) async fn assert_alive(&mut self) {
        let rest = self.fence().await;
        assert!(rest.is_empty(), "unexpected messages: {rest:?}");
    }

    /// Disconnects, and waits until serving ends.
    pub(crate) async fn close(mut self) -> Result<(), ServeError> {
        self.out = None;
        let served = tokio::time::timeout(RECV_TIMEOUT, &mut self.served).await;
        served.expect("timed out waiting for the server to stop").expect("serving panicked")
    }

    /// Closes the sending side and returns the remaining messages and the result of serving.
    pub(crate) async fn drain(mut self) -> (Vec<Value>, Result<(), ServeError>) {
        self.out = None;
        let mut rest: Vec<Value> = self.seen.drain(..).collect();
        while let Some(message) = self.recv_new().await {
            rest.push(message);
        }
        (rest, self.close().await)
    }
}

/// Returns the `_meta` required in each modern request.
pub(crate) fn modern_meta() -> Value {
    json!({
        key::PROTOCOL_VERSION: Revision::LATEST.as_str(),
        key::CLIENT_CAPABILITIES: {},
        key::CLIENT_INFO: { "name": "test", "version": "0" },
    })
}

/// Returns the text of the only content block.
pub(crate) fn only_text(result: &Value) -> String {
    let content = result["content"].as_array().unwrap_or_else(|| panic!("no content: {result}"));
    assert_eq!(content.len(), 1, "{result}");
    assert_eq!(content[0]["type"], "text", "{result}");
    content[0]["text"].as_str().unwrap().to_owned()
}

/// Checks the rules for every message.
// M26-002, M26-006, M26-007, M26-008, M26-013, M26-015, M26-016, M26-020, M26-021, M26-057, M26-058, M26-123, M26-124
// S-001, S-008, S-010, S-011, S-013, S-018, S-019, S-085, S-105, S-106, S-112
fn check_message(case: Case, both_eras: bool, message: Value) -> Value {
    if let Value::Array(batch) = message {
        assert_eq!(case.revision, Revision::V2025_03_26, "unexpected batch: {batch:?}");
        return batch.into_iter().map(|message| check_message(case, both_eras, message)).collect();
    }
    assert_eq!(message["jsonrpc"], "2.0", "{message}");
    if let Some(method) = message.get("method") {
        assert!(message.get("id").is_none(), "{message}");
        assert!(method.as_str().is_some_and(|method| method.starts_with("notifications/")), "{message}");
        assert!(message.get("result").or(message.get("error")).is_none(), "{message}");
        return message;
    }
    assert!(
        message.get("result").is_some() != message.get("error").is_some(),
        "exactly one of result and error is required: {message}"
    );
    if let Some(error) = message.get("error") {
        assert!(error["code"].is_i64() && error["message"].is_string(), "{message}");
        let id = message.get("id");
        assert!(id.is_none_or(|id| id.is_string() || id.is_i64()), "{message}");
        assert!(
            id.is_some() || both_eras || case.revision >= Revision::LATEST_LEGACY,
            "error response without id: {message}"
        );
        return message;
    }
    assert!(message["id"].is_string() || message["id"].is_i64(), "{message}");
    let result = &message["result"];
    let info = &result["_meta"][key::SERVER_INFO];
    if both_eras {
        return message;
    }
    if case.is_modern() {
        assert_eq!(result["resultType"], "complete", "{message}");
        assert!(info["name"].is_string() && info["version"].is_string(), "{message}");
    } else {
        assert!(result.get("resultType").is_none() && info.is_null(), "{message}");
    }
    message
}
