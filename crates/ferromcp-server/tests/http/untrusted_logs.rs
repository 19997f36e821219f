//! Headers, paths and messages of HTTP clients in logs: without escape sequences and line feeds, and of bounded length.

use std::net::SocketAddr;
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_core::header::{self, field};
use ferromcp_server::http::HttpServerOptions;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{
    PATH, Session, initialize, legacy_message, modern, modern_call, modern_message, modern_post, post,
};
use crate::fixture::Host;
use crate::log_recorder::LogRecorder;
use crate::message::Request;

/// Text of a message: sets a terminal's title, forges a line, and reverses the text that follows.
const ATTACK: &str = "a\u{1b}]0;owned\u{7}\r\n2026-01-01 ERROR forged\t\u{9b}2K\u{202e}b\u{7f}";

/// Text of a header. HTTP does not allow escape characters in one, but the same control sequence in Latin-1 and UTF-8.
const HEADERS: [&[u8]; 4] =
    ["a\u{9b}31mred\u{202e}\tb".as_bytes(), b"a\x9b31mred\xff", b"a\x1b[31mred", b"=?base64?Zm9yZ2VkGzMxbQo=?="];

/// Sends bytes, and reads until the server responds or disconnects.
async fn send(address: SocketAddr, bytes: &[u8]) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    if stream.write_all(bytes).await.is_ok() {
        let _ = timeout(Duration::from_secs(5), stream.read(&mut [0; 4096])).await.expect("a response");
    }
}

fn attack_info() -> Value {
    json!({ "name": ATTACK, "version": ATTACK, "title": ATTACK, ATTACK: ATTACK })
}

#[tokio::test]
async fn logs_escape_headers_and_paths_of_client() {
    let recorder = LogRecorder::default();
    let _subscriber = tracing::subscriber::set_default(recorder.clone());
    let host = Host::with(HttpServerOptions::new().http_sse(true)).await;
    let session = Session::open(host.address, Revision::LATEST_LEGACY).await;
    let valid = [
        modern_call("add", json!({ "a": 1, "b": 2 })),
        session.post(&legacy_message(1, "tools/list", json!({}))),
        session.get(),
        Request::new("OPTIONS", PATH).add("Access-Control-Request-Method", "POST"),
        Request::new("GET", "/sse").add("Accept", "text/event-stream"),
        Request::new("POST", "/messages?sessionId=x").add("Content-Type", "application/json").body("{}"),
    ];
    let names = [
        "Accept",
        "Access-Control-Request-Headers",
        "Access-Control-Request-Method",
        "Authorization",
        "Content-Encoding",
        "Content-Type",
        "Forwarded",
        "Last-Event-ID",
        field::METHOD,
        field::NAME,
        field::PROTOCOL_VERSION,
        field::SESSION_ID,
        "Mcp-Param-Region",
        "Origin",
        "X-Forwarded-For",
    ];
    for request in &valid {
        for value in HEADERS {
            for name in names {
                send(host.address, &request.clone().set(name, value).bytes(host.address)).await;
            }
            let with_host = [b"Host: ", value, b"\r\n"].concat();
            let bytes = request.bytes(host.address);
            let (line, rest) = bytes.split_at(bytes.windows(2).position(|two| two == b"\r\n").unwrap() + 2);
            let rest = &rest[rest.windows(2).position(|two| two == b"\r\n").unwrap() + 2..];
            send(host.address, &[line, &with_host, rest].concat()).await;
            let path = [b"GET /mcp/", value, b" HTTP/1.1\r\nHost: localhost\r\n\r\n"].concat();
            send(host.address, &path).await;
        }
    }
    for path in ["/%1b]0;owned%07", "/messages?sessionId=%1b%5b31m%0a", "/mcp?%1b%9b"] {
        for method in ["GET", "POST", "DELETE"] {
            send(host.address, &Request::new(method, path).bytes(host.address)).await;
        }
    }
    recorder.assert_harmless();
    for part in
        ["Invalid `Host`: `a?31mred?`", "Origin `a?31mred?`", "Header mismatch: Mcp-Name", "invalid HTTP header"]
    {
        assert!(recorder.contains(part), "{part:?} is not in the log: {:?}", recorder.lines());
    }
}

#[tokio::test]
async fn logs_escape_messages_of_client() {
    let recorder = LogRecorder::default();
    let _subscriber = tracing::subscriber::set_default(recorder.clone());
    let host = Host::new().await;
    let mut hostile = modern_message(1, "tools/call", json!({ "name": ATTACK, "arguments": { ATTACK: ATTACK } }));
    hostile["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] = attack_info();
    // The name is encoded, as every name that is not printable.
    let mut other_name = modern_call("add", json!({ "a": 1, "b": 2 }));
    other_name = other_name.set(field::NAME, header::encode(ATTACK).as_bytes());
    let mut opening = initialize(Revision::LATEST_LEGACY);
    opening["params"]["clientInfo"] = attack_info();
    opening["params"]["capabilities"] = json!({ "experimental": { ATTACK: {} }, ATTACK: {} });
    let mut unknown_version = initialize(Revision::LATEST_LEGACY);
    unknown_version["params"]["protocolVersion"] = ATTACK.into();
    for request in [
        modern_post(&hostile),
        other_name,
        modern(ATTACK, json!({})).set(field::METHOD, "x"),
        modern("resources/read", json!({ "uri": ATTACK })),
        modern("tools/list", json!({ "cursor": ATTACK, ATTACK: ATTACK })),
        post(opening.to_string()),
        post(unknown_version.to_string()),
        post(ATTACK),
        post(json!({ "jsonrpc": ATTACK, "id": ATTACK, "method": ATTACK }).to_string()),
        post(json!({ "jsonrpc": "2.0", "id": { ATTACK: 1 }, "method": ATTACK }).to_string()),
        post(json!([ATTACK]).to_string()),
    ] {
        send(host.address, &request.bytes(host.address)).await;
    }
    for revision in crate::client::legacy() {
        let session = Session::open(host.address, revision).await;
        for message in [
            legacy_message(ATTACK, "tools/call", json!({ "name": ATTACK, "arguments": ATTACK })),
            legacy_message(ATTACK, ATTACK, json!({ ATTACK: ATTACK })),
            json!({ "jsonrpc": "2.0", "id": ATTACK, "result": ATTACK }),
            json!({ "jsonrpc": "2.0", "id": 7, "error": { "code": 1, "message": ATTACK } }),
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": ATTACK, "reason": ATTACK } }),
            json!({ "jsonrpc": "2.0", "method": ATTACK, "params": ATTACK }),
        ] {
            send(host.address, &session.post(&message).bytes(host.address)).await;
        }
    }
    recorder.assert_harmless();
    for part in ["a\\u{1b}]0;owned", "ERROR forged", "gen_ai.tool.name = ", "rejected a request"] {
        assert!(recorder.contains(part), "{part:?} is not in the log: {:?}", recorder.lines());
    }
}
