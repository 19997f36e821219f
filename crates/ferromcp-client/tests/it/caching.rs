//! Caching of results: time-to-live and invalidation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ferromcp_client::cache::{CacheOptions, Clock, MemoryStore};
use ferromcp_client::channel::{BoxFuture, Channel, ChannelError, Inbound};
use ferromcp_client::{Change, ChangeFilter, ClientLimits, Connector, accept};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::script::{builder, modern, reconnecting_connector, soon};

/// Returns a page of tools with a `ttlMs` of one minute.
fn page(tool: &str) -> Value {
    json!({ "tools": [{ "name": tool, "inputSchema": { "type": "object" } }], "ttlMs": 60_000, "cacheScope": "private" })
}

fn contents(text: &str) -> Value {
    json!({ "contents": [{ "uri": "x:a", "text": text }], "ttlMs": 60_000, "cacheScope": "private" })
}

/// Creates a clock that is set by a test.
fn clock() -> (Arc<AtomicU64>, Clock) {
    let time = Arc::new(AtomicU64::new(1_000_000));
    let read = Arc::clone(&time);
    (time, Clock::new(move || read.load(Ordering::Relaxed)))
}

#[tokio::test]
async fn uses_cached_result_while_fresh() {
    let (time, clock) = clock();
    let (client, mut peer) = modern(builder().cache(CacheOptions::new().clock(clock))).await;
    let script = async {
        for name in ["one", "two", "three"] {
            let list = peer.expect("tools/list").await;
            peer.answer(&list, page(name)).await;
        }
    };
    let asking = async {
        for name in ["one", "one", "one"] {
            assert_eq!(client.tools().await.unwrap()[0].name, name);
        }
        time.fetch_add(60_000, Ordering::Relaxed);
        assert_eq!(client.tools().await.unwrap()[0].name, "two");
        assert_eq!(client.tools().fresh().await.unwrap()[0].name, "three");
        assert_eq!(client.tools().await.unwrap()[0].name, "three");
    };
    soon(async { tokio::join!(asking, script) }).await;
}

#[tokio::test]
async fn sends_each_request_when_ttl_is_absent_or_cache_is_disabled() {
    for (answer, builder) in [(json!({ "tools": [] }), builder()), (page("t"), builder().no_cache())] {
        let (client, mut peer) = modern(builder).await;
        let script = async {
            for _ in 0..2 {
                let list = peer.expect("tools/list").await;
                peer.answer(&list, answer.clone()).await;
            }
        };
        let asking = async {
            client.tools().await.unwrap();
            client.tools().await.unwrap();
        };
        soon(async { tokio::join!(asking, script) }).await;
    }
}

#[tokio::test]
async fn change_notification_invalidates_cached_results() {
    let (client, mut peer) = modern(builder()).await;
    let cached = Notify::new();
    let script = async {
        let listen = peer.expect("subscriptions/listen").await;
        let meta = json!({ "io.modelcontextprotocol/subscriptionId": listen["id"] });
        let acknowledged = json!({ "notifications": { "toolsListChanged": true }, "_meta": meta });
        peer.notify("notifications/subscriptions/acknowledged", acknowledged).await;
        let list = peer.expect("tools/list").await;
        peer.answer(&list, page("old")).await;
        let read = peer.expect("resources/read").await;
        peer.answer(&read, contents("old")).await;
        cached.notified().await; // a result in flight during a change is not cached
        peer.notify("notifications/tools/list_changed", json!({ "_meta": meta })).await;
        let list = peer.expect("tools/list").await;
        peer.answer(&list, page("new")).await;
    };
    let asking = async {
        let mut changes = client.subscribe(ChangeFilter::new().tools()).await.unwrap();
        assert_eq!(client.tools().await.unwrap()[0].name, "old");
        client.read("x:a").await.unwrap();
        cached.notify_one();
        assert_eq!(changes.next().await.unwrap().unwrap(), Change::Tools);
        assert_eq!(client.tools().await.unwrap()[0].name, "new");
        assert_eq!(client.read("x:a").await.unwrap().contents[0].as_text(), Some("old")); // not changed
    };
    soon(async { tokio::join!(asking, script) }).await;
}

#[tokio::test]
async fn result_is_not_cached_when_input_was_required() {
    // The result depends on user input.
    let (client, mut peer) = modern(builder().on_form(|_| async { accept(&json!({ "a": 1 })) })).await;
    let script = async {
        for _ in 0..2 {
            let read = peer.expect("resources/read").await;
            let form = json!({ "type": "object", "properties": { "a": { "type": "integer" } } });
            let question =
                json!({ "method": "elicitation/create", "params": { "message": "?", "requestedSchema": form } });
            let required =
                json!({ "resultType": "input_required", "inputRequests": { "q": question }, "requestState": "s" });
            peer.answer(&read, required).await;
            let retry = peer.expect("resources/read").await;
            assert_eq!(retry["params"]["requestState"], "s");
            peer.answer(&retry, contents("mine")).await;
        }
    };
    let asking = async {
        client.read("x:a").await.unwrap();
        client.read("x:a").await.unwrap();
    };
    soon(async { tokio::join!(asking, script) }).await;
}

