//! The HTTP+SSE of 2024-11-05, for clients that speak nothing newer.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::http::HttpOptions;
use serde_json::{Value, json};

use crate::client::{Session, initialize, legacy_message, modern_call};
use crate::events::Events;
use crate::fixture::{Host, Stage, reaches, server};
use crate::inside;
use crate::message::{Request, Response};
use crate::mounted::Mounted;

fn options() -> HttpOptions {
    HttpOptions::new().http_sse(true)
}

/// A client with its stream.
pub(crate) struct Conversation {
    address: SocketAddr,
    /// Where messages go.
    path: String,
    pub(crate) stream: Events,
}

impl Conversation {
    /// Opens the stream at `path`, and resolves where messages go as a URL would be.
    async fn open(address: SocketAddr, path: &str) -> Self {
        let response = Request::new("GET", path).add("Accept", "text/event-stream").send(address).await;
        assert_eq!(response.header("x-accel-buffering"), Some("no"));
        let mut stream = response.events().await;
        let first = stream.next().await.expect("an event");
        assert_eq!((&*first.event, first.id.as_deref()), ("endpoint", None));
        let said = std::str::from_utf8(&first.data).unwrap();
        let path = if said.starts_with('/') {
            said.to_owned()
        } else {
            format!("{}/{said}", path.rsplit_once('/').unwrap().0)
        };
        Self { address, path, stream }
    }

    /// The same, past its handshake.
    async fn ready(address: SocketAddr, path: &str) -> Self {
        Self::ready_by(address, path, &initialize(Revision::V2024_11_05)).await
    }

    /// The same, by an `initialize` of its own.
    pub(crate) async fn ready_by(address: SocketAddr, path: &str, initialize: &Value) -> Self {
        let mut conversation = Self::open(address, path).await;
        conversation.say(initialize).await;
        let answer = conversation.stream.message().await;
        let version = &initialize["params"]["protocolVersion"];
        assert_eq!(&answer["result"]["protocolVersion"], version, "{answer}");
        conversation.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        conversation
    }

    async fn post(&self, body: impl Into<Vec<u8>>) -> Response {
        Request::new("POST", &self.path).add("Content-Type", "application/json").body(body).send(self.address).await
    }

    /// Sends a message, which is taken without a word.
    pub(crate) async fn say(&self, message: &Value) {
        self.post(message.to_string()).await.empty(202).await;
    }

    pub(crate) async fn call(&self, id: i64, tool: &str, arguments: Value) {
        let params = json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": id } });
        self.say(&legacy_message(id, "tools/call", params)).await;
    }
}

async fn refused(mut response: Response, status: u16) {
    let body = response.json().await;
    assert_eq!(response.status, status, "{body}");
}

#[tokio::test]
async fn messages_go_one_way_and_answers_the_other() {
    // M26-231, S-116, S-117, S-119, S-120
    let host = Host::with(options()).await;
    let mut conversation = Conversation::ready(host.address, "/sse").await;
    conversation.call(1, "add", json!({ "a": 1, "b": 2 })).await;
    let (id, answer) = conversation.stream.identified().await;
    assert_eq!((id, &answer["id"], &answer["result"]["content"][0]["text"]), (None, &json!(1), &json!("3")));
    // What is said on the way comes in order, on the same stream.
    host.stage.go(3);
    conversation.call(2, "steps", json!({ "count": 2 })).await;
    for step in [1.0, 2.0] {
        assert_eq!(conversation.stream.message().await["params"]["progress"], step);
    }
    assert_eq!(conversation.stream.message().await["id"], 2);
    // Changes too.
    conversation.say(&legacy_message(3, "resources/subscribe", json!({ "uri": "file:///a" }))).await;
    assert_eq!(conversation.stream.message().await["result"], json!({}));
    host.server.notify().resource_updated("file:///a");
    assert_eq!(conversation.stream.message().await["params"]["uri"], "file:///a");
    // A message may be written over several lines.
    let pretty = serde_json::to_string_pretty(&legacy_message(4, "ping", json!({}))).unwrap();
    conversation.post(pretty).await.empty(202).await;
    assert_eq!(conversation.stream.message().await, json!({ "jsonrpc": "2.0", "id": 4, "result": {} }));
    // Mistakes are answered on the stream, where this revision has an answer: none without an id.
    for nothing in ["nonsense", "[]"] {
        conversation.post(nothing).await.empty(202).await;
    }
    conversation.say(&legacy_message(5, "no/such", json!({}))).await;
    let answer = conversation.stream.message().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(5), &json!(-32601)), "{answer}");
    // Cancelled calls are not answered.
    conversation.call(6, "wait", json!({})).await;
    reaches(&host.stage.begun, 2).await;
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 6 } });
    conversation.say(&cancel).await;
    reaches(&host.stage.over, 2).await;
    conversation.say(&legacy_message(7, "ping", json!({}))).await;
    assert_eq!(conversation.stream.message().await["id"], 7);
}

