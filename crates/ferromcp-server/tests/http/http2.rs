//! HTTP/2 on the same port: concurrent calls, streams, and host validation.

use std::net::SocketAddr;

use bytes::Bytes;
use ferromcp_core::Revision;
use ferromcp_core::header::field;
use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::client::{PATH, modern_message};
use crate::fixture::Host;

async fn connect(address: SocketAddr) -> SendRequest<Full<Bytes>> {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (client, connection) = handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    client
}

fn request(authority: &str, message: &Value) -> Request<Full<Bytes>> {
    let mut request = Request::post(format!("http://{authority}{PATH}"))
        .header("content-type", "application/json")
        .header(field::lower::PROTOCOL_VERSION, Revision::LATEST.as_str())
        .header(field::lower::METHOD, message["method"].as_str().unwrap());
    if let Some(name) = message["params"]["name"].as_str() {
        request = request.header(field::lower::NAME, name);
    }
    request.body(Full::from(message.to_string())).unwrap()
}

async fn json_of(response: Response<Incoming>) -> Value {
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test]
async fn calls_run_concurrently_on_one_http2_connection() {
    let host = Host::new().await;
    let mut client = connect(host.address).await;
    let authority = host.address.to_string();
    // A waiting call does not block the others.
    let waiting = client.send_request(request(
        &authority,
        &modern_message(1, "tools/call", json!({ "name": "wait", "arguments": {} })),
    ));
    let waiting = tokio::spawn(waiting);
    for id in 2..20 {
        let response = client.send_request(request(&authority, &modern_message(id, "tools/list", json!({})))).await;
        let answer = json_of(response.unwrap()).await;
        assert_eq!(answer["id"], id);
        assert!(answer["result"]["tools"].is_array(), "{answer}");
    }
    host.control.go(1);
    let answer = json_of(waiting.await.unwrap().unwrap()).await;
    assert_eq!(answer["result"]["content"][0]["text"], "waited");
}

#[tokio::test]
async fn http2_supports_streams_and_error_statuses() {
    let host = Host::new().await;
    let mut client = connect(host.address).await;
    let authority = host.address.to_string();
    let listen = modern_message("l", "subscriptions/listen", json!({ "notifications": { "toolsListChanged": true } }));
    let mut stream = client.send_request(request(&authority, &listen)).await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = stream.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("notifications/subscriptions/acknowledged"), "{first:?}");
    host.server.notify().tools_changed();
    let notification = stream.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(String::from_utf8_lossy(&notification).contains("notifications/tools/list_changed"), "{notification:?}");
    // The authority is validated as the host.
    let list = modern_message(1, "tools/list", json!({}));
    let rejected = client.send_request(request("evil.example.com", &list)).await.unwrap();
    assert_eq!(rejected.status(), StatusCode::FORBIDDEN);
    let unknown = modern_message(2, "no/such", json!({}));
    assert_eq!(client.send_request(request(&authority, &unknown)).await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn responds_431_when_the_headers_are_too_large_over_http2() {
    let host = Host::new().await;
    let authority = host.address.to_string();
    let list = modern_message(1, "tools/list", json!({}));
    let with_headers = |bytes: usize, headers: usize| {
        let mut request = request(&authority, &list);
        for number in 0..headers {
            let name: HeaderName = format!("x-{number}").parse().unwrap();
            request.headers_mut().insert(name, "x".repeat(bytes / headers).parse().unwrap());
        }
        request
    };
    let mut client = connect(host.address).await;
    for headers in [1, 8, 100] {
        assert_eq!(client.send_request(with_headers(58 << 10, headers)).await.unwrap().status(), StatusCode::OK);
    }
    for (kib, headers) in [(65, 8), (66, 1), (70, 100), (60, 1000)] {
        let response = client.send_request(with_headers(kib << 10, headers)).await;
        let status = response.unwrap_or_else(|error| panic!("{kib} KiB in {headers} headers: {error}")).status();
        assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "{kib} KiB in {headers} headers");
        // Only the stream is affected.
        assert_eq!(client.send_request(with_headers(0, 1)).await.unwrap().status(), StatusCode::OK);
    }
    // A client that sends many more is rejected or disconnected, without reading all of them.
    for kib in [110, 256, 1024, 8192] {
        let mut client = connect(host.address).await;
        match client.send_request(with_headers(kib << 10, 8)).await {
            Ok(response) => assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "{kib} KiB"),
            Err(error) => assert!(!error.is_user(), "{kib} KiB: {error}"),
        }
    }
    assert_eq!(client.send_request(with_headers(0, 1)).await.unwrap().status(), StatusCode::OK);
}
