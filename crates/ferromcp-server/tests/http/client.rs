//! Builds the headers and messages of clients of both eras.

use std::net::SocketAddr;

use ferromcp_core::Revision;
use ferromcp_core::header::{self, field};
use ferromcp_core::meta::key;
use serde_json::{Map, Value, json};

use crate::message::{Request, Response};

/// The path of the endpoint.
pub(crate) const PATH: &str = "/mcp";

/// Returns a POST with the headers that every client sends.
pub(crate) fn post(body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", PATH)
        .add("Content-Type", "application/json")
        .add("Accept", "application/json, text/event-stream")
        .body(body)
}

/// Returns the `_meta` of modern requests.
pub(crate) fn modern_meta() -> Value {
    json!({
        key::PROTOCOL_VERSION: Revision::LATEST.as_str(),
        key::CLIENT_CAPABILITIES: {},
        key::CLIENT_INFO: { "name": "test", "version": "0" },
    })
}

/// Returns a message with the `_meta` of modern requests, merged with that of `params`.
pub(crate) fn modern_message(id: impl Into<Value>, method: &str, params: Value) -> Value {
    let mut params = match params {
        Value::Null => Map::new(),
        Value::Object(params) => params,
        other => panic!("params must be an object: {other}"),
    };
    let mut meta = modern_meta();
    if let Some(extra) = params.get("_meta") {
        meta.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    }
    params.insert("_meta".into(), meta);
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

/// Returns a POST of a modern message with matching headers.
pub(crate) fn modern_post(message: &Value) -> Request {
    let method = message["method"].as_str().unwrap();
    let request =
        post(message.to_string()).add(field::PROTOCOL_VERSION, Revision::LATEST.as_str()).add(field::METHOD, method);
    let name = match method {
        "tools/call" | "prompts/get" => &message["params"]["name"],
        "resources/read" => &message["params"]["uri"],
        _ => return request,
    };
    request.add(field::NAME, header::encode(name.as_str().unwrap()).as_bytes())
}

/// Returns a complete modern request.
pub(crate) fn modern(method: &str, params: Value) -> Request {
    modern_post(&modern_message(1, method, params))
}

/// Returns a modern tool call.
pub(crate) fn modern_call(tool: &str, arguments: Value) -> Request {
    modern("tools/call", json!({ "name": tool, "arguments": arguments }))
}

/// Returns a legacy message.
pub(crate) fn legacy_message(id: impl Into<Value>, method: &str, params: Value) -> Value {
    let params = if params.is_null() { json!({}) } else { params };
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

/// Returns `initialize` for a revision.
pub(crate) fn initialize(revision: Revision) -> Value {
    initialize_with(revision, json!({}))
}

/// Returns `initialize` with client capabilities.
pub(crate) fn initialize_with(revision: Revision, capabilities: Value) -> Value {
    let info = json!({ "name": "test", "version": "0" });
    let params = json!({ "protocolVersion": revision.as_str(), "capabilities": capabilities, "clientInfo": info });
    legacy_message(0, "initialize", params)
}

/// Returns the handshake revisions.
pub(crate) fn legacy() -> impl Iterator<Item = Revision> {
    Revision::ALL.into_iter().filter(|revision| !revision.is_modern())
}

/// A legacy client with a session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) address: SocketAddr,
    pub(crate) revision: Revision,
    pub(crate) id: String,
}

impl Session {
    /// Opens a session and completes the handshake.
    pub(crate) async fn open(address: SocketAddr, revision: Revision) -> Self {
        let session = Self::begin(address, revision).await;
        session.notify("notifications/initialized", json!({})).await.empty(202).await;
        session
    }

    /// Opens a session with client capabilities, and completes the handshake.
    pub(crate) async fn open_with(address: SocketAddr, revision: Revision, capabilities: Value) -> Self {
        let session = Self::begin_with(address, revision, initialize_with(revision, capabilities)).await;
        session.notify("notifications/initialized", json!({})).await.empty(202).await;
        session
    }

    /// Opens a session without sending `notifications/initialized`.
    pub(crate) async fn begin(address: SocketAddr, revision: Revision) -> Self {
        Self::begin_with(address, revision, initialize(revision)).await
    }

    async fn begin_with(address: SocketAddr, revision: Revision, initialize: Value) -> Self {
        let mut response = post(initialize.to_string()).send(address).await;
        let answer = response.json().await;
        assert_eq!((response.status, &answer["id"]), (200, &json!(0)), "{answer}");
        assert_eq!(answer["result"]["protocolVersion"], revision.as_str(), "{answer}");
        let id = response.header(field::lower::SESSION_ID).expect("a session id").to_owned();
        Self { address, revision, id }
    }

    /// Adds the headers of the session. `MCP-Protocol-Version` exists since 2025-06-18.
    pub(crate) fn add_headers(&self, request: Request) -> Request {
        let request = request.add(field::SESSION_ID, &self.id);
        if self.revision >= Revision::V2025_06_18 {
            request.add(field::PROTOCOL_VERSION, self.revision.as_str())
        } else {
            request
        }
    }

    pub(crate) fn post(&self, message: &Value) -> Request {
        self.add_headers(post(message.to_string()))
    }

    pub(crate) fn get(&self) -> Request {
        self.add_headers(Request::new("GET", PATH).add("Accept", "text/event-stream"))
    }

    pub(crate) fn delete(&self) -> Request {
        self.add_headers(Request::new("DELETE", PATH))
    }

    pub(crate) async fn send(&self, id: impl Into<Value>, method: &str, params: Value) -> Response {
        self.post(&legacy_message(id, method, params)).send(self.address).await
    }

    /// Calls a tool. The progress token is the id.
    pub(crate) async fn call(&self, id: i64, tool: &str, arguments: Value) -> Response {
        let params = json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": id } });
        self.send(id, "tools/call", params).await
    }

    pub(crate) async fn notify(&self, method: &str, params: Value) -> Response {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        self.post(&message).send(self.address).await
    }

    /// Answers a server request. The server responds with 202 in any case.
    pub(crate) async fn reply(&self, question: &Value, result: Value) {
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": result });
        self.post(&answer).send(self.address).await.empty(202).await;
    }

    /// Resumes a stream after an event.
    pub(crate) async fn resume(&self, last: &str) -> Response {
        self.get().add("Last-Event-ID", last).send(self.address).await
    }
}
