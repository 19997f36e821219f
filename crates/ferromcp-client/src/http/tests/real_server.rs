//! Endpoints against a real server.

use std::time::{Duration, Instant};

use ferromcp_core::header::scan;
use ferromcp_core::meta::key;
use ferromcp_core::model::CallToolParams;
use ferromcp_core::{ClientRequest, RawJson, Revision};
use ferromcp_server::http::{HttpServerOptions, http};
use ferromcp_server::{Arg, Ctx, ServeError, Server, Tool};
use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::wire::TEST_TIMEOUT;
use super::{events, json, message, options};
use crate::http::endpoint::Endpoint;
use crate::http::failure::Failure;
use crate::http::legacy::HttpSse;
use crate::http::post::{Content, PostResponse};
use crate::http::request_headers::RequestHeaders;

/// A server that runs until dropped.
struct Host {
    endpoint: Endpoint,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Host {
    async fn new(options: HttpServerOptions) -> Self {
        Self::at("/mcp", options).await
    }

    async fn at(path: &str, options: HttpServerOptions) -> Self {
        let server = Server::new("real", "1")
            .with_tool(Tool::sync("add", |a: i64, b: i64| a + b).args(["a", "b"]))
            .with_tool(Tool::sync("place", |region: String| region).args([Arg::new("region").header("Region")]))
            .with_tool(
                Tool::new("long", |ctx: Ctx| async move {
                    ctx.progress(1.0, 2.0).await;
                    ctx.disconnect(Duration::from_millis(200));
                    sleep(Duration::from_millis(100)).await;
                    ctx.progress(2.0, 2.0).await;
                    "at last"
                })
                .args(["ctx"]),
            );
        let (address_tx, address_rx) = oneshot::channel();
        let listener = http("127.0.0.1:0").options(options).on_bound(move |address| {
            let _ = address_tx.send(address);
        });
        let serving = tokio::spawn(server.serve(listener));
        let address = timeout(TEST_TIMEOUT, address_rx).await.expect("it binds in time").expect("it binds");
        let endpoint = Endpoint::new(&format!("http://{address}{path}"), self::options()).expect("an endpoint");
        Self { endpoint, serving }
    }

    /// Performs the handshake of a legacy client.
    async fn initialized(&self, revision: Revision) -> RequestHeaders {
        let reply =
            self.endpoint.post(&RequestHeaders::initialize(), initialize(revision).into()).await.expect("a reply");
        let head = RequestHeaders::legacy(revision, reply.session.clone());
        assert!(answer(reply).await.contains("serverInfo"));
        let reply = self.endpoint.post(&head, INITIALIZED.into()).await.expect("accepted");
        assert!(matches!(reply.content, Content::Nothing));
        head
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn initialize(revision: Revision) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{{"name":"t","version":"0"}}}}}}"#
    )
}

fn call(tool: &str, arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments},"_meta":{{"progressToken":1}}}}}}"#
    )
}

/// Returns the first message of a response.
async fn answer(reply: PostResponse) -> String {
    match reply.content {
        Content::Events(mut events) => message(&mut events).await,
        _ => json(reply),
    }
}

/// Creates a modern call with its headers.
fn modern_call(tool: &str, arguments: &str, schema: &str) -> (RequestHeaders, String) {
    let marks = scan(&RawJson::parse(schema).expect("JSON")).expect("marks");
    let mut params = CallToolParams::new(tool.to_owned());
    params.arguments = Some(RawJson::parse(arguments).expect("JSON"));
    let head =
        RequestHeaders::modern(Revision::LATEST, &ClientRequest::CallTool(params), &marks).expect("valid headers");
    let message = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments},"_meta":{{"{}":"{}","{}":{{}}}}}}}}"#,
        key::PROTOCOL_VERSION,
        Revision::LATEST,
        key::CLIENT_CAPABILITIES,
    );
    (head, message)
}

