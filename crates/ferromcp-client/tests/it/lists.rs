//! Lists: pagination and limits.

use std::time::Duration;

use ferromcp_client::{ClientLimits, ErrorKind};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::script::{builder, legacy, modern, soon};

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
        for page in 0..1000 {
            let list = peer.expect("tools/list").await;
            peer.answer(&list, tools(&[&format!("t{page}")], Some(&page.to_string()))).await;
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

/// Serves pages by cursor. Returns the names in the list, and the number of requests.
async fn list(next: impl Fn(Option<&str>) -> (Vec<String>, Option<String>)) -> (Vec<String>, usize) {
    let (client, mut peer) = modern(builder().no_cache()).await;
    let mut requests = 0;
    let script = async {
        while let Some(list) = peer.try_recv().await {
            requests += 1;
            let (names, cursor) = next(list["params"]["cursor"].as_str());
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            peer.answer(&list, tools(&names, cursor.as_deref())).await;
        }
    };
    let listing = async move { client.tools().await }; // drops the client, which ends the script
    let (all, ()) = soon(async { tokio::join!(listing, script) }).await;
    (all.unwrap().into_iter().map(|tool| tool.name).collect(), requests)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn list_ends_when_cursor_repeats() {
    // C8
    for repeated in ["8", "", "a b \u{e9}"] {
        let ignored = list(|_| (names(&["a", "b"]), Some(repeated.to_owned()))).await;
        assert_eq!(ignored, (names(&["a", "b"]), 2), "the server ignores the cursor {repeated:?}");
    }
    let cycle = |cursor: Option<&str>| match cursor {
        None => (names(&["a"]), Some("A".to_owned())),
        Some("A") => (names(&["b"]), Some("B".to_owned())),
        Some("B") => (names(&["c"]), Some("C".to_owned())),
        _ => (names(&["d"]), Some("A".to_owned())),
    };
    assert_eq!(list(cycle).await, (names(&["a", "b", "c", "d"]), 4));
    let own = |cursor: Option<&str>| match cursor {
        None => (names(&["a"]), Some("A".to_owned())),
        Some(cursor) => (names(&["b", "a"]), Some(cursor.to_owned())),
    };
    assert_eq!(list(own).await, (names(&["a", "b"]), 2));
    // Two tools of one name on regular pages are both listed.
    let twice = |cursor: Option<&str>| (names(&["a"]), cursor.is_none().then(|| "A".to_owned()));
    assert_eq!(list(twice).await, (names(&["a", "a"]), 2));
}

#[tokio::test]
async fn list_ends_when_pages_have_no_new_item() {
    // C8
    let next =
        |cursor: Option<&str>| Some((cursor.map_or(0, |cursor| cursor.parse::<usize>().unwrap()) + 1).to_string());
    let ignored = list(|cursor| (names(&["a", "b"]), next(cursor))).await;
    assert_eq!(ignored, (names(&["a", "b"]), 101), "the server ignores the cursor, which is always new");
    let (empty, requests) = list(|cursor| (Vec::new(), next(cursor))).await;
    assert_eq!((empty.len(), requests), (0, 100));
    // Some servers filter pages, so a few empty ones do not end the list.
    let sparse = |cursor: Option<&str>| match cursor {
        Some("60") => (names(&["b"]), next(cursor)),
        Some("120") => (names(&["c"]), None),
        None => (names(&["a"]), next(cursor)),
        _ => (Vec::new(), next(cursor)),
    };
    assert_eq!(list(sparse).await, (names(&["a", "b", "c"]), 121));
}

#[tokio::test]
async fn stream_ends_when_cursor_repeats() {
    // C8, with resources of a legacy server
    let (client, mut peer) = legacy(builder()).await;
    let script = async {
        for uri in ["x:a", "x:b"] {
            let list = peer.expect("resources/list").await;
            peer.answer(&list, json!({ "resources": [{ "uri": uri, "name": uri }], "nextCursor": "n" })).await;
        }
    };
    let listing = async {
        let mut list = client.resources();
        let mut uris = Vec::new();
        while let Some(resource) = list.next().await {
            uris.push(resource.unwrap().uri);
        }
        assert!(list.next().await.is_none());
        uris
    };
    assert_eq!(soon(async { tokio::join!(listing, script) }).await.0, ["x:a", "x:b"]);
}

#[tokio::test]
async fn list_fails_when_cursor_or_pages_are_too_large() {
    let huge = "c".repeat(5_000_000);
    let (client, mut peer) = modern(builder().no_cache()).await;
    let script = async {
        let list = peer.expect("tools/list").await;
        peer.answer(&list, tools(&["a"], Some(&huge))).await;
    };
    let error = soon(async { tokio::join!(async { client.tools().await }, script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("the cursor has 5000000 bytes"), "{error}");

    let limits = ClientLimits::new().list_bytes(100_000);
    let (client, mut peer) = modern(builder().limits(limits).no_cache()).await;
    let script = async {
        for page in 0..4 {
            let list = peer.expect("tools/list").await;
            let mut tools = tools(&["a"], Some(&page.to_string()));
            tools["tools"][0]["description"] = "d".repeat(30_000).into();
            peer.answer(&list, tools).await;
        }
    };
    let error = soon(async { tokio::join!(async { client.tools().await }, script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("100000 bytes (`ClientLimits::list_bytes`) after 4 pages"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn list_fails_when_pages_take_too_long() {
    let limits = ClientLimits::new().list_time_limit(Duration::from_secs(5));
    for own in [false, true] {
        let limits = if own { ClientLimits::new() } else { limits };
        let (client, mut peer) = modern(builder().limits(limits).no_cache()).await;
        let script = async {
            for page in 0.. {
                let Some(list) = peer.try_recv().await else { return };
                if list["method"] != "tools/list" {
                    continue; // the cancellation
                }
                tokio::time::sleep(Duration::from_secs(2)).await;
                peer.answer(&list, tools(&["a"], Some(&page.to_string()))).await;
            }
        };
        let listing = async {
            let list = client.tools();
            if own { list.time_limit(Duration::from_secs(5)).await } else { list.await }
        };
        let begin = Instant::now();
        let error = tokio::select! {
            result = listing => result.unwrap_err(),
            () = script => unreachable!("the client disconnected"),
        };
        assert!(error.is_timeout() && begin.elapsed() <= Duration::from_millis(5010), "{error} {:?}", begin.elapsed());
        assert!(error.to_string().contains("exceeded its time limit of 5s for all pages"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn time_between_pages_of_stream_does_not_count() {
    let (client, mut peer) = modern(builder().no_cache()).await;
    let mut list = client.tools().time_limit(Duration::from_secs(5));
    for page in 0..4 {
        let script = async {
            let request = peer.expect("tools/list").await;
            peer.answer(&request, tools(&[&format!("t{page}")], Some(&page.to_string()))).await;
        };
        tokio::join!(list.next(), script).0.unwrap().unwrap();
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
}

#[tokio::test]
async fn list_is_empty_when_server_does_not_know_the_method() {
    // C17
    for is_modern in [true, false] {
        let (client, mut peer) = if is_modern { modern(builder()).await } else { legacy(builder()).await };
        let script = async {
            for method in ["resources/templates/list", "resources/list", "prompts/list", "tools/list"] {
                let list = peer.expect(method).await;
                peer.fail(&list, -32601, Value::Null).await;
            }
            let list = peer.expect("resources/templates/list").await;
            peer.fail(&list, -32603, Value::Null).await;
            let list = peer.expect("resources/templates/list").await;
            let template = json!({ "uriTemplate": "x:{a}", "name": "x" });
            peer.answer(&list, json!({ "resourceTemplates": [template], "nextCursor": "n" })).await;
            let list = peer.expect("resources/templates/list").await;
            peer.fail(&list, -32601, Value::Null).await;
        };
        let listing = async {
            assert!(client.resource_templates().await.unwrap().is_empty());
            assert!(client.resources().await.unwrap().is_empty());
            assert!(client.prompts().await.unwrap().is_empty());
            assert!(client.tools().await.unwrap().is_empty());
            // Other errors are errors, and so is this one in the middle of a list.
            assert_eq!(client.resource_templates().await.unwrap_err().kind(), ErrorKind::Server);
            assert_eq!(client.resource_templates().await.unwrap_err().kind(), ErrorKind::Server);
        };
        soon(async { tokio::join!(listing, script) }).await;
    }
}
