//! Hostile and broken servers: the client does not hang, and its memory is bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_client::{Change, ChangeFilter, Client, ClientLimits, ErrorKind};
use ferromcp_core::model::LogLevel;
use ferromcp_transport::{Transport, memory, streams};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::recorder::Recorder;
use crate::script::{ScriptedServer, builder, discovered, legacy, modern, soon, text};

/// Asserts that the client still works.
async fn assert_works(client: &Client, peer: &mut ScriptedServer) {
    let script = async {
        loop {
            let message = peer.recv().await;
            if message["method"] == "tools/call" {
                return peer.answer(&message, text("ok")).await;
            }
        }
    };
    soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await.0.unwrap();
}

#[tokio::test]
async fn ignores_invalid_messages() {
    let (sender, mut logs) = tokio::sync::mpsc::unbounded_channel();
    let (client, mut peer) = modern(builder().on_log(LogLevel::Debug, move |log| drop(sender.send(log)))).await;
    let deep = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for line in [
        "",
        "null",
        "7",
        "{",
        "[]",
        "[[]]",
        "{}",
        "\u{0}",
        r#"{"jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"1.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":99999,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":"1","result":{}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"?"}}"#,
        r#"{"jsonrpc":"2.0","id":3,"error":{"code":"x"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":[],"progress":"x"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":7}"#,
        r#"{"jsonrpc":"2.0","method":"tools/list_changed"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{}}}"#,
        &deep,
    ] {
        peer.line(line).await;
    }
    peer.notify("notifications/message", json!({ "level": "info", "data": "all was read" })).await;
    soon(logs.recv()).await.unwrap();
    assert_works(&client, &mut peer).await;
}

#[tokio::test]
async fn calls_succeed_when_server_prints_stray_output() {
    let (client, mut peer) = modern(builder()).await;
    let script = async {
        let call = peer.expect("tools/call").await;
        for line in ["Listening…", "{", "{ \"level\": \"info\" }", "[1]", "42", "\u{1b}[0m"] {
            peer.line(line).await;
        }
        peer.answer(&call, text("ok")).await;
    };
    soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await.0.unwrap();
}

#[tokio::test]
async fn call_fails_immediately_when_response_is_malformed() {
    let deep = "[".repeat(500) + &"]".repeat(500);
    for answer in [
        json!({ "jsonrpc": "2.0", "id": 0, "error": 0 }).to_string(),
        json!({ "jsonrpc": "2.0", "id": 0, "outcome": {} }).to_string(), // C12
        json!({ "jsonrpc": "2.0", "id": 0, "result": {}, "error": { "code": 1, "message": "" } }).to_string(),
        format!("{{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{deep}}}"),
        "{\"jsonrpc\":\"2.0\",\"id\":0,".to_owned(),
    ] {
        let (client, mut peer) = modern(builder()).await;
        let script = async {
            let call = peer.expect("tools/call").await;
            peer.line(&answer.replace("\"id\":0", &format!("\"id\":{}", call["id"]))).await;
        };
        let (result, ()) = soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidResponse);
    }
}

#[tokio::test]
async fn call_fails_with_limit_when_response_is_too_large() {
    let (near, peer) = tokio::io::duplex(1 << 16);
    let (reader, writer) = tokio::io::split(near);
    let (far_reader, far_writer) = tokio::io::split(peer);
    let (mut rx, mut tx) = streams(far_reader, far_writer).split().unwrap();
    tokio::spawn(async move {
        use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound};
        while let Ok(Some(Frame::Complete(line))) = rx.recv().await {
            let request: Value = serde_json::from_slice(&line).unwrap();
            let result = match request["method"].as_str().unwrap() {
                "server/discover" => discovered(&[ferromcp_core::Revision::LATEST.as_str()]),
                _ => text(&"x".repeat(100_000)),
            };
            let answer = json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }).to_string();
            let mut out = Outbound::new();
            out.frame(|buffer| buffer.extend_from_slice(answer.as_bytes()));
            while !out.is_empty() && tx.write(&mut out).await.is_ok() {}
        }
    });
    let client = soon(builder().connect(streams(reader, writer).max_line(10_000))).await.unwrap();
    let error = soon(client.call("t", ())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("10000"), "{error}");
}

#[tokio::test]
async fn calls_succeed_and_queue_is_bounded_when_notifications_flood() {
    let received = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&received);
    let listening = builder().on_log(LogLevel::Debug, move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let (client, mut peer) = legacy_with_logs(listening).await;
    let interest = ChangeFilter::new().tools().resource("x:");
    let subscribing = async { client.subscribe(interest).await };
    let script = async {
        let subscribe = peer.expect("resources/subscribe").await;
        peer.answer(&subscribe, json!({})).await;
    };
    let mut subscription = soon(async { tokio::join!(subscribing, script) }).await.0.unwrap();
    for n in 0..20_000 {
        peer.notify("notifications/message", json!({ "level": "info", "data": n })).await;
        peer.notify("notifications/tools/list_changed", json!({})).await;
        peer.notify("notifications/resources/updated", json!({ "uri": format!("x:/{n}") })).await;
    }
    assert_works(&client, &mut peer).await;
    assert_eq!(received.load(Ordering::Relaxed), 20_000);
    // The overflow became a gap, and the queue is within its limit.
    assert_eq!(soon(subscription.next()).await.unwrap().unwrap(), Change::Gap);
    let mut waiting = 1;
    while let Ok(Some(Ok(_))) = tokio::time::timeout(Duration::from_millis(50), subscription.next()).await {
        waiting += 1;
    }
    assert!(waiting <= 1025, "{waiting}");
}

