//! Servers that mean harm, or do it: nothing hangs, and nothing grows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_client::{Change, Client, ClientLimits, ErrorKind, Interest};
use ferromcp_core::model::LogLevel;
use ferromcp_transport::{Transport, memory, streams};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::script::{Far, builder, discovered, legacy, modern, soon, text};

/// Whether the client still does its work.
async fn lives(client: &Client, far: &mut Far) {
    let script = async {
        loop {
            let message = far.recv().await;
            if message["method"] == "tools/call" {
                return far.answer(&message, text("ok")).await;
            }
        }
    };
    soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await.0.unwrap();
}

#[tokio::test]
async fn nonsense_is_ignored() {
    let (sender, mut logs) = tokio::sync::mpsc::unbounded_channel();
    let (client, mut far) = modern(builder().on_log(LogLevel::Debug, move |log| drop(sender.send(log)))).await;
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
        far.line(line).await;
    }
    far.notify("notifications/message", json!({ "level": "info", "data": "all was read" })).await;
    soon(logs.recv()).await.unwrap();
    lives(&client, &mut far).await;
}

#[tokio::test]
async fn stray_prints_cost_no_call() {
    let (client, mut far) = modern(builder()).await;
    let script = async {
        let call = far.expect("tools/call").await;
        for line in ["Listening…", "{", "{ \"level\": \"info\" }", "[1]", "42", "\u{1b}[0m"] {
            far.line(line).await;
        }
        far.answer(&call, text("ok")).await;
    };
    soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await.0.unwrap();
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_fails_its_call_at_once() {
    let deep = "[".repeat(500) + &"]".repeat(500);
    for answer in [
        json!({ "jsonrpc": "2.0", "id": 0, "error": { "code": "x" } }).to_string(),
        json!({ "jsonrpc": "2.0", "id": 0, "result": {}, "error": { "code": 1, "message": "" } }).to_string(),
        format!("{{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{deep}}}"),
        "{\"jsonrpc\":\"2.0\",\"id\":0,".to_owned(),
    ] {
        let (client, mut far) = modern(builder()).await;
        let script = async {
            let call = far.expect("tools/call").await;
            far.line(&answer.replace("\"id\":0", &format!("\"id\":{}", call["id"]))).await;
        };
        let (result, ()) = soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await;
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Malformed);
    }
}

