//! A client that knows nothing but lines of JSON, so that tests judge what is on the wire.
//!
//! What every message must keep to is checked here, on each one that arrives, for all tests at once.

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

use crate::official;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the frames travel on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Frames within the process.
    Memory,
    /// Lines through the kernel.
    Socket,
}

impl Wire {
    pub(crate) const ALL: [Self; 2] = [Self::Memory, Self::Socket];
}

/// One place of the matrix: era and revision, and transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) revision: Revision,
    pub(crate) wire: Wire,
}

impl Case {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Revision::ALL.into_iter().flat_map(|revision| Wire::ALL.map(|wire| Self { revision, wire }))
    }

    /// Sessions only.
    pub(crate) fn legacy() -> impl Iterator<Item = Self> {
        Self::all().filter(|case| !case.is_modern())
    }

    /// Without sessions.
    pub(crate) fn modern() -> impl Iterator<Item = Self> {
        Self::all().filter(|case| case.is_modern())
    }

    /// One newest place of each era, for tests that take their time.
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

/// A client at work.
pub(crate) struct Client {
    case: Case,
    out: Option<UnboundedSender<Vec<u8>>>,
    lines: UnboundedReceiver<Bytes>,
    /// Messages that came while something else was waited for.
    seen: VecDeque<Value>,
    next_id: i64,
    mixed: bool,
    /// What it says it can do. One that can do something is asked for it.
    can: Value,
    /// The ids of the questions it was asked.
    asked: HashSet<String>,
    served: JoinHandle<Result<(), ServeError>>,
}

impl Client {
    /// A client of `server`, past the handshake where there is one.
    pub(crate) async fn connect(server: Server, case: Case) -> Self {
        let mut client = Self::raw(server, case);
        if !case.is_modern() {
            client.initialize().await;
        }
        client
    }

    /// A client that has said nothing yet.
    pub(crate) fn raw(server: Server, case: Case) -> Self {
        eprintln!("{case:?}");
        match case.wire {
            Wire::Memory => {
                let (near, far) = memory();
                Self::over(server, case, near, far)
            }
            Wire::Socket => {
                let (near, far) = tokio::net::UnixStream::pair().unwrap();
                Self::over(server, case, unix(near), unix(far))
            }
        }
    }

