//! The HTTP+SSE transport of 2024-11-05.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::http::HttpServerOptions;
use serde_json::{Value, json};

use crate::client::{Session, initialize, legacy_message, modern_call};
use crate::events::Events;
use crate::fixture::{CallControl, Host, server, wait_for};
use crate::in_process;
use crate::message::{Request, Response};
use crate::mounted::Mounted;

fn options() -> HttpServerOptions {
    HttpServerOptions::new().http_sse(true)
}

/// An HTTP+SSE client with its stream.
pub(crate) struct SseClient {
    address: SocketAddr,
    /// The path for messages.
    path: String,
    pub(crate) stream: Events,
}

impl SseClient {
    /// Opens the stream at `path`, and resolves the path for messages as a relative URL.
    async fn open(address: SocketAddr, path: &str) -> Self {
        let response = Request::new("GET", path).add("Accept", "text/event-stream").send(address).await;
        assert_eq!(response.header("x-accel-buffering"), Some("no"));
        let mut stream = response.events().await;
        let first = stream.next().await.expect("an event");
        assert_eq!((&*first.event, first.id.as_deref()), ("endpoint", None));
        let reference = std::str::from_utf8(&first.data).unwrap();
        let path = if reference.starts_with('/') {
            reference.to_owned()
        } else {
            format!("{}/{reference}", path.rsplit_once('/').unwrap().0)
        };
        Self { address, path, stream }
    }

    /// Opens the stream and completes the handshake.
    async fn connect(address: SocketAddr, path: &str) -> Self {
        Self::connect_with(address, path, &initialize(Revision::V2024_11_05)).await
    }

    /// Opens the stream and completes the handshake with this `initialize`.
    pub(crate) async fn connect_with(address: SocketAddr, path: &str, initialize: &Value) -> Self {
        let mut client = Self::open(address, path).await;
        client.send(initialize).await;
        let answer = client.stream.message().await;
        let version = &initialize["params"]["protocolVersion"];
        assert_eq!(&answer["result"]["protocolVersion"], version, "{answer}");
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        client
    }

    async fn post(&self, body: impl Into<Vec<u8>>) -> Response {
        Request::new("POST", &self.path).add("Content-Type", "application/json").body(body).send(self.address).await
    }

    /// Sends a message, which is accepted with 202.
    pub(crate) async fn send(&self, message: &Value) {
        self.post(message.to_string()).await.empty(202).await;
    }

    pub(crate) async fn call(&self, id: i64, tool: &str, arguments: Value) {
        let params = json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": id } });
        self.send(&legacy_message(id, "tools/call", params)).await;
    }
}

async fn assert_error(mut response: Response, status: u16) {
    let body = response.json().await;
    assert_eq!(response.status, status, "{body}");
}

#[tokio::test]
async fn replies_arrive_on_the_stream_when_messages_are_posted() {
    // M26-231, S-116, S-117, S-119, S-120
    let host = Host::with(options()).await;
    let mut client = SseClient::connect(host.address, "/sse").await;
    client.call(1, "add", json!({ "a": 1, "b": 2 })).await;
    let (id, answer) = client.stream.identified().await;
    assert_eq!((id, &answer["id"], &answer["result"]["content"][0]["text"]), (None, &json!(1), &json!("3")));
    // Notifications of calls arrive in order, on the same stream.
    host.control.go(3);
    client.call(2, "steps", json!({ "count": 2 })).await;
    for step in [1.0, 2.0] {
        assert_eq!(client.stream.message().await["params"]["progress"], step);
    }
    assert_eq!(client.stream.message().await["id"], 2);
    // So do change notifications.
    client.send(&legacy_message(3, "resources/subscribe", json!({ "uri": "file:///a" }))).await;
    assert_eq!(client.stream.message().await["result"], json!({}));
    host.server.notify().resource_updated("file:///a");
    assert_eq!(client.stream.message().await["params"]["uri"], "file:///a");
    // A message may span several lines.
    let pretty = serde_json::to_string_pretty(&legacy_message(4, "ping", json!({}))).unwrap();
    client.post(pretty).await.empty(202).await;
    assert_eq!(client.stream.message().await, json!({ "jsonrpc": "2.0", "id": 4, "result": {} }));
    // Errors are sent on the stream. This revision has no error response without an id.
    for invalid in ["nonsense", "[]"] {
        client.post(invalid).await.empty(202).await;
    }
    client.send(&legacy_message(5, "no/such", json!({}))).await;
    let answer = client.stream.message().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(5), &json!(-32601)), "{answer}");
    // Cancelled calls get no reply.
    client.call(6, "wait", json!({})).await;
    wait_for(&host.control.started, 2).await;
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 6 } });
    client.send(&cancel).await;
    wait_for(&host.control.finished, 2).await;
    client.send(&legacy_message(7, "ping", json!({}))).await;
    assert_eq!(client.stream.message().await["id"], 7);
}