#[tokio::test]
async fn an_answer_beyond_the_limit_fails_its_call_and_names_the_limit() {
    let (near, far) = tokio::io::duplex(1 << 16);
    let (reader, writer) = tokio::io::split(near);
    let (far_reader, far_writer) = tokio::io::split(far);
    let (mut rx, mut tx) = streams(far_reader, far_writer).split().unwrap();
    tokio::spawn(async move {
        use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound};
        while let Ok(Some(Frame::Whole(line))) = rx.recv().await {
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
async fn a_flood_of_notifications_neither_stops_calls_nor_grows() {
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    let mut limits = ClientLimits::default();
    limits.queued_changes = 8;
    let listening = builder().limits(limits).on_log(LogLevel::Debug, move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let (client, mut far) = legacy_with_logs(listening).await;
    let interest = Interest::new().tools().resource("x:");
    let subscribing = async { client.subscribe(interest).await };
    let script = async {
        let subscribe = far.expect("resources/subscribe").await;
        far.answer(&subscribe, json!({})).await;
    };
    let mut subscription = soon(async { tokio::join!(subscribing, script) }).await.0.unwrap();
    for n in 0..20_000 {
        far.notify("notifications/message", json!({ "level": "info", "data": n })).await;
        far.notify("notifications/tools/list_changed", json!({})).await;
        far.notify("notifications/resources/updated", json!({ "uri": format!("x:/{n}") })).await;
    }
    lives(&client, &mut far).await;
    assert_eq!(heard.load(Ordering::Relaxed), 20_000);
    // What was too much has become a gap, and at most as much as there is room for waits.
    assert_eq!(soon(subscription.next()).await.unwrap().unwrap(), Change::Gap);
    let mut waiting = 1;
    while let Ok(Some(Ok(_))) = tokio::time::timeout(Duration::from_millis(50), subscription.next()).await {
        waiting += 1;
    }
    assert!(waiting <= 9, "{waiting}");
}

/// A legacy client that has asked for logs.
async fn legacy_with_logs(builder: ferromcp_client::ClientBuilder) -> (Client, Far) {
    let (near, mut far) = crate::script::pair();
    let script = async {
        far.be_legacy().await;
        let level = far.expect("logging/setLevel").await;
        far.answer(&level, json!({})).await;
    };
    let (client, ()) = soon(async { tokio::join!(builder.connect(near), script) }).await;
    (client.unwrap(), far)
}

#[tokio::test]
async fn a_server_that_asks_and_does_not_read_is_not_answered_for_ever() {
    // Answers pile up to a limit; then questions are ignored, and reading goes on.
    let mut limits = ClientLimits::default();
    limits.outbound_bytes = 1000;
    let (near, far) = tokio::io::duplex(256);
    let (reader, writer) = tokio::io::split(near);
    let (_unread, mut far_writer) = tokio::io::split(far);
    let connecting = tokio::spawn(builder().limits(limits).connect(streams(reader, writer)));
    for n in 0..50_000 {
        use tokio::io::AsyncWriteExt;
        let ping = format!("{{\"jsonrpc\":\"2.0\",\"id\":{n},\"method\":\"ping\"}}\n");
        soon(far_writer.write_all(ping.as_bytes())).await.unwrap();
    }
    connecting.abort();
}

#[tokio::test]
async fn a_server_that_reads_nothing_makes_calls_late_and_no_more() {
    let mut limits = ClientLimits::default();
    (limits.outbound_bytes, limits.request_timeout, limits.in_flight) = (1000, Duration::from_millis(100), 4);
    let (near, far) = memory();
    let (mut rx, mut tx) = far.split().unwrap();
    let script = async {
        use ferromcp_transport::{FrameRx, FrameTx, Outbound};
        let Ok(Some(ferromcp_transport::Frame::Whole(line))) = rx.recv().await else { panic!() };
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
async fn batches_are_taken_in_the_one_revision_that_has_them() {
    // S-023
    for (version, taken) in [("2025-03-26", true), ("2025-11-25", false)] {
        let (near, mut far) = crate::script::pair();
        let mut limits = ClientLimits::default();
        limits.request_timeout = Duration::from_millis(200);
        let script = async {
            let probe = far.expect("server/discover").await;
            far.fail(&probe, -32601, Value::Null).await;
            let opening = far.expect("initialize").await;
            far.answer(&opening, crate::script::initialized(version)).await;
            far.expect("notifications/initialized").await;
        };
        let (client, ()) = soon(async { tokio::join!(builder().limits(limits).connect(near), script) }).await;
        let client = client.unwrap();
        let script = async {
            let ping = far.expect("ping").await;
            let log = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
            far.send(json!([log, { "jsonrpc": "2.0", "id": ping["id"], "result": {} }])).await;
        };
        let (result, ()) = soon(async { tokio::join!(async { client.ping().await }, script) }).await;
        assert_eq!(result.is_ok(), taken, "{version} {result:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_line_whatever_breaks_the_client(lines in proptest::collection::vec(".{0,80}", 1..20), legacy_era: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, mut far) = if legacy_era { legacy(builder()).await } else { modern(builder()).await };
            for line in &lines {
                far.line(&line.replace('\n', " ")).await;
                far.line(&json!({ "jsonrpc": "2.0", "method": line, "params": { "x": line } }).to_string()).await;
                far.line(&json!({ "jsonrpc": "2.0", "id": line, "result": line }).to_string()).await;
            }
            lives(&client, &mut far).await;
        });
    }
}
