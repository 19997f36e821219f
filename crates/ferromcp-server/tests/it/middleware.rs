//! Functions around every call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_core::model::{CacheHint, CallToolResult};
use ferromcp_core::{ClientRequest, Error, ServerResult};
use ferromcp_server::middleware::{concurrency_limit, rate_limit, response_cache, timing};
use ferromcp_server::{Call, Ctx, Extension, Next, Reply, Resource, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client};

type Diary = Arc<Mutex<Vec<String>>>;

fn noting(diary: &Diary, name: &'static str) -> impl ferromcp_server::Middleware {
    let diary = Arc::clone(diary);
    move |call: Call, next: Next| {
        let diary = Arc::clone(&diary);
        async move {
            diary.lock().unwrap().push(format!("{name} in {}", call.request.method()));
            let reply = next.run(call).await;
            diary.lock().unwrap().push(format!("{name} out"));
            reply
        }
    }
}

#[tokio::test]
async fn the_first_one_wrapped_is_the_outermost() {
    // M26-001
    for case in Case::all() {
        let diary = Diary::default();
        let server = Server::new("order", "0")
            .with_tool(Tool::sync("hi", || "hi"))
            .wrap(noting(&diary, "a"))
            .wrap(noting(&diary, "b"))
            .wrap(timing);
        let mut client = Client::connect(server, case).await;
        diary.lock().unwrap().clear();
        assert_eq!(client.text("hi", json!({})).await, "hi");
        assert_eq!(*diary.lock().unwrap(), ["a in tools/call", "b in tools/call", "b out", "a out"]);
        diary.lock().unwrap().clear();
        client.result("tools/list", Value::Null).await;
        assert_eq!(diary.lock().unwrap()[0], "a in tools/list");
    }
}

