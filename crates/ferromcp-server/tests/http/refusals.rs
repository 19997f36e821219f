//! What HTTP alone says: foreign pages, wrong methods, forms of bodies and answers.

use bytes::BytesMut;
use ferromcp_server::http::{HttpLimits, HttpOptions};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Session, legacy, legacy_message, modern, modern_call, post};
use crate::fixture::Host;
use crate::message::{Request, Response};

/// Asserts a refusal that no message belongs to.
async fn refused(mut response: Response, status: u16) -> Response {
    let body: Value = response.json().await;
    assert_eq!(response.status, status, "{body}");
    assert!(body.get("id").is_none() && body["error"]["message"].is_string(), "{body}");
    response
}

#[tokio::test]
async fn foreign_pages_and_names_are_not_let_in() {
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
            refused(request.clone().add("Origin", origin).send(host.address).await, 403).await;
        }
        // The host first, whatever else is wrong.
        let mut stream = TcpStream::connect(host.address).await.unwrap();
        let text = format!("{} /mcp HTTP/1.1\r\nHost: evil.example.com\r\nContent-Length: 0\r\n\r\n", request.method);
        stream.write_all(text.as_bytes()).await.unwrap();
        refused(Response::read(stream, BytesMut::new()).await, 403).await;
    }
    let near = format!("http://{}", host.address);
    for origin in ["http://localhost:5173", "http://127.0.0.1", &near] {
        assert_eq!(modern("tools/list", json!({})).add("Origin", origin).send(host.address).await.status, 200);
    }
}

#[tokio::test]
async fn methods_without_meaning_are_not_allowed() {
    // S-125
    let host = Host::new().await;
    for method in ["PUT", "PATCH", "OPTIONS", "TRACE"] {
        let response = refused(Request::new(method, "/mcp").send(host.address).await, 405).await;
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
async fn a_body_says_that_it_is_json() {
    let host = Host::new().await;
    let whole = modern("tools/list", json!({}));
    refused(whole.clone().without("Content-Type").send(host.address).await, 415).await;
    for other in ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"]
    {
        refused(whole.clone().set("Content-Type", other).send(host.address).await, 415).await;
    }
    for same in ["application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(whole.clone().set("Content-Type", same).send(host.address).await.status, 200);
    }
}

#[tokio::test]
async fn an_answer_has_a_form_the_client_takes() {
    // M26-156, S-138
    let host = Host::new().await;
    let call = modern_call("add", json!({ "a": 1, "b": 2 }));
    for neither in ["text/html", "image/*", "application/json;q=0"] {
        refused(call.clone().set("Accept", neither).send(host.address).await, 406).await;
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
    // A subscription is a stream.
    let listen = modern("subscriptions/listen", json!({ "notifications": {} })).set("Accept", "application/json");
    refused(listen.send(host.address).await, 406).await;
    // So is a GET.
    for revision in legacy() {
        let session = Session::open(host.address, revision).await;
        let get = session.dress(Request::new("GET", "/mcp").add("Accept", "application/json"));
        refused(get.send(host.address).await, 406).await;
    }
}

#[tokio::test]
async fn what_a_handler_says_is_left_out_where_there_is_no_stream() {
    // M26-156, S-138
    let host = Host::new().await;
    let session = Session::open(host.address, ferromcp_core::Revision::LATEST_LEGACY).await;
    let message = legacy_message(1, "tools/call", json!({ "name": "say", "arguments": {} }));
    let mut response = session.post(&message).set("Accept", "application/json").send(host.address).await;
    assert_eq!(response.json().await["result"]["content"][0]["text"], "done");
}

#[tokio::test]
async fn bodies_are_bounded() {
    let mut limits = HttpLimits::default();
    limits.body_bytes = 1000;
    limits.body_time = std::time::Duration::from_millis(200);
    let host = Host::with(HttpOptions::new().limits(limits)).await;
    let long = post(" ".repeat(1001));
    let response = refused(long.send(host.address).await, 413).await;
    assert_eq!(response.header("connection"), Some("close"));
    assert_eq!(post(" ".repeat(1000)).send(host.address).await.status, 400);

    // One that hides its length.
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
    refused(Response::read(stream, BytesMut::new()).await, 413).await;

    // One that never ends.
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"1\r\n{\r\n").await.unwrap();
    refused(Response::read(stream, BytesMut::new()).await, 408).await;
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
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
