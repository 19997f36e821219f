//! Cancellation: the work is dropped, and nothing more is heard of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_server::{Arg, Ctx, Server, Tool};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::client::{Case, Client};

/// Counts how many calls run, and tells when one is dropped.
#[derive(Clone, Default)]
struct Watch {
    running: Arc<AtomicUsize>,
    dropped: Arc<Notify>,
}

struct Guard(Watch);

impl Watch {
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

fn server(watch: &Watch) -> Server {
    let (held, chatty) = (watch.clone(), watch.clone());
    Server::new("cancel", "0")
        .with_tool(Tool::new("hold", move || {
            let guard = held.begin();
            async move {
                let _guard = guard;
                std::future::pending::<()>().await;
                "never"
            }
        }))
        .with_tool(Tool::new("chatter", move |ctx: Ctx| {
            let guard = chatty.begin();
            async move {
                let _guard = guard;
                for step in 1_u32.. {
                    ctx.progress(f64::from(step), None).await;
                    ctx.error("still here").await;
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
async fn cancelled_work_is_dropped_and_never_answered() {
    // M26-131, M26-132, M26-295, M26-298, M26-302, S-210, S-211, S-214, S-215, S-216, S-217
    for case in Case::all() {
        let watch = Watch::default();
        let mut client = Client::connect(server(&watch), case).await;
        let id = client.start_call("hold", json!({}));
        client.lives().await;
        assert_eq!(watch.running(), 1);
        client.cancel(id);
        tokio::time::timeout(Duration::from_secs(5), watch.dropped.notified()).await.unwrap();
        assert_eq!(watch.running(), 0);
        client.lives().await;
        client.cancel(id);
        client.lives().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_heard_after_a_cancellation() {
    // M26-132, S-217, M26-289, S-206
    for case in Case::all() {
        let watch = Watch::default();
        let mut client = Client::connect(server(&watch), case).await;
        let meta = json!({ "progressToken": 1, "io.modelcontextprotocol/logLevel": "debug" });
        let id = client.start("tools/call", json!({ "name": "chatter", "_meta": meta }));
        assert_eq!(client.recv().await["method"], "notifications/progress");
        client.cancel(id);
        client.fence().await; // what was said before
        tokio::time::sleep(Duration::from_millis(10)).await;
        client.lives().await;
        assert_eq!(watch.running(), 0);
    }
}

#[tokio::test]
async fn cancellations_that_name_nothing_are_ignored() {
    // M26-296, M26-301, S-218, S-224, M26-019
    for case in Case::all() {
        let watch = Watch::default();
        let mut client = Client::connect(server(&watch), case).await;
        let id = client.start_call("hold", json!({}));
        let done = client.start_call("sleep", json!({ "ms": 1 }));
        client.answer(done).await;
        for params in [
            json!({ "requestId": 99_999 }),
            json!({ "requestId": "nobody" }),
            json!({ "requestId": done }),
            json!({ "requestId": id.to_string() }), // another type, another id
            json!({ "requestId": null }),
            json!({ "requestId": 1.5 }),
            json!({ "requestId": [id] }),
            json!({ "requestId": id, "reason": 7 }),
            json!({ "reason": "x" }),
            json!({}),
            json!([id]),
        ] {
            client.notify("notifications/cancelled", params);
        }
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled" }));
        client.lives().await;
        assert_eq!(watch.running(), 1);
        // A request of that name cancels nothing.
        let not = client.start("notifications/cancelled", json!({ "requestId": id }));
        assert!(client.answer(not).await.get("error").is_some());
        assert_eq!(watch.running(), 1);
    }
}

#[tokio::test]
async fn ids_can_be_used_again() {
    // M26-005, S-006, M26-298
    for case in Case::all() {
        let watch = Watch::default();
        let mut client = Client::connect(server(&watch), case).await;
        for round in 0..3 {
            let hold = client.request_of("same", "tools/call", json!({ "name": "hold" }));
            client.send(&hold);
            client.lives().await;
            client.cancel("same");
            let quick = client.request_of("same", "tools/call", json!({ "name": "sleep", "arguments": { "ms": 1 } }));
            client.send(&quick);
            assert_eq!(client.answer("same").await["result"]["content"][0]["text"], "slept", "{round}");
        }
        client.lives().await;
        assert_eq!(watch.running(), 0);
    }
}

#[tokio::test]
async fn an_id_in_use_is_refused_and_the_first_call_goes_on() {
    // S-006, M26-005
    for case in Case::all() {
        let mut client = Client::connect(server(&Watch::default()), case).await;
        let call = client.request_of("twin", "tools/call", json!({ "name": "sleep", "arguments": { "ms": 50 } }));
        client.send(&call);
        client.send(&call);
        let refused = client.answer("twin").await;
        assert_eq!(refused["error"]["code"], -32600, "{refused}");
        assert_eq!(client.answer("twin").await["result"]["content"][0]["text"], "slept");
        client.send(&call);
        assert_eq!(client.answer("twin").await["result"]["content"][0]["text"], "slept");
    }
}

#[tokio::test]
async fn races_between_cancellation_and_answer_end_well() {
    // M26-298, S-220
    for case in Case::all() {
        let mut client = Client::connect(server(&Watch::default()), case).await;
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
        assert_eq!(ids.len(), rest.len(), "none twice: {rest:?}");
        assert_eq!(client.text("sleep", json!({ "ms": 0 })).await, "slept");
    }
}

#[tokio::test]
async fn what_a_handler_left_behind_learns_of_the_cancellation() {
    // M26-131, M26-295, S-216
    for case in Case::all() {
        let learned = Arc::new(Notify::new());
        let tells = Arc::clone(&learned);
        let loops = Arc::clone(&learned);
        let begun = Arc::new(Notify::new());
        let (spawns, blocks) = (Arc::clone(&begun), Arc::clone(&begun));
        let server = Server::new("left", "0")
            .with_tool(Tool::new("spawns", move |ctx: Ctx| {
                let tells = Arc::clone(&tells);
                spawns.notify_one();
                tokio::spawn(async move {
                    ctx.cancelled().await;
                    tells.notify_one();
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
            begun.notified().await;
            client.cancel(id);
            tokio::time::timeout(Duration::from_secs(5), learned.notified()).await.unwrap();
            client.lives().await;
        }
    }
}

#[test]
fn blocking_work_that_has_not_begun_never_does() {
    // M26-131, M26-295, S-216
    // On one thread tasks take turns, so the cancelled ones are gone before the next answer.
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        for case in Case::eras() {
            let (begun, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (counts, waits) = (Arc::clone(&begun), Arc::clone(&go));
            let server = Server::new("pool", "0").with_tool(Tool::blocking("block", move || {
                counts.fetch_add(1, Ordering::SeqCst);
                while waits.load(Ordering::SeqCst) == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                "done"
            }));
            let mut client = Client::connect(server, case).await;
            let first = client.start_call("block", json!({}));
            while begun.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let ids: Vec<i64> = (0..100).map(|_| client.start_call("block", json!({}))).collect();
            client.lives().await;
            for id in ids {
                client.cancel(id);
            }
            client.lives().await;
            go.store(1, Ordering::SeqCst);
            assert_eq!(client.answer(first).await["result"]["content"][0]["text"], "done");
            assert_eq!(client.text("block", json!({})).await, "done"); // behind all that waited
            assert_eq!(begun.load(Ordering::SeqCst), 2);
        }
    });
}