#[derive(Clone)]
struct User(&'static str);

#[tokio::test]
async fn middleware_refuses_answers_and_leaves_things_for_handlers() {
    // M26-344, M26-374, M26-375, M26-411, M26-469, S-261, S-283, S-285, S-321
    async fn guard(mut call: Call, next: Next) -> Reply {
        match &call.request {
            ClientRequest::CallTool(params) if params.name == *"locked" => {
                return Reply::Failed(Error::new(ferromcp_core::ErrorCode(403), "not for you"));
            }
            ClientRequest::CallTool(params) if params.name == *"canned" => {
                return Reply::Done(ServerResult::from(CallToolResult::text("canned")));
            }
            _ => call.extensions.insert(User("ann")),
        }
        next.run(call).await
    }
    for case in Case::all() {
        let server = Server::new("guard", "0")
            .with_tool(Tool::sync("locked", || "secret"))
            .with_tool(Tool::sync("who", |Extension(user): Extension<User>| user.0))
            .with_tool(Tool::new(
                "who_else",
                |ctx: Ctx| async move { ctx.extensions().get::<User>().map(|user| user.0) },
            ))
            .wrap(guard);
        let mut client = Client::connect(server, case).await;
        assert_eq!(client.error("tools/call", json!({ "name": "locked" })).await["code"], 403);
        assert_eq!(client.text("canned", json!({})).await, "canned");
        assert_eq!(client.text("who", json!({})).await, "ann");
        assert_eq!(client.text("who_else", json!({})).await, "ann");
        // What nobody left is an error of the server, not of the arguments.
        let bare = Server::new("bare", "0").with_tool(Tool::sync("who", |Extension(user): Extension<User>| user.0));
        let mut client = Client::connect(bare, case).await;
        assert_eq!(client.error("tools/call", json!({ "name": "who" })).await["code"], -32603);
    }
}

#[tokio::test]
async fn a_panic_in_middleware_is_answered() {
    // M26-339, S-255
    async fn panics(call: Call, next: Next) -> Reply {
        assert!(call.request.method() != "tools/call", "secret");
        next.run(call).await
    }
    for case in Case::all() {
        let server = Server::new("panics", "0").with_tool(Tool::sync("hi", || "hi")).wrap(panics);
        let mut client = Client::connect(server, case).await;
        let error = client.error("tools/call", json!({ "name": "hi" })).await;
        assert_eq!(error["code"], -32603);
        assert!(!error.to_string().contains("secret"), "{error}");
        client.lives().await;
    }
}

#[tokio::test]
async fn only_so_many_calls_run_and_lists_are_not_held_up() {
    // M26-345, M26-404, M26-410, S-262, S-314, S-320
    for case in Case::all() {
        let (running, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (counts, tops) = (Arc::clone(&running), Arc::clone(&most));
        let server = Server::new("limit", "0")
            .with_tool(Tool::new("work", move || {
                let (counts, tops) = (Arc::clone(&counts), Arc::clone(&tops));
                async move {
                    tops.fetch_max(counts.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    counts.fetch_sub(1, Ordering::SeqCst);
                    "done"
                }
            }))
            .wrap(concurrency_limit(3));
        let mut client = Client::connect(server, case).await;
        let ids: Vec<i64> = (0..20).map(|_| client.start_call("work", json!({}))).collect();
        let list = client.start("tools/list", Value::Null);
        client.answer(list).await;
        assert!(client.seen().len() < 20, "the list waited for the calls");
        // One that waits is cancelled and takes nobody's place.
        let extra = client.start_call("work", json!({}));
        client.cancel(extra);
        for _ in &ids {
            if running.load(Ordering::SeqCst) == 0 && client.fence().await.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        assert_eq!(client.text("work", json!({})).await, "done");
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }
}

#[tokio::test]
async fn calls_that_come_too_fast_are_refused() {
    // M26-345, M26-404, S-262, S-314, S-320
    for case in Case::all() {
        let server = Server::new("rate", "0")
            .with_tool(Tool::sync("hi", || "hi"))
            .with_resource(Resource::sync("x:y", || "y"))
            .wrap(rate_limit(2, Duration::from_secs(3600)));
        let mut client = Client::connect(server, case).await;
        assert_eq!(client.text("hi", json!({})).await, "hi");
        assert_eq!(client.text("hi", json!({})).await, "hi");
        assert!(client.complaint("hi", json!({})).await.contains("Too many calls; try again in"));
        let error = client.error("resources/read", json!({ "uri": "x:y" })).await;
        assert!(error["message"].as_str().unwrap().contains("Too many calls"), "{error}");
        client.result("tools/list", Value::Null).await;
        client.lives().await;
    }
}

#[tokio::test]
async fn what_is_public_and_fresh_is_read_once() {
    // M26-457, M26-458, M26-459, M26-467, M26-470
    for case in Case::all() {
        let reads = Arc::new(AtomicU64::new(0));
        let count = |reads: &Arc<AtomicU64>| {
            let reads = Arc::clone(reads);
            move || reads.fetch_add(1, Ordering::SeqCst).to_string()
        };
        let server = Server::new("cache", "0")
            .with_resource(Resource::sync("a://public", count(&reads)).cache(CacheHint::public(60_000)))
            .with_resource(Resource::sync("a://short", count(&reads)).cache(CacheHint::public(1)))
            .with_resource(Resource::sync("a://private", count(&reads)).ttl_ms(60_000))
            .with_resource(Resource::sync("a://unsaid", count(&reads)))
            .with_resource(Resource::sync("a://gone", || None::<String>).cache(CacheHint::public(60_000)))
            .wrap(response_cache(2));
        let mut client = Client::connect(server, case).await;
        let mut read = async |uri: &str| {
            let result = client.result("resources/read", json!({ "uri": uri })).await;
            result["contents"][0]["text"].as_str().unwrap().parse::<u64>().unwrap()
        };
        assert_eq!((read("a://public").await, read("a://public").await), (0, 0));
        assert_eq!((read("a://private").await, read("a://private").await), (1, 2), "nobody in particular asks");
        assert_eq!((read("a://unsaid").await, read("a://unsaid").await), (3, 4));
        assert_eq!(read("a://short").await, 5);
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!((read("a://short").await, read("a://public").await), (6, 0));
        for _ in 0..2 {
            assert!(client.request("resources/read", json!({ "uri": "a://gone" })).await.get("error").is_some());
        }
    }
}

#[tokio::test]
async fn private_results_are_kept_for_their_principal_alone() {
    // M26-458, M26-459, M26-467, M26-469
    use ferromcp_core::Revision;
    use ferromcp_core::model::ReadResourceParams;
    use ferromcp_server::Peer;

    let reads = Arc::new(AtomicU64::new(0));
    let counts = Arc::clone(&reads);
    let server = Server::new("cache", "0")
        .with_resource(
            Resource::sync("a://mine", move |ctx: Ctx| {
                format!("{}{}", ctx.identity().unwrap_or("nobody"), counts.fetch_add(1, Ordering::SeqCst))
            })
            .ttl_ms(60_000),
        )
        .wrap(response_cache(100));
    let read = async |identity: Option<&'static str>| {
        let mut peer = Peer::new(Revision::LATEST);
        if let Some(identity) = identity {
            peer = peer.with_identity(identity);
        }
        let call = Call::new(ClientRequest::ReadResource(ReadResourceParams::new("a://mine")), peer);
        let Reply::Done(ServerResult::ReadResource(result)) = server.call(call).await else { panic!("no contents") };
        result.contents[0].as_text().unwrap().to_owned()
    };
    assert_eq!(read(Some("ann")).await, "ann0");
    assert_eq!(read(Some("bob")).await, "bob1");
    assert_eq!(read(Some("ann")).await, "ann0");
    assert_eq!(read(None).await, "nobody2");
    assert_eq!(read(None).await, "nobody3");
    assert_eq!(read(Some("bob")).await, "bob1");
}

#[tokio::test]
async fn a_call_within_a_call_keeps_the_place_it_has() {
    // M26-345, S-262
    for case in Case::eras() {
        let server = Server::new("limit", "0")
            .with_resource(Resource::sync("x:y", || "y"))
            .with_tool(Tool::new("reads", |ctx: Ctx| async move {
                ctx.read_resource("x:y").await.map(|result| result.contents.len().to_string())
            }))
            .wrap(concurrency_limit(1))
            .wrap(concurrency_limit(1));
        let mut client = Client::connect(server, case).await;
        assert_eq!(client.text("reads", json!({})).await, "1");
        assert_eq!(client.text("reads", json!({})).await, "1", "the place is given back");
    }
}