#[tokio::test]
async fn it_stands_beside_the_endpoint() {
    // M26-078, M26-231, S-120
    let host = Host::with(options()).await;
    let mut conversation = Conversation::ready(host.address, "/sse").await;
    let session = Session::open(host.address, Revision::V2025_11_25).await;
    assert_eq!(modern_call("add", json!({ "a": 1, "b": 2 })).send(host.address).await.status, 200);
    assert_eq!(session.call(1, "add", json!({ "a": 1, "b": 2 })).await.status, 200);
    conversation.call(1, "add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(conversation.stream.message().await["id"], 1);
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    // S-113
    let host = Host::with(options()).await;
    let conversation = Conversation::ready(host.address, "/sse").await;
    let ping = legacy_message(1, "ping", json!({})).to_string();
    let post = |path: &str| Request::new("POST", path).add("Content-Type", "application/json").body(ping.clone());
    for path in ["/messages", "/messages?", "/messages?sessionId=", "/messages?sessionId=x", "/messages?sessionid=x"] {
        refused(post(path).send(host.address).await, 404).await;
    }
    let (path, _) = conversation.path.split_at(conversation.path.len() - 1);
    refused(post(path).send(host.address).await, 404).await;
    refused(post(&conversation.path).set("Content-Type", "text/plain").send(host.address).await, 415).await;
    refused(post("/sse").send(host.address).await, 405).await;
    refused(Request::new("GET", &conversation.path).send(host.address).await, 405).await;
    refused(Request::new("GET", "/sse").add("Accept", "application/json").send(host.address).await, 406).await;
    for request in [post(&conversation.path), Request::new("GET", "/sse").add("Accept", "text/event-stream")] {
        refused(request.add("Origin", "https://evil.example.com").send(host.address).await, 403).await;
    }
    post(&conversation.path).send(host.address).await.empty(202).await;
}

#[tokio::test]
async fn conversations_know_nothing_of_each_other() {
    let host = Host::with(options()).await;
    let mut one = Conversation::ready(host.address, "/sse").await;
    let mut two = Conversation::ready(host.address, "/sse").await;
    assert_ne!(one.path, two.path);
    one.say(&legacy_message(1, "logging/setLevel", json!({ "level": "error" }))).await;
    assert_eq!(one.stream.message().await["id"], 1);
    for (id, conversation) in [(2, &mut two), (1, &mut one)] {
        conversation.call(9, "say", json!({})).await;
        for _ in 1..id {
            assert_eq!(conversation.stream.message().await["method"], "notifications/message");
        }
        assert_eq!(conversation.stream.message().await["id"], 9);
    }
}

#[tokio::test]
async fn closing_the_stream_ends_the_conversation() {
    let host = Host::with(options()).await;
    let Conversation { address, path, stream } = {
        let conversation = Conversation::ready(host.address, "/sse").await;
        conversation.call(1, "wait", json!({})).await;
        conversation
    };
    reaches(&host.stage.begun, 1).await;
    drop(stream);
    reaches(&host.stage.over, 1).await;
    assert_eq!(host.stage.answered.load(Ordering::SeqCst), 0);
    let ping = Request::new("POST", &path).add("Content-Type", "application/json");
    refused(ping.body(legacy_message(2, "ping", json!({})).to_string()).send(address).await, 404).await;
}

#[tokio::test]
async fn it_holds_under_a_prefix_and_ends_with_the_server() {
    // S-117
    let stage = Stage::default();
    let mounted = Mounted::new(&server(&stage), options()).await;
    let mut conversation = Conversation::ready(mounted.address, "/api/mcp/sse").await;
    assert!(conversation.path.starts_with("/api/mcp/messages?"), "{}", conversation.path);
    conversation.call(1, "add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(conversation.stream.message().await["result"]["content"][0]["text"], "3");
    // A call under way is answered before the end.
    conversation.call(2, "wait", json!({})).await;
    reaches(&stage.begun, 1).await;
    let service = mounted.service.clone();
    let shutdown = tokio::spawn(async move { service.shutdown().await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    stage.go(1);
    assert_eq!(conversation.stream.message().await["result"]["content"][0]["text"], "waited");
    conversation.stream.ends().await;
    tokio::time::timeout(Duration::from_secs(10), shutdown).await.expect("it shuts down").unwrap();
}

#[tokio::test]
async fn an_idle_conversation_is_kept_alive() {
    let host = Host::with(options().keep_alive(Duration::from_millis(20))).await;
    let mut conversation = Conversation::ready(host.address, "/sse").await;
    tokio::time::sleep(Duration::from_millis(120)).await;
    conversation.call(1, "add", json!({ "a": 1, "b": 2 })).await;
    assert_eq!(conversation.stream.message().await["id"], 1);
    let text = String::from_utf8(conversation.stream.raw.clone()).unwrap();
    assert!(text.lines().any(|line| line.starts_with(':')), "{text}");
}

#[tokio::test]
async fn a_conversation_belongs_to_who_opened_it() {
    // S-115
    let service = server(&Stage::default()).http_with(options()).unwrap();
    let get = Request::new("GET", "/sse").add("Accept", "text/event-stream");
    let mut stream = inside::ask(&service, &get, Some("ann")).await.into_body();
    let first = inside::chunk(&mut stream).await.expect("an event");
    let text = std::str::from_utf8(&first).unwrap();
    let path = text.lines().find_map(|line| line.strip_prefix("data: ")).expect("where messages go");
    let ping = Request::new("POST", &format!("/{path}"))
        .add("Content-Type", "application/json")
        .body(legacy_message(1, "ping", json!({})).to_string());
    for stranger in [Some("bob"), None] {
        assert_eq!(inside::answer(&service, &ping, stranger).await.0, 404);
    }
    assert_eq!(inside::answer(&service, &ping, Some("ann")).await.0, 202);
    let answer = inside::chunk(&mut stream).await.expect("an answer");
    assert!(std::str::from_utf8(&answer).unwrap().contains("\"id\":1"));
}
