//! Counts the allocations of a simple `tools/call` over HTTP, from the complete request to the response.
//!
//! A separate test binary, so that nothing else allocates concurrently. Allocations of hyper are not counted.

use bytes::Bytes;
use ferromcp_server::http::{Body, HttpServerOptions, HttpService};
use ferromcp_server::{Arg, Server, Tool};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const LEGACY: &str =
    r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":3}}}"#;
const MODERN: &str = concat!(
    r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add","arguments":{"a":2,"b":3},"#,
    r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#
);
const INITIALIZE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
    r#""capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#
);

type Headers<'a> = &'a [(&'static str, &'a str)];

fn service(stateless: bool) -> HttpService {
    let add = Tool::new("add", |a: i64, b: i64| async move { a + b }).args([Arg::new("a"), Arg::new("b")]);
    Server::new("count", "1").with_tool(add).http_with(HttpServerOptions::new().stateless(stateless)).unwrap()
}

fn request(headers: Headers<'_>, body: &'static str) -> Request<Full<Bytes>> {
    let common = [
        ("host", "127.0.0.1:8000"),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    let mut map = HeaderMap::new();
    for (name, value) in common.iter().chain(headers) {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let mut request = Request::post("/mcp").body(Full::from(body)).unwrap();
    *request.headers_mut() = map;
    request
}

async fn call(service: &mut HttpService, request: Request<Full<Bytes>>) -> Response<Body> {
    service.call(request).await.unwrap()
}

/// Returns the maximum number of allocations of one call, out of a hundred after the first.
async fn per_call(service: &mut HttpService, headers: Headers<'_>, body: &'static str) -> u64 {
    let mut most = 0;
    for turn in 0..101 {
        let request = request(headers, body);
        let before = dhat::HeapStats::get().total_blocks;
        let response = call(service, request).await;
        let count = dhat::HeapStats::get().total_blocks - before;
        assert_eq!(response.status(), StatusCode::OK);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(body.windows(3).any(|window| window == br#""5""#), "{body:?}");
        if turn > 0 {
            most = most.max(count);
        }
    }
    most
}

#[tokio::test(flavor = "current_thread")]
async fn allocations_stay_within_limit_when_tool_is_called_over_http() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let mut stateless = service(true);
    let stateless = per_call(&mut stateless, &[("mcp-protocol-version", "2025-11-25")], LEGACY).await;

    let mut service = service(false);
    let modern = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "add")];
    let modern = per_call(&mut service, &modern, MODERN).await;

    let opened = call(&mut service, request(&[], INITIALIZE)).await;
    let id = opened.headers()["mcp-session-id"].to_str().unwrap();
    let session = [("mcp-session-id", id), ("mcp-protocol-version", "2025-11-25")];
    let session = per_call(&mut service, &session, LEGACY).await;

    eprintln!("allocations per tools/call: {stateless} stateless, {session} in a session, {modern} modern");
    assert!(stateless <= 12, "{stateless} allocations without a session");
    assert!(session <= 11, "{session} allocations in a session");
    assert!(modern <= 13, "{modern} allocations of a modern request");
}
