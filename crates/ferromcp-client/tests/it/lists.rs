//! Lists: pagination, limits, caching.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_client::channel::BoxFuture;
use ferromcp_client::{Change, ClientLimits, ErrorKind, ResultCache};
use ferromcp_core::model::{CacheHint, CacheScope};
use ferromcp_core::{ClientRequest, RawJson};
use serde_json::{Value, json};

use crate::script::{builder, modern, soon};

fn tools(names: &[&str], next: Option<&str>) -> Value {
    let tools: Vec<Value> =
        names.iter().map(|name| json!({ "name": name, "inputSchema": { "type": "object" } })).collect();
    let mut page = json!({ "resultType": "complete", "tools": tools, "ttlMs": 60000, "cacheScope": "public" });
    if let Some(next) = next {
        page["nextCursor"] = next.into();
    }
    page
}

#[tokio::test]
async fn fetches_pages_until_cursor_is_absent() {
    // M26-393, M26-432, M26-435, M26-436, M26-437, M26-438, S-302, S-341, S-345, S-346, S-347
    let (client, mut peer) = modern(builder()).await;
    let script = async {
        let mut cursors = Vec::new();
        for page in [tools(&["a", "b"], Some("")), tools(&[], Some("b=\u{e9} ")), tools(&["c"], None)] {
            let list = peer.expect("tools/list").await;
            cursors.push(list["params"].get("cursor").cloned());
            peer.answer(&list, page).await;
        }
        assert_eq!(cursors, [None, Some("".into()), Some("b=\u{e9} ".into())]);
    };
    let (all, ()) = soon(async { tokio::join!(async { client.tools().await }, script) }).await;
    let names: Vec<String> = all.unwrap().into_iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn fetches_pages_on_demand() {
    let (client, mut peer) = modern(builder()).await;
    let mut list = client.tools();
    let script = async {
        let request = peer.expect("tools/list").await;
        peer.answer(&request, tools(&["a", "b"], Some("2"))).await;
    };
    let (first, ()) = soon(async { tokio::join!(list.next(), script) }).await;
    assert_eq!(first.unwrap().unwrap().name, "a");
    assert_eq!(soon(list.next()).await.unwrap().unwrap().name, "b");
    let script = async {
        let request = peer.expect("tools/list").await;
        assert_eq!(request["params"]["cursor"], "2");
        peer.fail(&request, -32602, Value::Null).await;
    };
    let (next, ()) = soon(async { tokio::join!(list.next(), script) }).await;
    assert_eq!(next.unwrap().unwrap_err().kind(), ErrorKind::Server);
    assert!(soon(list.next()).await.is_none());

    let script = async {
        let request = peer.expect("tools/list").await;
        assert_eq!(request["params"]["cursor"], "7");
        peer.answer(&request, tools(&["g"], Some("8"))).await;
    };
    let page = soon(async { tokio::join!(client.tools().page(Some("7".into())), script) }).await.0.unwrap();
    assert_eq!((page.items.len(), page.next.as_deref()), (1, Some("8")));
}

#[tokio::test]
async fn reports_error_when_list_exceeds_limit() {
    let mut limits = ClientLimits::default();
    limits.pages = 5;
    let (client, mut peer) = modern(builder().limits(limits).no_cache()).await;
    let script = async {
        for _ in 0..5 {
            let list = peer.expect("tools/list").await;
            peer.answer(&list, tools(&["a"], Some("again"))).await;
        }
    };
    let error = soon(async { tokio::join!(async { client.tools().await }, script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

/// A cache without expiry that records all calls.
#[derive(Default)]
struct RecordingCache {
    entries: Mutex<HashMap<String, RawJson>>,
    events: Mutex<Vec<String>>,
}

impl RecordingCache {
    fn key(request: &ClientRequest) -> String {
        format!("{} {}", request.method(), serde_json::to_string(request).unwrap())
    }

    fn record(&self, event: String) {
        self.events.lock().unwrap().push(event);
    }
}

impl ResultCache for RecordingCache {
    fn get<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, Option<RawJson>> {
        Box::pin(async move { self.entries.lock().unwrap().get(&Self::key(request)).cloned() })
    }

    fn insert<'a>(&'a self, request: &'a ClientRequest, result: &'a RawJson, hint: CacheHint) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            self.record(format!("insert {} {} {:?}", request.method(), hint.ttl_ms, hint.scope));
            self.entries.lock().unwrap().insert(Self::key(request), result.clone());
        })
    }

    fn invalidate(&self, change: &Change) {
        self.record(format!("invalidate {change:?}"));
        self.entries.lock().unwrap().clear();
    }

    fn cursor_rejected<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.record(format!("reject {}", request.method())) })
    }
}

#[tokio::test]
async fn calls_custom_result_cache() {
    // M26-442, M26-444, M26-461, M26-465
    let cache = Arc::new(RecordingCache::default());
    let roots = builder().on_roots(|| async { Vec::new() });
    let (client, mut peer) = modern(roots.result_cache(Arc::clone(&cache) as _)).await;
    let script = async {
        let list = peer.expect("tools/list").await;
        peer.answer(&list, tools(&["a"], None)).await;
        let list = peer.expect("tools/list").await;
        peer.answer(&list, tools(&["b"], None)).await;
        // A change directly after a result: the result is not used again, whether or not it was stored.
        peer.notify("notifications/tools/list_changed", json!({})).await;
        let list = peer.expect("tools/list").await;
        peer.answer(&list, tools(&["c"], None)).await;
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
    let events = cache.events.lock().unwrap();
    assert_eq!(events[0], "insert tools/list 60000 Public");
    assert!(events.contains(&"invalidate Tools".to_owned()), "{events:?}");
    let read = format!("insert resources/read 0 {:?}", CacheScope::Private);
    assert_eq!(
        events[events.len() - 3..],
        ["insert tools/list 60000 Public".to_owned(), read, "reject tools/list".to_owned()]
    );
}
