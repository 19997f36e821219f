//! Lists: pages, their end, their bounds, and what is stored of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_client::channel::BoxFuture;
use ferromcp_client::{Change, ClientLimits, ErrorKind, Results};
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
async fn pages_are_turned_until_there_is_no_cursor() {
    // M26-393, M26-432, M26-435, M26-436, M26-437, M26-438, S-302, S-341, S-345, S-346, S-347
    let (client, mut far) = modern(builder()).await;
    let script = async {
        let mut cursors = Vec::new();
        for page in [tools(&["a", "b"], Some("")), tools(&[], Some("b=\u{e9} ")), tools(&["c"], None)] {
            let list = far.expect("tools/list").await;
            cursors.push(list["params"].get("cursor").cloned());
            far.answer(&list, page).await;
        }
        assert_eq!(cursors, [None, Some("".into()), Some("b=\u{e9} ".into())]);
    };
    let (all, ()) = soon(async { tokio::join!(async { client.tools().await }, script) }).await;
    let names: Vec<String> = all.unwrap().into_iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_page_is_fetched_when_its_turn_comes() {
    let (client, mut far) = modern(builder()).await;
    let mut list = client.tools();
    let script = async {
        let asked = far.expect("tools/list").await;
        far.answer(&asked, tools(&["a", "b"], Some("2"))).await;
    };
    let (first, ()) = soon(async { tokio::join!(list.next(), script) }).await;
    assert_eq!(first.unwrap().unwrap().name, "a");
    assert_eq!(soon(list.next()).await.unwrap().unwrap().name, "b");
    let script = async {
        let asked = far.expect("tools/list").await;
        assert_eq!(asked["params"]["cursor"], "2");
        far.fail(&asked, -32602, Value::Null).await;
    };
    let (next, ()) = soon(async { tokio::join!(list.next(), script) }).await;
    assert_eq!(next.unwrap().unwrap_err().kind(), ErrorKind::Server);
    assert!(soon(list.next()).await.is_none());

    let script = async {
        let asked = far.expect("tools/list").await;
        assert_eq!(asked["params"]["cursor"], "7");
        far.answer(&asked, tools(&["g"], Some("8"))).await;
    };
    let page = soon(async { tokio::join!(client.tools().page(Some("7".into())), script) }).await.0.unwrap();
    assert_eq!((page.items.len(), page.next.as_deref()), (1, Some("8")));
}

#[tokio::test]
async fn a_list_without_end_is_ended() {
    let mut limits = ClientLimits::default();
    limits.pages = 5;
    let (client, mut far) = modern(builder().limits(limits).no_cache()).await;
    let script = async {
        for _ in 0..5 {
            let list = far.expect("tools/list").await;
            far.answer(&list, tools(&["a"], Some("again"))).await;
        }
    };
    let error = soon(async { tokio::join!(async { client.tools().await }, script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

/// Keeps everything for ever, and writes down what it is told.
#[derive(Default)]
struct Shelf {
    kept: Mutex<HashMap<String, RawJson>>,
    told: Mutex<Vec<String>>,
}

impl Shelf {
    fn key(request: &ClientRequest) -> String {
        format!("{} {}", request.method(), serde_json::to_string(request).unwrap())
    }

    fn tell(&self, what: String) {
        self.told.lock().unwrap().push(what);
    }
}

impl Results for Shelf {
    fn find<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, Option<RawJson>> {
        Box::pin(async move { self.kept.lock().unwrap().get(&Self::key(request)).cloned() })
    }

    fn keep<'a>(&'a self, request: &'a ClientRequest, result: &'a RawJson, hint: CacheHint) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            self.tell(format!("keep {} {} {:?}", request.method(), hint.ttl_ms, hint.scope));
            self.kept.lock().unwrap().insert(Self::key(request), result.clone());
        })
    }

    fn changed(&self, change: &Change) {
        self.tell(format!("changed {change:?}"));
        self.kept.lock().unwrap().clear();
    }

    fn refused<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.tell(format!("refused {}", request.method())) })
    }
}

#[tokio::test]
async fn a_store_of_results_is_asked_and_told() {
    // M26-442, M26-444, M26-461, M26-465
    let shelf = Arc::new(Shelf::default());
    let roots = builder().on_roots(|| async { Vec::new() });
    let (client, mut far) = modern(roots.results(Arc::clone(&shelf) as _)).await;
    let script = async {
        let list = far.expect("tools/list").await;
        far.answer(&list, tools(&["a"], None)).await;
        let list = far.expect("tools/list").await;
        far.answer(&list, tools(&["b"], None)).await;
        // A change right behind a result: whether it was stored or not, it is not served again.
        far.notify("notifications/tools/list_changed", json!({})).await;
        let list = far.expect("tools/list").await;
        far.answer(&list, tools(&["c"], None)).await;
        // A result that came by way of questions is for its call alone.
        let read = far.expect("resources/read").await;
        let question = json!({ "resultType": "input_required", "inputRequests": { "r": { "method": "roots/list" } } });
        far.answer(&read, question).await;
        let read = far.expect("resources/read").await;
        far.answer(&read, json!({ "contents": [], "ttlMs": 5, "cacheScope": "public" })).await;
        let read = far.expect("resources/read").await;
        far.answer(&read, json!({ "contents": [], "ttlMs": -5 })).await;
        let list = far.expect("tools/list").await;
        far.fail(&list, -32602, Value::Null).await;
    };
    let calling = async {
        assert_eq!(client.tools().await.unwrap()[0].name, "a");
        assert_eq!(client.tools().await.unwrap()[0].name, "a", "from the store");
        assert_eq!(client.tools().fresh().await.unwrap()[0].name, "b");
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(client.tools().await.unwrap()[0].name, "c");
        client.read("x:a").await.unwrap();
        client.read("x:a").await.unwrap();
        client.tools().page(Some("old".into())).await.unwrap_err();
    };
    soon(async { tokio::join!(calling, script) }).await;
    let told = shelf.told.lock().unwrap();
    assert_eq!(told[0], "keep tools/list 60000 Public");
    assert!(told.contains(&"changed Tools".to_owned()), "{told:?}");
    let read = format!("keep resources/read 0 {:?}", CacheScope::Private);
    assert_eq!(
        told[told.len() - 3..],
        ["keep tools/list 60000 Public".to_owned(), read, "refused tools/list".to_owned()]
    );
}