    /// A client on the near end of a pipe whose far end the server serves.
    pub(crate) fn over(server: Server, case: Case, near: impl Transport, far: impl Transport) -> Self {
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
            let _ = tx.finish().await; // the server may have hung up first
        });
        tokio::spawn(async move {
            while let Ok(Some(frame)) = rx.recv().await {
                let Frame::Whole(line) = frame else { panic!("the server wrote a line beyond the client's limit") };
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
            mixed: false,
            can: json!({}),
            asked: HashSet::new(),
            served,
        }
    }

    /// The client can do this, and may be asked for it.
    pub(crate) fn able(mut self, capabilities: Value) -> Self {
        self.can = capabilities;
        self
    }

    /// The test speaks both eras on this pipe, and looks for itself at what tells them apart.
    pub(crate) fn mixed(mut self) -> Self {
        self.mixed = true;
        self
    }

    /// Opens the session.
    pub(crate) async fn initialize(&mut self) -> Value {
        let opening = self.opening(self.case.revision.as_str());
        let id = self.start("initialize", opening);
        let answer = self.answer(id).await;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        answer["result"].clone()
    }

    /// The parameters of an `initialize` that asks for `version`.
    pub(crate) fn opening(&self, version: &str) -> Value {
        json!({ "protocolVersion": version, "capabilities": self.can, "clientInfo": { "name": "test", "version": "0" } })
    }

    pub(crate) fn send_bytes(&mut self, line: impl Into<Vec<u8>>) {
        let _ = self.out.as_ref().expect("the client's side is open").send(line.into());
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.send_bytes(message.to_string());
    }

    /// A request's text, dressed for the era.
    pub(crate) fn request_of(&self, id: impl Into<Value>, method: &str, params: Value) -> Value {
        let mut params = match params {
            Value::Null => Map::new(),
            Value::Object(params) => params,
            other => panic!("parameters are an object, not {other}"),
        };
        if self.case.is_modern() {
            let meta = params.entry("_meta").or_insert_with(|| json!({}));
            let mut whole = modern_meta();
            whole[key::CLIENT_CAPABILITIES] = self.can.clone();
            whole.as_object_mut().unwrap().extend(meta.as_object().unwrap().clone());
            *meta = whole;
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

    /// Sends a call of a tool and returns its id.
    pub(crate) fn start_call(&mut self, tool: &str, arguments: Value) -> i64 {
        self.start("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    pub(crate) fn cancel(&mut self, id: impl Into<Value>) {
        self.notify("notifications/cancelled", json!({ "requestId": id.into(), "reason": "no longer wanted" }));
    }

    /// The next message.
    pub(crate) async fn recv(&mut self) -> Value {
        if let Some(message) = self.seen.pop_front() {
            return message;
        }
        self.fresh().await.expect("the server hung up")
    }

    async fn fresh(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(PATIENCE, self.lines.recv()).await.expect("nothing came in time")?;
        let message: Value =
            serde_json::from_slice(&line).unwrap_or_else(|error| panic!("not JSON: {error}: {line:?}"));
        if message.get("method").is_some() && message.get("id").is_some() {
            self.judge_question(&message);
            return Some(message);
        }
        if message["result"]["resultType"] == "input_required" {
            self.judge_round(&message);
            return Some(message);
        }
        Some(judged(self.case, self.mixed, message))
    }

    /// What every round of questions keeps to.
    // M26-233, M26-234, M26-236, M26-237, M26-238, M26-240
    fn judge_round(&self, message: &Value) {
        assert!(self.can != json!({}) && self.case.is_modern(), "a round of questions: {message}");
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        assert!(message["id"].is_string() || message["id"].is_i64(), "{message}");
        let result = &message["result"];
        assert!(result.get("inputRequests").or(result.get("requestState")).is_some(), "{message}");
        official::is(self.case.revision, "InputRequiredResult", result);
    }

    /// What every question keeps to.
    // S-001, S-004, S-005, S-006, S-389, S-390, S-391, S-424, S-425, S-427, S-428, S-429, S-431
    fn judge_question(&mut self, question: &Value) {
        assert!(self.can != json!({}) && !self.case.is_modern(), "a request to the client: {question}");
        assert_eq!(question["jsonrpc"], "2.0", "{question}");
        assert!(question["id"].is_string() || question["id"].is_i64(), "{question}");
        assert!(self.asked.insert(question["id"].to_string()), "an id is used once: {question}");
        assert!(question.get("result").or(question.get("error")).is_none(), "{question}");
        official::is_question(self.case.revision, question);
    }

    /// The next message, which must be a question of this method.
    pub(crate) async fn question(&mut self, method: &str) -> Value {
        let question = self.recv().await;
        assert_eq!(question["method"], method, "{question}");
        assert!(question.get("id").is_some(), "{question}");
        question
    }

    /// Answers a question.
    pub(crate) fn reply(&mut self, question: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result }));
    }

    /// The response to `id`; what comes before it is kept for [`recv`](Self::recv).
    pub(crate) async fn answer(&mut self, id: impl Into<Value>) -> Value {
        let id = id.into();
        let is_it = |message: &Value| message.get("method").is_none() && message["id"] == id;
        if let Some(place) = self.seen.iter().position(is_it) {
            return self.seen.remove(place).unwrap();
        }
        loop {
            let message = self.fresh().await.unwrap_or_else(|| panic!("the server hung up before answering {id}"));
            if is_it(&message) {
                return message;
            }
            self.seen.push_back(message);
        }
    }

    /// Everything that came up to now; whatever the server was to say before is in it.
    pub(crate) async fn fence(&mut self) -> Vec<Value> {
        let id = self.start("fence/none", json!({}));
        let answer = self.answer(id).await;
        assert_eq!(answer["error"]["code"], -32601, "{answer}");
        self.seen.drain(..).collect()
    }

    /// What came so far, without waiting.
    pub(crate) fn seen(&mut self) -> Vec<Value> {
        self.seen.drain(..).collect()
    }

    pub(crate) async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.start(method, params);
        self.answer(id).await
    }

    /// The result of a request that must succeed.
    pub(crate) async fn result(&mut self, method: &str, params: Value) -> Value {
        let answer = self.request(method, params).await;
        answer.get("result").unwrap_or_else(|| panic!("{method} failed: {answer}")).clone()
    }

    /// The error of a request that must fail.
    pub(crate) async fn error(&mut self, method: &str, params: Value) -> Value {
        let answer = self.request(method, params).await;
        answer.get("error").unwrap_or_else(|| panic!("{method} did not fail: {answer}")).clone()
    }

    /// The result of a tool.
    pub(crate) async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// The text of a tool's only block, which must be no error.
    pub(crate) async fn text(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_ne!(result["isError"], true, "{result}");
        only_text(&result)
    }

    /// What a tool says of arguments it does not like.
    pub(crate) async fn complaint(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert!(result.get("structuredContent").is_none(), "{result}");
        only_text(&result)
    }

    /// Proves that the pipe lives: a last request is answered.
    pub(crate) async fn lives(&mut self) {
        let rest = self.fence().await;
        assert!(rest.is_empty(), "unasked for: {rest:?}");
    }

    /// Hangs up, and waits for the server to end.
    pub(crate) async fn close(mut self) -> Result<(), ServeError> {
        self.out = None;
        let served = tokio::time::timeout(PATIENCE, &mut self.served).await;
        served.expect("the server did not end").expect("serving panicked")
    }

    /// Hangs up but goes on listening; returns what still came.
    pub(crate) async fn drain(mut self) -> (Vec<Value>, Result<(), ServeError>) {
        self.out = None;
        let mut rest: Vec<Value> = self.seen.drain(..).collect();
        while let Some(message) = self.fresh().await {
            rest.push(message);
        }
        (rest, self.close().await)
    }
}

