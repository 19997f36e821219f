//! Sessions that are large, or many.

use bytes::BytesMut;
use ferromcp_core::header::field;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{ServerProcess, revision};
use crate::client::{Session, initialize, initialize_with, post};
use crate::message::Response;

#[tokio::test]
async fn sessions_do_not_keep_large_capabilities() {
    let server = ServerProcess::start(&json!({}));
    let large = "x".repeat(512 << 10);
    let attacks = [
        json!({ "capabilities": { "experimental": { "x": { "y": large } } } }),
        json!({ "capabilities": { "extensions": { "com.example/x": { "y": large } } } }),
        json!({ "clientInfo": { "name": "n", "version": "1", "icons": [{ "src": format!("data:,{large}") }] } }),
        json!({ "clientInfo": { "name": "n", "version": "1", "description": large } }),
        json!({ "capabilities": { "unknown": large } }), // small capabilities of a large message
    ];
    let growth = server
        .growth_kib(async {
            for (number, attack) in attacks.iter().cycle().take(100).enumerate() {
                let mut message = initialize_with(revision(), json!({ "sampling": { "tools": {} } }));
                for (name, value) in attack.as_object().unwrap() {
                    message["params"][name] = value.clone();
                }
                let mut response = post(message.to_string()).send(server.address).await;
                assert!(response.header(field::lower::SESSION_ID).is_some(), "attack {number}");
                assert!(response.json().await["result"].is_object());
            }
        })
        .await;
    eprintln!("100 sessions of clients with 512 KiB of capabilities or description, +{growth} KiB");
    assert!(growth < 20 << 10, "{growth} KiB");
}

#[tokio::test]
async fn initialize_fails_when_known_capabilities_are_too_large() {
    let server = ServerProcess::start(&json!({}));
    let capabilities = json!({ "sampling": { "tools": { "x": "x".repeat(20 << 10) } } });
    let mut response = post(initialize_with(revision(), capabilities).to_string()).send(server.address).await;
    let answer = response.json().await;
    assert_eq!(answer["error"]["code"], -32602);
    let text = answer["error"]["message"].as_str().unwrap();
    assert!(text.contains("`params.capabilities` has") && text.contains("session limit of 16384"), "{text}");
    assert!(response.header(field::lower::SESSION_ID).is_none());
}

/// Pipelines `initialize` on one connection, and returns the statuses.
async fn pipeline(server: &ServerProcess, count: usize) -> Vec<u16> {
    let request = post(initialize(revision()).to_string()).bytes(server.address);
    let (mut stream, mut buffer) = (TcpStream::connect(server.address).await.unwrap(), BytesMut::new());
    let mut statuses = Vec::new();
    for chunk in (0..count).collect::<Vec<_>>().chunks(50) {
        stream.write_all(&request.repeat(chunk.len())).await.unwrap();
        for _ in chunk {
            let mut response = Response::read(stream, buffer).await;
            statuses.push(response.status);
            let body: Value = serde_json::from_slice(&response.body().await).unwrap();
            assert_eq!(response.status == 200, body["result"].is_object(), "{body}");
            assert_eq!(response.header("retry-after").is_some(), response.status != 200);
            (stream, buffer) = response.into_connection();
        }
    }
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_others_survive_when_one_client_starts_many() {
    let server = ServerProcess::start(&json!({ "sessions": 400 }));
    let mut others = Vec::new();
    for _ in 0..50 {
        others.push(Session::open(server.address, revision()).await);
    }
    let statuses = pipeline(&server, 1100).await;
    let started = statuses.iter().filter(|status| **status == 200).count();
    eprintln!("1,100 pipelined `initialize`: {started} sessions started");
    assert!(started < 400 && statuses.iter().all(|status| [200, 429].contains(status)), "{started}");
    // The same from many connections.
    for _ in 0..300 {
        let response = post(initialize(revision()).to_string()).send(server.address).await;
        assert!([200, 429].contains(&response.status), "{}", response.status);
    }
    for session in others {
        assert_eq!(session.send(1, "ping", json!({})).await.status, 200);
    }
}