#[tokio::test]
async fn http_sse_is_served_when_streamable_http_is_served_too() {
    // M26-078, M26-231, S-120
    let host = Host::with(options()).await;
    let mut client = SseClient::connect(host.address, "/sse").await;
    let session = Session::open(host.address, Revision::V2025_11_25).await;
    assert_eq!(modern_call("add", json!({ "a": 1, "b": 2 })).send(host.address).await.status, 200);
    assert_eq!(session.call(1, "add", json!({ "a": 1, "b": 2 })).await.status, 200);
    client.call(1, "add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(client.stream.message().await["id"], 1);
}

#[tokio::test]
async fn rejects_invalid_http_sse_requests() {
    // S-113
    let host = Host::with(options()).await;
    let client = SseClient::connect(host.address, "/sse").await;
    let ping = legacy_message(1, "ping", json!({})).to_string();
    let post = |path: &str| Request::new("POST", path).add("Content-Type", "application/json").body(ping.clone());
    for path in ["/messages", "/messages?", "/messages?sessionId=", "/messages?sessionId=x", "/messages?sessionid=x"] {
        assert_error(post(path).send(host.address).await, 404).await;
    }
    let (path, _) = client.path.split_at(client.path.len() - 1);
    assert_error(post(path).send(host.address).await, 404).await;
    assert_error(post(&client.path).set("Content-Type", "text/plain").send(host.address).await, 415).await;
    assert_error(post(&client.path).add("Content-Encoding", "gzip").send(host.address).await, 415).await;
    assert_error(post("/sse").send(host.address).await, 405).await;
    assert_error(Request::new("GET", &client.path).send(host.address).await, 405).await;
    assert_error(Request::new("GET", "/sse").add("Accept", "application/json").send(host.address).await, 406).await;
    for request in [post(&client.path), Request::new("GET", "/sse").add("Accept", "text/event-stream")] {
        assert_error(request.add("Origin", "https://evil.example.com").send(host.address).await, 403).await;
    }
    post(&client.path).send(host.address).await.empty(202).await;
}

#[tokio::test]
async fn http_sse_sessions_are_independent() {
    let host = Host::with(options()).await;
    let mut one = SseClient::connect(host.address, "/sse").await;
    let mut two = SseClient::connect(host.address, "/sse").await;
    assert_ne!(one.path, two.path);
    one.send(&legacy_message(1, "logging/setLevel", json!({ "level": "error" }))).await;
    assert_eq!(one.stream.message().await["id"], 1);
    for (id, client) in [(2, &mut two), (1, &mut one)] {
        client.call(9, "say", json!({})).await;
        for _ in 1..id {
            assert_eq!(client.stream.message().await["method"], "notifications/message");
        }
        assert_eq!(client.stream.message().await["id"], 9);
    }
}

#[tokio::test]
async fn closing_the_stream_ends_the_session() {
    let host = Host::with(options()).await;
    let SseClient { address, path, stream } = {
        let client = SseClient::connect(host.address, "/sse").await;
        client.call(1, "wait", json!({})).await;
        client
    };
    wait_for(&host.control.started, 1).await;
    drop(stream);
    wait_for(&host.control.finished, 1).await;
    assert_eq!(host.control.answered.load(Ordering::SeqCst), 0);
    let ping = Request::new("POST", &path).add("Content-Type", "application/json");
    assert_error(ping.body(legacy_message(2, "ping", json!({})).to_string()).send(address).await, 404).await;
}

#[tokio::test]
async fn http_sse_serves_and_shuts_down_when_mounted_under_a_prefix() {
    // S-117
    let control = CallControl::default();
    let mounted = Mounted::new(&server(&control), options()).await;
    let mut client = SseClient::connect(mounted.address, "/api/mcp/sse").await;
    assert!(client.path.starts_with("/api/mcp/messages?"), "{}", client.path);
    client.call(1, "add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(client.stream.message().await["result"]["content"][0]["text"], "3");
    // A call in flight gets its reply before shutdown.
    client.call(2, "wait", json!({})).await;
    wait_for(&control.started, 1).await;
    let service = mounted.service.clone();
    let shutdown = tokio::spawn(async move { service.shutdown().await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    control.go(1);
    assert_eq!(client.stream.message().await["result"]["content"][0]["text"], "waited");
    client.stream.ends().await;
    tokio::time::timeout(Duration::from_secs(10), shutdown).await.expect("shutdown timed out").unwrap();
}

#[tokio::test]
async fn sends_keep_alive_comments_when_the_session_is_idle() {
    let host = Host::with(options().keep_alive(Duration::from_millis(20))).await;
    let mut client = SseClient::connect(host.address, "/sse").await;
    tokio::time::sleep(Duration::from_millis(120)).await;
    client.call(1, "add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(client.stream.message().await["id"], 1);
    let text = String::from_utf8(client.stream.raw.clone()).unwrap();
    assert!(text.lines().any(|line| line.starts_with(':')), "{text}");
}

#[tokio::test]
async fn rejects_messages_when_the_identity_differs() {
    // S-115
    let service = server(&CallControl::default()).http_with(options()).unwrap();
    let get = Request::new("GET", "/sse").add("Accept", "text/event-stream");
    let mut stream = in_process::send(&service, &get, Some("ann")).await.into_body();
    let first = in_process::chunk(&mut stream).await.expect("an event");
    let text = std::str::from_utf8(&first).unwrap();
    let path = text.lines().find_map(|line| line.strip_prefix("data: ")).expect("the path for messages");
    let ping = Request::new("POST", &format!("/{path}"))
        .add("Content-Type", "application/json")
        .body(legacy_message(1, "ping", json!({})).to_string());
    for stranger in [Some("bob"), None] {
        assert_eq!(in_process::answer(&service, &ping, stranger).await.0, 404);
    }
    assert_eq!(in_process::answer(&service, &ping, Some("ann")).await.0, 202);
    let answer = in_process::chunk(&mut stream).await.expect("an answer");
    assert!(std::str::from_utf8(&answer).unwrap().contains("\"id\":1"));
}
