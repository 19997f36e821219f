//! Progress: only where it is wanted, only upwards, only while the call runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::{Ctx, Limits, Server, Tool};
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

fn wanting(token: Value) -> Value {
    json!({ "name": "work", "_meta": { "progressToken": token } })
}

#[tokio::test]
async fn progress_rises_under_the_token_that_was_given() {
    // M26-023, M26-279, M26-282, M26-283, M26-284, M26-286, S-197, S-199, S-200, S-201, S-202, S-209
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for token in [json!(0), json!(""), json!("abc"), json!(-7), json!(i64::MAX)] {
            let answer = client.request("tools/call", wanting(token.clone())).await;
            assert_eq!(answer["result"]["content"][0]["text"], "done");
            let told: Vec<Value> = client.seen();
            assert!(told.iter().all(|message| message["method"] == "notifications/progress"), "{told:?}");
            assert!(told.iter().all(|message| message["params"]["progressToken"] == token), "{told:?}");
            let steps: Vec<f64> = told.iter().map(|message| message["params"]["progress"].as_f64().unwrap()).collect();
            assert_eq!(steps, [0.0, 1.5, 2.0, 3.0]);
            let worded = case.revision >= Revision::V2025_03_26;
            assert_eq!(told[1]["params"]["message"], if worded { json!("half") } else { Value::Null });
            assert_eq!((&told[0]["params"]["total"], told[2]["params"].get("total")), (&json!(3.0), None));
        }
    }
}

#[tokio::test]
async fn without_a_token_nobody_hears() {
    // M26-285, M26-286, S-199, S-203
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        assert_eq!(client.text("work", json!({})).await, "done");
        for meta in [json!({ "progressToken": null }), json!({})] {
            client.request("tools/call", json!({ "name": "work", "_meta": meta })).await;
        }
        assert_eq!(client.text("at_once", json!({})).await, "None");
        client.lives().await;
    }
}

#[tokio::test]
async fn bad_tokens_are_refused() {
    // S-197, M26-054
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for token in [json!(1.5), json!(true), json!([1]), json!({})] {
            assert_eq!(client.error("tools/call", wanting(token)).await["code"], -32602);
        }
        client.lives().await;
    }
}

#[tokio::test]
async fn two_calls_tell_of_their_own_progress() {
    // M26-285, M26-287, S-203, S-204
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let (one, two) =
            (client.start("tools/call", wanting(json!("one"))), client.start("tools/call", wanting(json!("two"))));
        client.answer(one).await;
        client.answer(two).await;
        let told = client.seen();
        for token in ["one", "two"] {
            let own = told.iter().filter(|message| message["params"]["progressToken"] == token);
            assert_eq!(own.count(), 4);
        }
    }
}

#[tokio::test]
async fn a_context_left_behind_falls_silent_with_the_answer() {
    // M26-285, M26-289, S-203, S-206
    for case in Case::all() {
        let (go, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (waits, tells) = (Arc::clone(&go), Arc::clone(&gone));
        let server = Server::new("leak", "0").with_tool(Tool::new("leak", move |ctx: Ctx| {
            let (waits, tells) = (Arc::clone(&waits), Arc::clone(&tells));
            async move {
                let left = ctx.clone();
                tokio::spawn(async move {
                    assert!(!left.has_ended());
                    waits.notified().await;
                    left.cancelled().await; // already over
                    assert!(left.has_ended());
                    left.progress(5.0, None).await;
                    left.error("too late").await;
                    tells.notify_one();
                });
                ctx.progress(1.0, None).await;
                tokio::task::yield_now().await;
                "done"
            }
        }));
        let mut client = Client::connect(server, case).await;
        let meta = json!({ "progressToken": 1, "io.modelcontextprotocol/logLevel": "debug" });
        client.request("tools/call", json!({ "name": "leak", "_meta": meta })).await;
        assert_eq!(client.seen().len(), 1);
        go.notify_one();
        gone.notified().await;
        client.lives().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_hands_report_in_rising_order_and_never_after_the_answer() {
    // M26-282, M26-289, S-200, S-206
    for case in Case::eras() {
        let mut limits = Limits::default();
        limits.outbound_bytes = 512; // so that they wait for each other, too
        let server = Server::new("hands", "0").limits(limits).with_tool(Tool::new("hands", |ctx: Ctx| async move {
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
        let id = client.start("tools/call", json!({ "name": "hands", "_meta": { "progressToken": 1 } }));
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
        assert!(last > 10.0, "hardly any progress: {last}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        client.lives().await;
    }
}
