//! A cache store that saves text outside of the client, like a database, written with the public API only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_client::cache::{CacheFuture, CacheOptions, CacheStore, StoreKey, StoredEntry};
use serde_json::{Value, json};
use tokio::task::yield_now;

use crate::script::{builder, modern, soon};

/// A store with one hash for each server. The fields and values are text.
#[derive(Default)]
struct TextStore {
    hashes: Mutex<HashMap<String, HashMap<String, String>>>,
    events: Mutex<Vec<String>>,
}

impl TextStore {
    fn record(&self, event: String) {
        self.events.lock().unwrap().push(event);
    }

    fn events(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }

    /// Runs a command on the hash of a server, asynchronously as a database.
    async fn run<T>(&self, server: &str, command: impl FnOnce(&mut HashMap<String, String>) -> T) -> T {
        yield_now().await;
        command(self.hashes.lock().unwrap().entry(server.to_owned()).or_default())
    }
}

impl CacheStore for TextStore {
    fn get<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, Option<StoredEntry>> {
        Box::pin(async move {
            let field = serde_json::to_string(key)?;
            let value = self.run(key.server(), |hash| hash.get(&field).cloned()).await;
            Ok(value.map(|value| serde_json::from_str(&value)).transpose()?)
        })
    }

    fn put(&self, key: StoreKey, entry: StoredEntry) -> CacheFuture<'_, ()> {
        Box::pin(async move {
            let scope = if key.partition().is_some() { "private" } else { "public" };
            self.record(format!("put {} {} {scope}", key.method(), entry.fresh_until - entry.received));
            let (field, value) = (serde_json::to_string(&key)?, serde_json::to_string(&entry)?);
            self.run(key.server(), |hash| hash.insert(field, value)).await;
            Ok(())
        })
    }

    fn remove<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, ()> {
        Box::pin(async move {
            let field = serde_json::to_string(key)?;
            self.run(key.server(), |hash| hash.remove(&field)).await;
            Ok(())
        })
    }

    fn remove_matching<'a>(
        &'a self,
        server: &'a str,
        predicate: Box<dyn Fn(&StoreKey) -> bool + Send + Sync + 'a>,
    ) -> CacheFuture<'a, ()> {
        Box::pin(async move {
            let fields: Vec<String> = self.run(server, |hash| hash.keys().cloned().collect()).await;
            for field in fields {
                let key: StoreKey = serde_json::from_str(&field)?;
                if predicate(&key) {
                    self.record(format!("remove {} {:?}", key.method(), key.param()));
                    self.run(server, |hash| hash.remove(&field)).await;
                }
            }
            self.record(format!("removed from {server}"));
            Ok(())
        })
    }
}

fn tools(name: &str) -> Value {
    let tool = json!({ "name": name, "inputSchema": { "type": "object" } });
    json!({ "resultType": "complete", "tools": [tool], "ttlMs": 60_000, "cacheScope": "public" })
}

#[tokio::test]
async fn calls_custom_store_for_results_and_invalidations() {
    // M26-442, M26-444, M26-461, M26-465
    let store = Arc::new(TextStore::default());
    // With stale results enabled, a result with a time-to-live of zero is stored.
    let options = CacheOptions::new().store("weather", Arc::clone(&store) as _).stale_if_error(Duration::from_secs(60));
    let roots = builder().on_roots(|| async { Vec::new() });
    let (client, mut peer) = modern(roots.cache(options)).await;
    let script = async {
        let list = peer.expect("tools/list").await;
        peer.answer(&list, tools("a")).await;
        let list = peer.expect("tools/list").await;
        peer.answer(&list, tools("b")).await;
        // A change directly after a result: the result is not used again, whether or not it was stored.
        peer.notify("notifications/tools/list_changed", json!({})).await;
        let list = peer.expect("tools/list").await;
        peer.answer(&list, tools("c")).await;
        // A result of a retry is not cached.
        let read = peer.expect("resources/read").await;
        let question = json!({ "resultType": "input_required", "inputRequests": { "r": { "method": "roots/list" } } });
        peer.answer(&read, question).await;
        let read = peer.expect("resources/read").await;
        peer.answer(&read, json!({ "contents": [], "ttlMs": 5, "cacheScope": "public" })).await;
        let read = peer.expect("resources/read").await;
        peer.answer(&read, json!({ "contents": [], "ttlMs": -5 })).await;
        let list = peer.expect("tools/list").await;
        peer.fail(&list, -32602, Value::Null).await;
    };
    let calling = async {
        assert_eq!(client.tools().await.unwrap()[0].name, "a");
        assert_eq!(client.tools().await.unwrap()[0].name, "a", "from the cache");
        assert_eq!(client.tools().fresh().await.unwrap()[0].name, "b");
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(client.tools().await.unwrap()[0].name, "c");
        client.read("x:a").await.unwrap();
        client.read("x:a").await.unwrap();
        client.tools().page(Some("old".into())).await.unwrap_err();
    };
    soon(async { tokio::join!(calling, script) }).await;
    let events = store.events();
    assert_eq!(events[0], "put tools/list 60000 public");
    assert!(events.iter().filter(|event| *event == "removed from weather").count() >= 2, "{events:?}");
    assert_eq!(
        events[events.len() - 4..],
        [
            "put tools/list 60000 public",
            "put resources/read 0 private",
            "remove tools/list None",
            "removed from weather"
        ]
    );
}

#[tokio::test]
async fn uses_results_of_earlier_client_when_store_is_shared() {
    let store = Arc::new(TextStore::default());
    let connect = async |server: &'static str| {
        modern(builder().cache(CacheOptions::new().store(server, Arc::clone(&store) as _))).await
    };
    let contents = json!({ "contents": [{ "uri": "x:a", "text": "A" }], "ttlMs": 60_000, "cacheScope": "private" });
    let (client, mut peer) = connect("weather").await;
    let script = async {
        let list = peer.expect("tools/list").await;
        peer.answer(&list, tools("a")).await;
        let read = peer.expect("resources/read").await;
        peer.answer(&read, contents.clone()).await;
    };
    let calling = async {
        client.tools().await.unwrap();
        client.read("x:a").await.unwrap();
    };
    soon(async { tokio::join!(calling, script) }).await;
    client.close().await;

    let (client, mut peer) = connect("weather").await;
    assert_eq!(soon(client.tools()).await.unwrap()[0].name, "a");
    assert_eq!(soon(client.read("x:a")).await.unwrap().contents[0].as_text(), Some("A"));
    // After a change, only the other result is used.
    let script = async {
        peer.notify("notifications/resources/updated", json!({ "uri": "x:a" })).await;
        let read = peer.expect("resources/read").await;
        peer.answer(&read, contents.clone()).await;
    };
    let calling = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        client.read("x:a").await.unwrap();
        assert_eq!(client.tools().await.unwrap()[0].name, "a");
    };
    soon(async { tokio::join!(calling, script) }).await;

    let (client, mut peer) = connect("another server").await;
    let script = async {
        let list = peer.expect("tools/list").await;
        peer.answer(&list, tools("b")).await;
    };
    let (listed, ()) = soon(async { tokio::join!(async { client.tools().await }, script) }).await;
    assert_eq!(listed.unwrap()[0].name, "b");
}