#[tokio::test]
async fn uses_stale_result_when_server_is_unavailable_and_enabled() {
    for keeps in [false, true] {
        let (time, clock) = clock();
        let stale = Duration::from_secs(if keeps { 100 } else { 0 });
        let options = CacheOptions::new().clock(clock).stale_if_error(stale);
        let (client, mut peer) = modern(builder().cache(options)).await;
        let script = async {
            let read = peer.expect("resources/read").await;
            peer.answer(&read, contents("old")).await;
            peer
        };
        let (read, peer) = soon(async { tokio::join!(async { client.read("x:a").await }, script) }).await;
        read.unwrap();
        time.fetch_add(60_000, Ordering::Relaxed);
        drop(peer);
        let read = soon(client.read("x:a")).await;
        assert_eq!(read.is_ok(), keeps, "{read:?}");
        assert!(soon(client.read("x:a").fresh()).await.is_err());
        time.fetch_add(100_000, Ordering::Relaxed);
        assert!(soon(client.read("x:a")).await.is_err());
    }
}

#[tokio::test]
async fn servers_are_isolated_when_sharing_a_cache_store() {
    let store = Arc::new(MemoryStore::default());
    for name in ["one", "two"] {
        let options = CacheOptions::new().store(name, Arc::clone(&store) as _);
        let (client, mut peer) = modern(builder().cache(options)).await;
        let script = async {
            let list = peer.expect("tools/list").await;
            peer.answer(&list, page(name)).await;
        };
        let (tools, ()) = soon(async { tokio::join!(async { client.tools().await }, script) }).await;
        assert_eq!(tools.unwrap()[0].name, name);
    }
    assert_eq!(store.len(), 2);
}

#[tokio::test]
async fn reconnect_invalidates_all_results() {
    let (connector, mut peers) = reconnecting_connector();
    let connecting = tokio::spawn(builder().connect(connector));
    let mut peer = soon(peers.recv()).await.unwrap();
    peer.negotiate_modern().await;
    let client = soon(connecting).await.unwrap().unwrap();
    let script = async {
        let list = peer.expect("tools/list").await;
        peer.answer(&list, page("old")).await;
        drop(peer);
        let mut peer = peers.recv().await.unwrap();
        peer.negotiate_modern().await;
        let read = peer.expect("resources/read").await;
        peer.answer(&read, contents("new")).await;
        let list = peer.expect("tools/list").await;
        peer.answer(&list, page("new")).await;
    };
    let asking = async {
        assert_eq!(client.tools().await.unwrap()[0].name, "old");
        client.read("x:a").await.unwrap();
        assert_eq!(client.tools().await.unwrap()[0].name, "new");
    };
    soon(async { tokio::join!(asking, script) }).await;
}

/// A connector whose authorization can change.
struct Shared<C>(C, Arc<AtomicU64>);

impl<C: Connector> Connector for Shared<C> {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>> {
        self.0.open(inbound, limits)
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn authorization(&self) -> String {
        self.1.load(Ordering::Relaxed).to_string()
    }

    fn name(&self) -> String {
        "shared".to_owned()
    }
}

#[tokio::test]
async fn private_results_are_partitioned_by_authorization() {
    let (connector, mut peers) = reconnecting_connector();
    let user = Arc::new(AtomicU64::new(1));
    let connecting = tokio::spawn(builder().connect(Shared(connector, Arc::clone(&user))));
    let mut peer = soon(peers.recv()).await.unwrap();
    peer.negotiate_modern().await;
    let client = soon(connecting).await.unwrap().unwrap();
    let script = async {
        for (name, then) in [("one", 1), ("two", 2), ("three", 3), ("four", 3)] {
            let list = peer.expect("tools/list").await;
            user.store(then, Ordering::Relaxed); // while the response is in flight
            peer.answer(&list, page(name)).await;
        }
    };
    let asking = async {
        let name = async || client.tools().await.unwrap()[0].name.clone();
        assert_eq!((name().await, name().await), ("one".to_owned(), "one".to_owned()));
        user.store(2, Ordering::Relaxed);
        assert_eq!((name().await, name().await), ("two".to_owned(), "two".to_owned()));
        assert_eq!(client.tools().fresh().await.unwrap()[0].name, "three");
        assert_eq!(name().await, "four");
        user.store(2, Ordering::Relaxed);
        assert_eq!(name().await, "two");
        user.store(1, Ordering::Relaxed);
        assert_eq!(name().await, "one");
    };
    soon(async { tokio::join!(asking, script) }).await;
}