/// Connects a legacy client with a log handler.
async fn legacy_with_logs(builder: ferromcp_client::ClientBuilder) -> (Client, ScriptedServer) {
    let (near, mut peer) = crate::script::pair();
    let script = async {
        peer.negotiate_legacy().await;
        let level = peer.expect("logging/setLevel").await;
        peer.answer(&level, json!({})).await;
    };
    let (client, ()) = soon(async { tokio::join!(builder.connect(near), script) }).await;
    (client.unwrap(), peer)
}

#[tokio::test]
async fn drops_requests_when_server_does_not_read_responses() {
    // Responses queue up to a limit; then requests are dropped, and reading continues.
    let (near, peer) = tokio::io::duplex(1 << 16);
    let (reader, writer) = tokio::io::split(near);
    let (_unread, mut far_writer) = tokio::io::split(peer);
    let connecting = tokio::spawn(builder().connect(streams(reader, writer)));
    let padding = "x".repeat(500);
    for n in 0..20_000 {
        use tokio::io::AsyncWriteExt;
        // The responses exceed the write buffer of 4 MiB.
        let ping = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"{n}{padding}\",\"method\":\"ping\"}}\n");
        soon(far_writer.write_all(ping.as_bytes())).await.unwrap();
    }
    connecting.abort();
}

#[tokio::test]
async fn calls_time_out_when_server_does_not_read() {
    let limits = ClientLimits::new().request_timeout(Duration::from_millis(100)).in_flight(4);
    let (near, peer) = memory();
    let (mut rx, mut tx) = peer.split().unwrap();
    let script = async {
        use ferromcp_transport::{FrameRx, FrameTx, Outbound};
        let Ok(Some(ferromcp_transport::Frame::Complete(line))) = rx.recv().await else { panic!() };
        let probe: Value = serde_json::from_slice(&line).unwrap();
        let result = discovered(&[ferromcp_core::Revision::LATEST.as_str()]);
        let answer = json!({ "jsonrpc": "2.0", "id": probe["id"], "result": result }).to_string();
        let mut out = Outbound::new();
        out.frame(|buffer| buffer.extend_from_slice(answer.as_bytes()));
        tx.write(&mut out).await.unwrap();
    };
    let (client, ()) = soon(async { tokio::join!(builder().limits(limits).connect(near), script) }).await;
    let client = client.unwrap();
    let big = json!({ "x": "y".repeat(700_000) });
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let (client, big) = (client.clone(), big.clone());
            tokio::spawn(async move { client.call("t", big).await })
        })
        .collect();
    for task in tasks {
        assert!(soon(task).await.unwrap().unwrap_err().is_timeout());
    }
}

#[tokio::test]
async fn takes_messages_of_batches_at_every_revision() {
    // S-023
    let recorder = Recorder::default();
    let _subscriber = tracing::subscriber::set_default(recorder.clone());
    for (version, warnings) in [("2025-03-26", 0), ("2025-11-25", 1)] {
        let (near, mut peer) = crate::script::pair();
        let limits = ClientLimits::new().request_timeout(Duration::from_millis(200));
        let script = async {
            let probe = peer.expect("server/discover").await;
            peer.fail(&probe, -32601, Value::Null).await;
            let opening = peer.expect("initialize").await;
            peer.answer(&opening, crate::script::initialized(version)).await;
            peer.expect("notifications/initialized").await;
        };
        let (client, ()) = soon(async { tokio::join!(builder().limits(limits).connect(near), script) }).await;
        let client = client.unwrap();
        for _ in 0..3 {
            let script = async {
                let ping = peer.expect("ping").await;
                let log = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
                peer.send(json!([7, log, { "jsonrpc": "2.0", "id": ping["id"], "result": {} }])).await;
            };
            let (result, ()) = soon(async { tokio::join!(async { client.ping().await }, script) }).await;
            result.unwrap_or_else(|error| panic!("{version}: {error}"));
        }
        // The warning is not repeated for each batch.
        assert_eq!(recorder.warnings("sent a batch").len(), warnings, "{version}");
    }
    assert!(recorder.warnings("sent a batch")[0].contains("2025-11-25"));
}

#[tokio::test]
async fn takes_messages_of_batches_when_server_is_modern() {
    let (client, mut peer) = modern(builder()).await;
    let script = async {
        let call = peer.expect("tools/call").await;
        // Requests of a modern server are ignored in a batch as well.
        let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
        peer.send(json!([ping, { "jsonrpc": "2.0", "id": call["id"], "result": text("ok") }])).await;
    };
    soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await.0.unwrap();
    assert_works(&client, &mut peer).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn client_survives_any_line(lines in proptest::collection::vec(".{0,80}", 1..20), legacy_era: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, mut peer) = if legacy_era { legacy(builder()).await } else { modern(builder()).await };
            for line in &lines {
                peer.line(&line.replace('\n', " ")).await;
                peer.line(&json!({ "jsonrpc": "2.0", "method": line, "params": { "x": line } }).to_string()).await;
                peer.line(&json!({ "jsonrpc": "2.0", "id": line, "result": line }).to_string()).await;
            }
            assert_works(&client, &mut peer).await;
        });
    }
}
