//! Lists: pagination and limits.

use ferromcp_client::{ClientLimits, ErrorKind};
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
    let (client, mut peer) = modern(builder().no_cache()).await;
    let script = async {
        for _ in 0..1000 {
            let list = peer.expect("tools/list").await;
            peer.answer(&list, tools(&["a"], Some("again"))).await;
        }
    };
    let error = soon(async { tokio::join!(async { client.tools().await }, script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("after 1000 pages and 1000 items"), "{error}");

    let (client, mut peer) = modern(builder().limits(ClientLimits::new().list_items(2)).no_cache()).await;
    let script = async {
        let list = peer.expect("tools/list").await;
        peer.answer(&list, tools(&["a", "b", "c"], None)).await;
    };
    let error = soon(async { tokio::join!(async { client.tools().await }, script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}
