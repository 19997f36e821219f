//! Cancellation: the handler is dropped and sends no further messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_server::{Arg, Ctx, Server, Tool};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::client::{Case, Client};

/// Counts running calls and notifies when one is dropped.
#[derive(Clone, Default)]
struct CallTracker {
    running: Arc<AtomicUsize>,
    dropped: Arc<Notify>,
}

struct Guard(CallTracker);

impl CallTracker {
    fn begin(&self) -> Guard {
        self.running.fetch_add(1, Ordering::SeqCst);
        Guard(self.clone())
    }

    fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.dropped.notify_one();
    }
}

fn server(tracker: &CallTracker) -> Server {
    let (hold, report) = (tracker.clone(), tracker.clone());
    Server::new("cancel", "0")
        .with_tool(Tool::new("hold", move || {
            let guard = hold.begin();
            async move {
                let _guard = guard;
                std::future::pending::<()>().await;
                "never"
            }
        }))
        .with_tool(Tool::new("report", move |ctx: Ctx| {
            let guard = report.begin();
            async move {
                let _guard = guard;
                for step in 1_u32.. {
                    ctx.progress(f64::from(step), None).await;
                    ctx.error("still running").await;
                    tokio::task::yield_now().await;
                }
                "never"
            }
        }))
        .with_tool(
            Tool::new("sleep", |ms: u64| async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                "slept"
            })
            .args([Arg::new("ms")]),
        )
}

