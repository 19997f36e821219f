//! Bounds on single requests, and extreme settings.

use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::ServerLimits;
use ferromcp_server::http::{HttpServerLimits, HttpServerOptions};
use serde_json::json;
use tokio::net::TcpStream;

use crate::client::{Session, legacy, modern, modern_call};
use crate::fixture::{CallControl, Host, server};
use crate::message::Request;

#[tokio::test]
async fn responds_431_when_the_headers_are_too_large() {
    let host = Host::new().await;
    let with_headers = |bytes: usize| {
        let value = "x".repeat(bytes / 8);
        (0..8).fold(modern("tools/list", json!({})), |request, number| request.add(&format!("X-{number}"), &value))
    };
    assert_eq!(with_headers(60 << 10).send(host.address).await.status, 200);
    for kib in [65, 80, 100, 110] {
        assert_eq!(with_headers(kib << 10).send(host.address).await.status, 431, "{kib} KiB");
    }
    let mut long_target = modern("tools/list", json!({}));
    long_target.path = format!("/mcp?{}", "x".repeat(60 << 10));
    assert_eq!(long_target.clone().send(host.address).await.status, 200);
    let value = "x".repeat(8 << 10);
    assert_eq!(long_target.add("X-Last", value).send(host.address).await.status, 431);
}

#[tokio::test]
async fn serves_when_every_limit_is_the_maximum() {
    let (time, count) = (Duration::MAX, usize::MAX);
    let limits = HttpServerLimits::new()
        .body_bytes(count)
        .body_timeout(time)
        .connections(count)
        .header_timeout(time)
        .in_flight(count)
        .session_idle(time)
        .sessions(count)
        .shutdown_grace(time)
        .stall_timeout(time)
        .streams(count)
        .total_body_bytes(count)
        .total_response_bytes(count);
    let options = HttpServerOptions::new().limits(limits).keep_alive(time).retry(time);
    let server_limits = ServerLimits::new()
        .in_flight(count)
        .outbound_bytes(count)
        .shutdown_grace(time)
        .subscriptions(count)
        .questions(count)
        .answer_timeout(time);
    let control = CallControl::default();
    let host = Host::of(server(&control).limits(server_limits), control, options).await;
    let add = modern_call("add", json!({ "a": 1, "b": 2 }));
    assert_eq!(add.send(host.address).await.json().await["result"]["content"][0]["text"], "3");
    // A slow body, a stream, sessions, and HTTP/2.
    let long = modern_call("place", json!({ "region": "x".repeat(200 << 10) })).add("Mcp-Param-Region", "x");
    assert_eq!(long.send(host.address).await.status, 400, "the header differs");
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let mut stream = session.get().send(host.address).await.events().await;
        if revision == Revision::V2025_11_25 {
            stream.primed().await;
        }
        let mut said = session.call(1, "say", json!({})).await.events().await;
        if revision == Revision::V2025_11_25 {
            said.primed().await;
        }
        assert_eq!(said.message().await["method"], "notifications/message");
        session.delete().send(host.address).await.empty(204).await;
        stream.ends().await;
    }
    let io = hyper_util::rt::TokioIo::new(TcpStream::connect(host.address).await.unwrap());
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut http2, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get(format!("http://{}/other", host.address));
    let response = http2.send_request(request.body(String::new()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 404);
}

#[tokio::test]
async fn preflight_is_rejected_when_the_origin_is_not_allowed_explicitly() {
    // S8
    let preflight = |origin: &str| {
        Request::new("OPTIONS", "/mcp").add("Origin", origin).add("Access-Control-Request-Method", "POST")
    };
    let host = Host::new().await;
    for origin in ["http://localhost:6274", "http://127.0.0.1:6274", "http://[::1]:6274", "https://localhost"] {
        // The request itself is allowed, but the page could not read the response.
        let add = modern_call("add", json!({ "a": 1, "b": 2 })).add("Origin", origin);
        assert_eq!(add.send(host.address).await.status, 200);
        let mut response = preflight(origin).send(host.address).await;
        assert_eq!(response.status, 403);
        let error = response.json().await["error"]["message"].as_str().unwrap().to_owned();
        assert!(error.contains(&format!(".allow_origin(\"{origin}\")")), "{error}");
        let other = Request::new("OPTIONS", "/mcp").add("Origin", origin).send(host.address).await;
        assert_eq!((other.status, other.header("allow")), (405, Some("POST, GET, DELETE")), "not a preflight");
    }
    assert_eq!(preflight("https://evil.example.com").send(host.address).await.status, 403);
    let host = Host::with(HttpServerOptions::new().allow_origin("http://localhost:6274")).await;
    let response = preflight("http://localhost:6274").send(host.address).await;
    assert_eq!((response.status, response.header("access-control-allow-origin")), (204, Some("http://localhost:6274")));
    assert_eq!(preflight("http://localhost:6275").send(host.address).await.status, 403);
}
