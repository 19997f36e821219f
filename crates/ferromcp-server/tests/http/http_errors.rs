//! Errors at the HTTP level: hosts and origins, methods, media types, and body limits.

use bytes::BytesMut;
use ferromcp_server::http::{HttpServerLimits, HttpServerOptions};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Session, legacy, legacy_message, modern, modern_call, post};
use crate::fixture::Host;
use crate::message::{Request, Response};

/// Asserts an error response without a request id.
async fn assert_error(mut response: Response, status: u16) -> Response {
    let body: Value = response.json().await;
    assert_eq!(response.status, status, "{body}");
    assert!(body.get("id").is_none() && body["error"]["message"].is_string(), "{body}");
    response
}

#[tokio::test]
async fn responds_403_when_the_host_or_origin_is_foreign() {
    // S-113, S-126, S-127, S-128
    let host = Host::new().await;
    let session = Session::open(host.address, ferromcp_core::Revision::LATEST_LEGACY).await;
    let requests = [
        modern("tools/list", json!({})),
        session.post(&legacy_message(1, "tools/list", json!({}))),
        session.get(),
        Request::new("PUT", "/mcp"),
        Request::new("OPTIONS", "/mcp"),
        post("not even JSON"),
    ];
    for request in requests {
        for origin in ["https://evil.example.com", "null", "http://localhost.evil.example.com", "file:///", "x"] {
            assert_error(request.clone().add("Origin", origin).send(host.address).await, 403).await;
        }
        // The host is checked first.
        let mut stream = TcpStream::connect(host.address).await.unwrap();
        let text = format!("{} /mcp HTTP/1.1\r\nHost: evil.example.com\r\nContent-Length: 0\r\n\r\n", request.method);
        stream.write_all(text.as_bytes()).await.unwrap();
        assert_error(Response::read(stream, BytesMut::new()).await, 403).await;
    }
    let own = format!("http://{}", host.address);
    for origin in ["http://localhost:5173", "http://127.0.0.1", &own] {
        assert_eq!(modern("tools/list", json!({})).add("Origin", origin).send(host.address).await.status, 200);
    }
}

#[tokio::test]
async fn responds_405_when_the_http_method_is_not_supported() {
    // S-125
    let host = Host::new().await;
    for method in ["PUT", "PATCH", "OPTIONS", "TRACE"] {
        let response = assert_error(Request::new(method, "/mcp").send(host.address).await, 405).await;
        assert_eq!(response.header("allow"), Some("POST, GET, DELETE"));
    }
    let response = Request::new("HEAD", "/mcp").send(host.address).await;
    assert_eq!(response.status, 405);
    for path in ["/", "/mcp/x", "/sse", "/messages", "/MCP"] {
        assert_eq!(modern("tools/list", json!({})).send(host.address).await.status, 200);
        let mut request = modern("tools/list", json!({}));
        request.path = path.into();
        assert_eq!(request.send(host.address).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn responds_415_when_the_content_type_is_not_json() {
    let host = Host::new().await;
    let whole = modern("tools/list", json!({}));
    assert_error(whole.clone().without("Content-Type").send(host.address).await, 415).await;
    for other in ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"]
    {
        assert_error(whole.clone().set("Content-Type", other).send(host.address).await, 415).await;
    }
    for same in ["application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(whole.clone().set("Content-Type", same).send(host.address).await.status, 200);
    }
}

#[tokio::test]
async fn responds_415_when_the_body_has_a_content_coding() {
    // C11
    let host = Host::new().await;
    let whole = modern("tools/list", json!({}));
    for coding in ["gzip", "br", "identity, deflate", "x"] {
        let mut response = whole.clone().set("Content-Encoding", coding).send(host.address).await;
        let body: Value = response.json().await;
        assert_eq!((response.status, response.header("accept-encoding")), (415, Some("identity")), "{body}");
        assert!(body["error"]["message"].as_str().is_some_and(|text| text.contains("`Content-Encoding`")), "{body}");
    }
    for none in ["", "identity"] {
        assert_eq!(whole.clone().set("Content-Encoding", none).send(host.address).await.status, 200);
    }
}

#[tokio::test]
async fn response_type_follows_accept() {
    // M26-156, S-138
    let host = Host::new().await;
    let call = modern_call("add", json!({ "a": 1, "b": 2 }));
    for neither in ["text/html", "image/*", "application/json;q=0"] {
        assert_error(call.clone().set("Accept", neither).send(host.address).await, 406).await;
    }
    let mut plain = call.clone().set("Accept", "application/json").send(host.address).await;
    assert_eq!(plain.json().await["result"]["content"][0]["text"], "3");
    let mut streamed = call.clone().set("Accept", "text/event-stream").send(host.address).await.events().await;
    assert_eq!(streamed.message().await["result"]["content"][0]["text"], "3");
    streamed.ends().await;
    for either in ["application/json, text/event-stream", "*/*"] {
        let mut response = call.clone().set("Accept", either).send(host.address).await;
        assert_eq!(response.json().await["result"]["content"][0]["text"], "3");
    }
    assert_eq!(call.without("Accept").send(host.address).await.status, 200);
    // A subscription requires a stream.
    let listen = modern("subscriptions/listen", json!({ "notifications": {} })).set("Accept", "application/json");
    assert_error(listen.send(host.address).await, 406).await;
    // So does a GET.
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let get = session.add_headers(Request::new("GET", "/mcp").add("Accept", "application/json"));
        assert_error(get.send(host.address).await, 406).await;
    }
}

#[tokio::test]
async fn discards_notifications_when_the_client_accepts_only_json() {
    // M26-156, S-138
    let host = Host::new().await;
    let session = Session::open(host.address, ferromcp_core::Revision::LATEST_LEGACY).await;
    let message = legacy_message(1, "tools/call", json!({ "name": "say", "arguments": {} }));
    let mut response = session.post(&message).set("Accept", "application/json").send(host.address).await;
    assert_eq!(response.json().await["result"]["content"][0]["text"], "done");
}

#[tokio::test]
async fn rejects_a_body_when_it_is_too_large_or_too_slow() {
    let limits = HttpServerLimits::new().body_bytes(1000).body_timeout(std::time::Duration::from_millis(200));
    let host = Host::with(HttpServerOptions::new().limits(limits)).await;
    let long = post(" ".repeat(1001));
    let response = assert_error(long.send(host.address).await, 413).await;
    assert_eq!(response.header("connection"), Some("close"));
    assert_eq!(post(" ".repeat(1000)).send(host.address).await.status, 400);

    // A body without a declared length.
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        host.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..11 {
        let chunk = format!("64\r\n{}\r\n", " ".repeat(100));
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    assert_error(Response::read(stream, BytesMut::new()).await, 413).await;

    // A body that never ends.
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"1\r\n{\r\n").await.unwrap();
    assert_error(Response::read(stream, BytesMut::new()).await, 408).await;
}

#[tokio::test]
async fn connection_serves_many_requests() {
    // M26-156
    let host = Host::new().await;
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    let mut buffer = BytesMut::new();
    for round in 0..20 {
        let request = if round % 3 == 0 {
            modern("no/such", json!({}))
        } else {
            modern_call("add", json!({ "a": round, "b": 1 }))
        };
        stream.write_all(&request.bytes(host.address)).await.unwrap();
        let mut response = Response::read(stream, buffer).await;
        let answer = response.json().await;
        match round % 3 {
            0 => assert_eq!(response.status, 404),
            _ => assert_eq!(answer["result"]["content"][0]["text"], (round + 1).to_string()),
        }
        (stream, buffer) = response.into_connection();
    }
}
