//! Results that are kept: for as long as their server says, and not after it told of a change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ferromcp_client::cache::{CacheOptions, Clock, MemoryStore};
use ferromcp_client::channel::{BoxFuture, Channel, Failure, Inbound};
use ferromcp_client::{Change, ClientLimits, Connector, Interest, accept};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::script::{builder, dialer, modern, soon};

/// A page of tools that stays fresh for a minute.
fn page(tool: &str) -> Value {
    json!({ "tools": [{ "name": tool, "inputSchema": { "type": "object" } }], "ttlMs": 60_000, "cacheScope": "private" })
}

fn contents(text: &str) -> Value {
    json!({ "contents": [{ "uri": "x:a", "text": text }], "ttlMs": 60_000, "cacheScope": "private" })
}

/// A clock that a test sets.
fn clock() -> (Arc<AtomicU64>, Clock) {
    let time = Arc::new(AtomicU64::new(1_000_000));
    let read = Arc::clone(&time);
    (time, Clock::new(move || read.load(Ordering::Relaxed)))
}

#[tokio::test]
async fn what_is_fresh_is_not_asked_for_again() {
    let (time, clock) = clock();
    let (client, mut far) = modern(builder().cache(CacheOptions::new().clock(clock))).await;
    let script = async {
        for name in ["one", "two", "three"] {
            let list = far.expect("tools/list").await;
            far.answer(&list, page(name)).await;
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
async fn what_has_no_time_is_asked_for_each_time_and_so_is_everything_without_a_cache() {
    for (answer, builder) in [(json!({ "tools": [] }), builder()), (page("t"), builder().no_cache())] {
        let (client, mut far) = modern(builder).await;
        let script = async {
            for _ in 0..2 {
                let list = far.expect("tools/list").await;
                far.answer(&list, answer.clone()).await;
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
async fn a_change_that_was_told_makes_the_kept_stale() {
    let (client, mut far) = modern(builder()).await;
    let kept = Notify::new();
    let script = async {
        let listen = far.expect("subscriptions/listen").await;
        let meta = json!({ "io.modelcontextprotocol/subscriptionId": listen["id"] });
        let told = json!({ "notifications": { "toolsListChanged": true }, "_meta": meta });
        far.notify("notifications/subscriptions/acknowledged", told).await;
        let list = far.expect("tools/list").await;
        far.answer(&list, page("old")).await;
        let read = far.expect("resources/read").await;
        far.answer(&read, contents("old")).await;
        kept.notified().await; // what crosses a change on its way is not kept at all
        far.notify("notifications/tools/list_changed", json!({ "_meta": meta })).await;
        let list = far.expect("tools/list").await;
        far.answer(&list, page("new")).await;
    };
    let asking = async {
        let mut changes = client.subscribe(Interest::new().tools()).await.unwrap();
        assert_eq!(client.tools().await.unwrap()[0].name, "old");
        client.read("x:a").await.unwrap();
        kept.notify_one();
        assert_eq!(changes.next().await.unwrap().unwrap(), Change::Tools);
        assert_eq!(client.tools().await.unwrap()[0].name, "new");
        assert_eq!(client.read("x:a").await.unwrap().contents[0].as_text(), Some("old")); // of which nothing was told
    };
    soon(async { tokio::join!(asking, script) }).await;
}

#[tokio::test]
async fn what_came_by_way_of_questions_is_not_kept() {
    // It was made of somebody's answers.
    let (client, mut far) = modern(builder().on_form(|_| async { accept(&json!({ "a": 1 })) })).await;
    let script = async {
        for _ in 0..2 {
            let read = far.expect("resources/read").await;
            let form = json!({ "type": "object", "properties": { "a": { "type": "integer" } } });
            let question =
                json!({ "method": "elicitation/create", "params": { "message": "?", "requestedSchema": form } });
            let asked =
                json!({ "resultType": "input_required", "inputRequests": { "q": question }, "requestState": "s" });
            far.answer(&read, asked).await;
            let retry = far.expect("resources/read").await;
            assert_eq!(retry["params"]["requestState"], "s");
            far.answer(&retry, contents("mine")).await;
        }
    };
    let asking = async {
        client.read("x:a").await.unwrap();
        client.read("x:a").await.unwrap();
    };
    soon(async { tokio::join!(asking, script) }).await;
}

#[tokio::test]
async fn what_is_stale_serves_where_the_server_is_gone_only_if_that_was_said() {
    for keeps in [false, true] {
        let (time, clock) = clock();
        let stale = Duration::from_secs(if keeps { 100 } else { 0 });
        let options = CacheOptions::new().clock(clock).keep_stale(stale);
        let (client, mut far) = modern(builder().cache(options)).await;
        let script = async {
            let read = far.expect("resources/read").await;
            far.answer(&read, contents("old")).await;
            far
        };
        let (read, far) = soon(async { tokio::join!(async { client.read("x:a").await }, script) }).await;
        read.unwrap();
        time.fetch_add(60_000, Ordering::Relaxed);
        drop(far);
        let read = soon(client.read("x:a")).await;
        assert_eq!(read.is_ok(), keeps, "{read:?}");
        assert!(soon(client.read("x:a").fresh()).await.is_err());
        time.fetch_add(100_000, Ordering::Relaxed);
        assert!(soon(client.read("x:a")).await.is_err());
    }
}

#[tokio::test]
async fn clients_of_other_servers_see_nothing_of_it_in_a_store_they_share() {
    let store = Arc::new(MemoryStore::default());
    for name in ["one", "two"] {
        let options = CacheOptions::new().store(name, Arc::clone(&store) as _);
        let (client, mut far) = modern(builder().cache(options)).await;
        let script = async {
            let list = far.expect("tools/list").await;
            far.answer(&list, page(name)).await;
        };
        let (tools, ()) = soon(async { tokio::join!(async { client.tools().await }, script) }).await;
        assert_eq!(tools.unwrap()[0].name, name);
    }
    assert_eq!(store.len(), 2);
}

#[tokio::test]
async fn a_new_connection_makes_everything_stale() {
    let (connector, mut fars) = dialer();
    let connecting = tokio::spawn(builder().connect(connector));
    let mut far = soon(fars.recv()).await.unwrap();
    far.be_modern().await;
    let client = soon(connecting).await.unwrap().unwrap();
    let script = async {
        let list = far.expect("tools/list").await;
        far.answer(&list, page("old")).await;
        drop(far);
        let mut far = fars.recv().await.unwrap();
        far.be_modern().await;
        let read = far.expect("resources/read").await;
        far.answer(&read, contents("new")).await;
        let list = far.expect("tools/list").await;
        far.answer(&list, page("new")).await;
    };
    let asking = async {
        assert_eq!(client.tools().await.unwrap()[0].name, "old");
        client.read("x:a").await.unwrap();
        assert_eq!(client.tools().await.unwrap()[0].name, "new");
    };
    soon(async { tokio::join!(asking, script) }).await;
}

/// A way to a server on which the user can change.
struct Shared<C>(C, Arc<AtomicU64>);

impl<C: Connector> Connector for Shared<C> {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, Failure>> {
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
async fn what_one_user_was_told_is_not_shown_to_the_next() {
    let (connector, mut fars) = dialer();
    let user = Arc::new(AtomicU64::new(1));
    let connecting = tokio::spawn(builder().connect(Shared(connector, Arc::clone(&user))));
    let mut far = soon(fars.recv()).await.unwrap();
    far.be_modern().await;
    let client = soon(connecting).await.unwrap().unwrap();
    let script = async {
        for (name, then) in [("one", 1), ("two", 2), ("three", 3), ("four", 3)] {
            let list = far.expect("tools/list").await;
            user.store(then, Ordering::Relaxed); // while the answer is on its way
            far.answer(&list, page(name)).await;
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