#[tokio::test]
async fn modern_call_returns_result() {
    // M26-151, M26-193
    let host = Host::new(HttpServerOptions::new()).await;
    let (head, message) = modern_call("add", r#"{"a":1,"b":2}"#, "{}");
    let reply = host.endpoint.post(&head, message.into()).await.expect("a reply");
    assert!(reply.session.is_none());
    assert!(json(reply).contains(r#""text":"3""#));
    let schema = r#"{"properties":{"region":{"type":"string","x-mcp-header":"Region"}}}"#;
    for region in [r#""north""#, r#"" Süd ""#, r#""=?base64?x?=""#, r#""""#] {
        let (head, message) = modern_call("place", &format!("{{\"region\":{region}}}"), schema);
        let reply = host.endpoint.post(&head, message.into()).await.expect("a reply");
        assert_eq!(reply.status, 200);
        assert!(json(reply).contains(region), "{region}");
    }
    // Missing headers are rejected with an error status and a JSON-RPC error.
    let (head, message) = modern_call("place", r#"{"region":"north"}"#, "{}");
    let reply = host.endpoint.post(&head, message.into()).await.expect("an error");
    assert_eq!(reply.status, 400);
    assert!(json(reply).contains("-32020"));
}

#[tokio::test]
async fn session_is_usable_until_deleted() {
    // S-177
    let host = Host::new(HttpServerOptions::new()).await;
    for revision in [Revision::V2025_03_26, Revision::V2025_06_18, Revision::V2025_11_25] {
        let head = host.initialized(revision).await;
        let reply = host.endpoint.post(&head, call("add", r#"{"a":1,"b":2}"#).into()).await.expect("a reply");
        assert!(answer(reply).await.contains(r#""text":"3""#));
        let stream = host.endpoint.get_stream(&head).await.expect("a success status");
        drop(stream.expect("a stream"));
        host.endpoint.delete_session(&head).await.expect("it ends");
        let failure = host.endpoint.post(&head, call("add", "{}").into()).await.expect_err("it ended");
        assert!(matches!(failure, Failure::SessionEnded), "{failure:?}");
    }
}

#[tokio::test]
async fn calls_succeed_when_server_has_no_sessions() {
    let host = Host::new(HttpServerOptions::new().stateless(true)).await;
    let head = host.initialized(Revision::V2025_06_18).await;
    let reply = host.endpoint.post(&head, call("add", r#"{"a":1,"b":2}"#).into()).await.expect("a reply");
    assert!(answer(reply).await.contains(r#""text":"3""#));
    assert!(host.endpoint.get_stream(&head).await.expect("a success status").is_none());
    host.endpoint.delete_session(&head).await.expect("no session");
}

#[tokio::test]
async fn resumes_call_when_server_closes_connection() {
    // S-142, S-144, S-169, S-170
    let host = Host::new(HttpServerOptions::new()).await;
    let head = host.initialized(Revision::V2025_11_25).await;
    let since = Instant::now();
    let mut events = events(host.endpoint.post(&head, call("long", "{}").into()).await.expect("a reply"));
    assert!(message(&mut events).await.contains(r#""progress":1"#));
    assert!(message(&mut events).await.contains(r#""progress":2"#));
    assert!(message(&mut events).await.contains("at last"));
    assert!(since.elapsed() >= Duration::from_millis(195), "{:?}", since.elapsed());
    // A modern call, and one of an older revision, keep the connection.
    let head = host.initialized(Revision::V2025_06_18).await;
    let mut events = super::events(host.endpoint.post(&head, call("long", "{}").into()).await.expect("a reply"));
    for part in [r#""progress":1"#, r#""progress":2"#, "at last"] {
        assert!(message(&mut events).await.contains(part), "{part}");
    }
}

#[tokio::test]
async fn http_sse_transport_sends_and_receives() {
    // S-118
    let host = Host::at("/sse", HttpServerOptions::new().http_sse(true)).await;
    let (mut rx, mut tx) = HttpSse::connect(&host.endpoint).await.expect("a pipe").split().expect("halves");
    let mut out = Outbound::new();
    for line in [initialize(Revision::V2024_11_05), INITIALIZED.to_owned(), call("add", r#"{"a":1,"b":2}"#)] {
        out.frame(|buffer| buffer.extend_from_slice(line.as_bytes()));
    }
    while !out.is_empty() {
        tx.write(&mut out).await.expect("accepted");
    }
    for part in ["serverInfo", r#""text":"3""#] {
        let frame = timeout(TEST_TIMEOUT, rx.recv()).await.expect("in time").expect("a pipe");
        let Some(Frame::Complete(frame)) = frame else { panic!("{frame:?}") };
        assert!(String::from_utf8_lossy(&frame).contains(part), "{part}");
    }
}
