//! Progress notifications: sent only with a token, only increasing, and only before the response.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::{Ctx, Server, ServerLimits, Tool};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::client::{Case, Client};

fn server() -> Server {
    Server::new("progress", "0")
        .with_tool(Tool::new("work", |ctx: Ctx| async move {
            ctx.progress(0.0, 3.0).await;
            ctx.progress_with(1.5, 3.0, "half").await;
            ctx.progress(1.5, 3.0).await;
            ctx.progress(1.0, 3.0).await;
            ctx.progress(f64::NAN, 3.0).await;
            ctx.progress(f64::INFINITY, 3.0).await;
            ctx.progress(2.0, f64::NAN).await;
            tokio::task::yield_now().await;
            ctx.progress(3.0, None).await;
            "done"
        }))
        .with_tool(Tool::sync("at_once", |ctx: Ctx| format!("{:?}", ctx.progress_token())))
}

/// Parameters of a call to `work` with this progress token.
fn call_with_token(token: Value) -> Value {
    json!({ "name": "work", "_meta": { "progressToken": token } })
}

#[tokio::test]
async fn progress_increases_when_request_has_progress_token() {
    // M26-023, M26-279, M26-282, M26-283, M26-284, M26-286, S-197, S-199, S-200, S-201, S-202, S-209
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for token in [json!(0), json!(""), json!("abc"), json!(-7), json!(i64::MAX)] {
            let answer = client.request("tools/call", call_with_token(token.clone())).await;
            assert_eq!(answer["result"]["content"][0]["text"], "done");
            let notifications: Vec<Value> = client.seen();
            assert!(
                notifications.iter().all(|message| message["method"] == "notifications/progress"),
                "{notifications:?}"
            );
            assert!(
                notifications.iter().all(|message| message["params"]["progressToken"] == token),
                "{notifications:?}"
            );
            let steps: Vec<f64> =
                notifications.iter().map(|message| message["params"]["progress"].as_f64().unwrap()).collect();
            assert_eq!(steps, [0.0, 1.5, 2.0, 3.0]);
            let has_message = case.revision >= Revision::V2025_03_26;
            assert_eq!(notifications[1]["params"]["message"], if has_message { json!("half") } else { Value::Null });
            assert_eq!(
                (&notifications[0]["params"]["total"], notifications[2]["params"].get("total")),
                (&json!(3.0), None)
            );
        }
    }
}

#[tokio::test]
async fn no_progress_is_sent_when_request_has_no_token() {
    // M26-285, M26-286, S-199, S-203
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        assert_eq!(client.text("work", json!({})).await, "done");
        for meta in [json!({ "progressToken": null }), json!({})] {
            client.request("tools/call", json!({ "name": "work", "_meta": meta })).await;
        }
        assert_eq!(client.text("at_once", json!({})).await, "None");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn request_is_rejected_when_progress_token_is_invalid() {
    // S-197, M26-054
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for token in [json!(1.5), json!(true), json!([1]), json!({})] {
            assert_eq!(client.error("tools/call", call_with_token(token)).await["code"], -32602);
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn progress_is_sent_per_token_when_calls_are_concurrent() {
    // M26-285, M26-287, S-203, S-204
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let (one, two) = (
            client.start("tools/call", call_with_token(json!("one"))),
            client.start("tools/call", call_with_token(json!("two"))),
        );
        client.answer(one).await;
        client.answer(two).await;
        let notifications = client.seen();
        for token in ["one", "two"] {
            let for_token = notifications.iter().filter(|message| message["params"]["progressToken"] == token);
            assert_eq!(for_token.count(), 4);
        }
    }
}

#[tokio::test]
async fn no_notification_is_sent_when_context_outlives_response() {
    // M26-285, M26-289, S-203, S-206
    for case in Case::all() {
        let (go, finished) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (waits, notifies) = (Arc::clone(&go), Arc::clone(&finished));
        let server = Server::new("background", "0").with_tool(Tool::new("background", move |ctx: Ctx| {
            let (waits, notifies) = (Arc::clone(&waits), Arc::clone(&notifies));
            async move {
                let clone = ctx.clone();
                tokio::spawn(async move {
                    assert!(!clone.has_ended());
                    waits.notified().await;
                    clone.cancelled().await; // the call has ended
                    assert!(clone.has_ended());
                    clone.progress(5.0, None).await;
                    clone.error("too late").await;
                    notifies.notify_one();
                });
                ctx.progress(1.0, None).await;
                tokio::task::yield_now().await;
                "done"
            }
        }));
        let mut client = Client::connect(server, case).await;
        let meta = json!({ "progressToken": 1, "io.modelcontextprotocol/logLevel": "debug" });
        client.request("tools/call", json!({ "name": "background", "_meta": meta })).await;
        assert_eq!(client.seen().len(), 1);
        go.notify_one();
        finished.notified().await;
        client.assert_alive().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn progress_increases_and_stops_at_response_when_tasks_report_concurrently() {
    // M26-282, M26-289, S-200, S-206
    for case in Case::eras() {
        // A small buffer, so that tasks also wait for space.
        let limits = ServerLimits::new().outbound_bytes(512);
        let server =
            Server::new("concurrent", "0").limits(limits).with_tool(Tool::new("concurrent", |ctx: Ctx| async move {
                let next = Arc::new(AtomicU32::new(1));
                for _ in 0..4 {
                    let (ctx, next) = (ctx.clone(), Arc::clone(&next));
                    tokio::spawn(async move {
                        while !ctx.has_ended() {
                            ctx.progress(f64::from(next.fetch_add(1, Ordering::Relaxed)), None).await;
                        }
                    });
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                "done"
            }));
        let mut client = Client::connect(server, case).await;
        let id = client.start("tools/call", json!({ "name": "concurrent", "_meta": { "progressToken": 1 } }));
        let mut last = 0.0;
        loop {
            let message = client.recv().await;
            if message["id"] == id {
                break;
            }
            let progress = message["params"]["progress"].as_f64().unwrap();
            assert!(progress > last, "{progress} after {last}");
            last = progress;
        }
        assert!(last > 10.0, "too few progress notifications: {last}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        client.assert_alive().await;
    }
}