#[tokio::test]
async fn handler_is_dropped_without_response_when_request_is_cancelled() {
    // M26-131, M26-132, M26-295, M26-298, M26-302, S-210, S-211, S-214, S-215, S-216, S-217
    for case in Case::all() {
        let tracker = CallTracker::default();
        let mut client = Client::connect(server(&tracker), case).await;
        let id = client.start_call("hold", json!({}));
        client.assert_alive().await;
        assert_eq!(tracker.running(), 1);
        client.cancel(id);
        tokio::time::timeout(Duration::from_secs(5), tracker.dropped.notified()).await.unwrap();
        assert_eq!(tracker.running(), 0);
        client.assert_alive().await;
        client.cancel(id);
        client.assert_alive().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_stop_when_request_is_cancelled() {
    // M26-132, S-217, M26-289, S-206
    for case in Case::all() {
        let tracker = CallTracker::default();
        let mut client = Client::connect(server(&tracker), case).await;
        let meta = json!({ "progressToken": 1, "io.modelcontextprotocol/logLevel": "debug" });
        let id = client.start("tools/call", json!({ "name": "report", "_meta": meta }));
        assert_eq!(client.recv().await["method"], "notifications/progress");
        client.cancel(id);
        client.fence().await; // messages sent before the cancellation
        tokio::time::sleep(Duration::from_millis(10)).await;
        client.assert_alive().await;
        assert_eq!(tracker.running(), 0);
    }
}

#[tokio::test]
async fn cancellation_is_ignored_when_request_id_is_unknown_or_invalid() {
    // M26-296, M26-301, S-218, S-224, M26-019
    for case in Case::all() {
        let tracker = CallTracker::default();
        let mut client = Client::connect(server(&tracker), case).await;
        let id = client.start_call("hold", json!({}));
        let done = client.start_call("sleep", json!({ "ms": 1 }));
        client.answer(done).await;
        for params in [
            json!({ "requestId": 99_999 }),
            json!({ "requestId": "unknown" }),
            json!({ "requestId": done }),
            json!({ "requestId": id.to_string() }), // ids of different types differ
            json!({ "requestId": null }),
            json!({ "requestId": 1.5 }),
            json!({ "requestId": [id] }),
            json!({ "reason": "x" }),
            json!({}),
            json!([id]),
        ] {
            client.notify("notifications/cancelled", params);
        }
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled" }));
        client.assert_alive().await;
        assert_eq!(tracker.running(), 1);
        // A request with this method name cancels nothing.
        let not = client.start("notifications/cancelled", json!({ "requestId": id }));
        assert!(client.answer(not).await.get("error").is_some());
        assert_eq!(tracker.running(), 1);
        // An unreadable reason is ignored.
        client.notify("notifications/cancelled", json!({ "requestId": id, "reason": 7 }));
        client.assert_alive().await;
        tokio::time::timeout(Duration::from_secs(5), tracker.dropped.notified()).await.unwrap();
        assert_eq!(tracker.running(), 0);
    }
}

#[tokio::test]
async fn request_id_is_reusable_when_call_was_cancelled() {
    // M26-005, S-006, M26-298
    for case in Case::all() {
        let tracker = CallTracker::default();
        let mut client = Client::connect(server(&tracker), case).await;
        for round in 0..3 {
            let hold = client.request_of("same", "tools/call", json!({ "name": "hold" }));
            client.send(&hold);
            client.assert_alive().await;
            client.cancel("same");
            let quick = client.request_of("same", "tools/call", json!({ "name": "sleep", "arguments": { "ms": 1 } }));
            client.send(&quick);
            assert_eq!(client.answer("same").await["result"]["content"][0]["text"], "slept", "{round}");
        }
        client.assert_alive().await;
        assert_eq!(tracker.running(), 0);
    }
}

#[tokio::test]
async fn duplicate_request_is_rejected_when_id_is_in_flight() {
    // S-006, M26-005
    for case in Case::all() {
        let mut client = Client::connect(server(&CallTracker::default()), case).await;
        let call = client.request_of("duplicate", "tools/call", json!({ "name": "sleep", "arguments": { "ms": 50 } }));
        client.send(&call);
        client.send(&call);
        let rejected = client.answer("duplicate").await;
        assert_eq!(rejected["error"]["code"], -32600, "{rejected}");
        assert_eq!(client.answer("duplicate").await["result"]["content"][0]["text"], "slept");
        client.send(&call);
        assert_eq!(client.answer("duplicate").await["result"]["content"][0]["text"], "slept");
    }
}

#[tokio::test]
async fn no_duplicate_response_is_sent_when_cancellation_races_with_completion() {
    // M26-298, S-220
    for case in Case::all() {
        let mut client = Client::connect(server(&CallTracker::default()), case).await;
        for round in 0_u64..30 {
            let id = client.start_call("sleep", json!({ "ms": round % 3 }));
            if round % 2 == 0 {
                tokio::time::sleep(Duration::from_millis(round % 4)).await;
            }
            client.cancel(id);
        }
        let rest = client.fence().await;
        let mut ids: Vec<&Value> = rest.iter().map(|answer| &answer["id"]).collect();
        ids.dedup();
        assert_eq!(ids.len(), rest.len(), "duplicate response: {rest:?}");
        assert_eq!(client.text("sleep", json!({ "ms": 0 })).await, "slept");
    }
}

#[tokio::test]
async fn background_work_is_notified_when_request_is_cancelled() {
    // M26-131, M26-295, S-216
    for case in Case::all() {
        let notified = Arc::new(Notify::new());
        let notifier = Arc::clone(&notified);
        let loops = Arc::clone(&notified);
        let started = Arc::new(Notify::new());
        let (spawns, blocks) = (Arc::clone(&started), Arc::clone(&started));
        let server = Server::new("background", "0")
            .with_tool(Tool::new("spawns", move |ctx: Ctx| {
                let notifier = Arc::clone(&notifier);
                spawns.notify_one();
                tokio::spawn(async move {
                    ctx.cancelled().await;
                    notifier.notify_one();
                });
                async {
                    std::future::pending::<()>().await;
                    ""
                }
            }))
            .with_tool(Tool::blocking("blocks", move |ctx: Ctx| {
                blocks.notify_one();
                while !ctx.has_ended() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                loops.notify_one();
                ""
            }));
        let mut client = Client::connect(server, case).await;
        for tool in ["spawns", "blocks"] {
            let id = client.start_call(tool, json!({}));
            started.notified().await;
            client.cancel(id);
            tokio::time::timeout(Duration::from_secs(5), notified.notified()).await.unwrap();
            client.assert_alive().await;
        }
    }
}

#[test]
fn queued_blocking_work_never_starts_when_request_is_cancelled() {
    // M26-131, M26-295, S-216
    // With one thread, cancelled tasks are dropped before the next response is sent.
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        for case in Case::eras() {
            let (started, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (counts, waits) = (Arc::clone(&started), Arc::clone(&go));
            let server = Server::new("pool", "0").with_tool(Tool::blocking("block", move || {
                counts.fetch_add(1, Ordering::SeqCst);
                while waits.load(Ordering::SeqCst) == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                "done"
            }));
            let mut client = Client::connect(server, case).await;
            let first = client.start_call("block", json!({}));
            while started.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let ids: Vec<i64> = (0..100).map(|_| client.start_call("block", json!({}))).collect();
            client.assert_alive().await;
            for id in ids {
                client.cancel(id);
            }
            client.assert_alive().await;
            go.store(1, Ordering::SeqCst);
            assert_eq!(client.answer(first).await["result"]["content"][0]["text"], "done");
            assert_eq!(client.text("block", json!({})).await, "done"); // runs after all queued work
            assert_eq!(started.load(Ordering::SeqCst), 2);
        }
    });
}
