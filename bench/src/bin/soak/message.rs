//! Builds the requests of clients of both eras.

use std::net::SocketAddr;

use bytes::Bytes;
use ferromcp::core::header::field;
use ferromcp::core::meta::key;
use ferromcp::core::{Revision, header};
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use serde_json::{Value, json};

pub(crate) type Request = http::Request<Bytes>;

/// The path of the endpoint.
pub(crate) const PATH: &str = "/mcp";

/// The revision of the sessions.
pub(crate) const LEGACY: &str = Revision::LATEST_LEGACY.as_str();

/// Returns a POST with the headers that every client sends.
pub(crate) fn post(address: SocketAddr, body: impl Into<Bytes>) -> Request {
    let mut request = http::Request::new(body.into());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static(PATH);
    set(&mut request, HOST.as_str(), &address.to_string());
    set(&mut request, CONTENT_TYPE.as_str(), "application/json");
    set(&mut request, ACCEPT.as_str(), "application/json, text/event-stream");
    request
}

/// Replaces a header.
pub(crate) fn set(request: &mut Request, name: &str, value: &str) {
    let name: http::HeaderName = name.parse().expect("a valid name");
    request.headers_mut().insert(name, value.parse().expect("a valid value"));
}

/// Returns a request of 2026-07-28 with matching headers, from a client that can be asked questions.
pub(crate) fn modern(address: SocketAddr, id: u64, method: &str, mut params: Value) -> Request {
    let meta = &mut params["_meta"];
    meta[key::PROTOCOL_VERSION] = Revision::LATEST.as_str().into();
    meta[key::CLIENT_CAPABILITIES] = json!({ "elicitation": {} });
    meta[key::CLIENT_INFO] = json!({ "name": "soak", "version": "1" });
    let name = params.get("name").or(params.get("uri")).and_then(Value::as_str).map(header::encode);
    let mut request = post(address, message(id, method, &params).to_string());
    set(&mut request, field::PROTOCOL_VERSION, Revision::LATEST.as_str());
    set(&mut request, field::METHOD, method);
    if let Some(name) = name {
        set(&mut request, field::NAME, &name);
    }
    request
}

/// Returns a tool call of 2026-07-28.
pub(crate) fn call(address: SocketAddr, tool: &str, arguments: &Value) -> Request {
    modern(address, 1, "tools/call", json!({ "name": tool, "arguments": arguments }))
}

/// Returns a tool call of 2026-07-28 that asks for progress notifications.
pub(crate) fn call_with_progress(address: SocketAddr, tool: &str, arguments: &Value) -> Request {
    let meta = json!({ "progressToken": 1 });
    modern(address, 1, "tools/call", json!({ "name": tool, "arguments": arguments, "_meta": meta }))
}

/// Returns a JSON-RPC request.
pub(crate) fn message(id: u64, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// Returns `initialize` with client capabilities.
pub(crate) fn initialize(address: SocketAddr, capabilities: &Value) -> Request {
    let params = json!({
        "protocolVersion": LEGACY, "capabilities": capabilities, "clientInfo": { "name": "soak", "version": "1" }
    });
    post(address, message(0, "initialize", &params).to_string())
}

/// Serializes a request for HTTP/1.1.
pub(crate) fn to_bytes(request: &Request) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri()).into_bytes();
    for (name, value) in request.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", request.body().len()).as_bytes());
    bytes.extend_from_slice(request.body());
    bytes
}