/// The `_meta` that each modern request carries.
pub(crate) fn modern_meta() -> Value {
    json!({
        key::PROTOCOL_VERSION: Revision::LATEST.as_str(),
        key::CLIENT_CAPABILITIES: {},
        key::CLIENT_INFO: { "name": "test", "version": "0" },
    })
}

pub(crate) fn only_text(result: &Value) -> String {
    let content = result["content"].as_array().unwrap_or_else(|| panic!("no content: {result}"));
    assert_eq!(content.len(), 1, "{result}");
    assert_eq!(content[0]["type"], "text", "{result}");
    content[0]["text"].as_str().unwrap().to_owned()
}

/// What every message keeps to.
// M26-002, M26-006, M26-007, M26-008, M26-013, M26-015, M26-016, M26-020, M26-021, M26-057, M26-058, M26-123, M26-124
// S-001, S-008, S-010, S-011, S-013, S-018, S-019, S-085, S-105, S-106, S-112
fn judged(case: Case, mixed: bool, message: Value) -> Value {
    if let Value::Array(batch) = message {
        assert_eq!(case.revision, Revision::V2025_03_26, "a batch: {batch:?}");
        return batch.into_iter().map(|message| judged(case, mixed, message)).collect();
    }
    assert_eq!(message["jsonrpc"], "2.0", "{message}");
    if let Some(method) = message.get("method") {
        assert!(message.get("id").is_none(), "{message}");
        assert!(method.as_str().is_some_and(|method| method.starts_with("notifications/")), "{message}");
        assert!(message.get("result").or(message.get("error")).is_none(), "{message}");
        return message;
    }
    assert!(message.get("result").is_some() != message.get("error").is_some(), "both or neither: {message}");
    if let Some(error) = message.get("error") {
        assert!(error["code"].is_i64() && error["message"].is_string(), "{message}");
        let id = message.get("id");
        assert!(id.is_none_or(|id| id.is_string() || id.is_i64()), "{message}");
        assert!(id.is_some() || mixed || case.revision >= Revision::LATEST_LEGACY, "an error without id: {message}");
        return message;
    }
    assert!(message["id"].is_string() || message["id"].is_i64(), "{message}");
    let result = &message["result"];
    let info = &result["_meta"][key::SERVER_INFO];
    if mixed {
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
