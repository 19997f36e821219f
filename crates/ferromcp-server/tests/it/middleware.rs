//! Middleware: ordering, interception, concurrency and rate limits, and response caching.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_core::model::{
    CacheHint, CallToolResult, ElicitParams, FormParams, FormSchema, InputRequest, InputRequired,
};
use ferromcp_core::{ClientRequest, Error, ServerResult};
use ferromcp_server::middleware::Next;
use ferromcp_server::middleware::{concurrency_limit, rate_limit, response_cache, time_limit, timing};
use ferromcp_server::testing::for_each_mode;
use ferromcp_server::{Call, Ctx, Extension, Reply, Resource, Server, ServerLimits, StateOptions, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client, only_text};
use crate::server_requests::all_capabilities;

type EventLog = Arc<Mutex<Vec<String>>>;

/// Returns middleware that logs when a call enters and leaves.
fn logging(log: &EventLog, name: &'static str) -> impl ferromcp_server::middleware::Middleware {
    let log = Arc::clone(log);
    move |call: Call, next: Next| {
        let log = Arc::clone(&log);
        async move {
            log.lock().unwrap().push(format!("{name} in {}", call.request.method()));
            let reply = next.run(call).await;
            log.lock().unwrap().push(format!("{name} out"));
            reply
        }
    }
}

#[tokio::test]
async fn first_middleware_is_outermost_when_several_are_wrapped() {
    // M26-001
    for case in Case::all() {
        let log = EventLog::default();
        let server = Server::new("order", "0")
            .with_tool(Tool::sync("hi", || "hi"))
            .wrap(logging(&log, "a"))
            .wrap(logging(&log, "b"))
            .wrap(timing);
        let mut client = Client::connect(server, case).await;
        log.lock().unwrap().clear();
        assert_eq!(client.text("hi", json!({})).await, "hi");
        assert_eq!(*log.lock().unwrap(), ["a in tools/call", "b in tools/call", "b out", "a out"]);
        log.lock().unwrap().clear();
        client.result("tools/list", Value::Null).await;
        assert_eq!(log.lock().unwrap()[0], "a in tools/list");
    }
}

#[derive(Clone)]
struct User(&'static str);

#[tokio::test]
async fn call_is_rejected_answered_or_extended_when_middleware_intercepts_it() {
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
            .with_tool(Tool::sync("user", |Extension(user): Extension<User>| user.0))
            .with_tool(Tool::new("user_from_ctx", |ctx: Ctx| async move {
                ctx.extensions().get::<User>().map(|user| user.0)
            }))
            .wrap(guard);
        let mut client = Client::connect(server, case).await;
        assert_eq!(client.error("tools/call", json!({ "name": "locked" })).await["code"], 403);
        assert_eq!(client.text("canned", json!({})).await, "canned");
        assert_eq!(client.text("user", json!({})).await, "ann");
        assert_eq!(client.text("user_from_ctx", json!({})).await, "ann");
        // A missing extension is a server error, not an argument error.
        let bare = Server::new("bare", "0").with_tool(Tool::sync("user", |Extension(user): Extension<User>| user.0));
        let mut client = Client::connect(bare, case).await;
        assert_eq!(client.error("tools/call", json!({ "name": "user" })).await["code"], -32603);
    }
}

#[tokio::test]
async fn internal_error_is_returned_when_middleware_panics() {
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
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn calls_are_queued_and_lists_are_not_when_concurrency_limit_is_reached() {
    // M26-345, M26-404, M26-410, S-262, S-314, S-320
    for case in Case::all() {
        let (running, max_running) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (current, peak) = (Arc::clone(&running), Arc::clone(&max_running));
        let server = Server::new("limit", "0")
            .with_tool(Tool::new("work", move || {
                let (current, peak) = (Arc::clone(&current), Arc::clone(&peak));
                async move {
                    peak.fetch_max(current.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    current.fetch_sub(1, Ordering::SeqCst);
                    "done"
                }
            }))
            .wrap(concurrency_limit(3));
        let mut client = Client::connect(server, case).await;
        let ids: Vec<i64> = (0..20).map(|_| client.start_call("work", json!({}))).collect();
        let list = client.start("tools/list", Value::Null);
        client.answer(list).await;
        assert!(client.seen().len() < 20, "the list request must not wait for calls");
        // A queued call that is cancelled does not use a permit.
        let extra = client.start_call("work", json!({}));
        client.cancel(extra);
        for _ in &ids {
            if running.load(Ordering::SeqCst) == 0 && client.fence().await.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        assert_eq!(client.text("work", json!({})).await, "done");
        assert_eq!(max_running.load(Ordering::SeqCst), 3);
    }
}

#[tokio::test]
async fn call_is_rejected_when_rate_limit_is_exceeded() {
    // M26-345, M26-404, S-262, S-314, S-320
    for case in Case::all() {
        let server = Server::new("rate", "0")
            .with_tool(Tool::sync("hi", || "hi"))
            .with_resource(Resource::sync("x:y", || "y"))
            .wrap(rate_limit(2, Duration::from_secs(3600)));
        let mut client = Client::connect(server, case).await;
        assert_eq!(client.text("hi", json!({})).await, "hi");
        assert_eq!(client.text("hi", json!({})).await, "hi");
        assert!(client.tool_error("hi", json!({})).await.contains("Too many calls; try again in"));
        let error = client.error("resources/read", json!({ "uri": "x:y" })).await;
        assert!(error["message"].as_str().unwrap().contains("Too many calls"), "{error}");
        client.result("tools/list", Value::Null).await;
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn cached_response_is_reused_when_resource_is_public_and_fresh() {
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
            .with_resource(Resource::sync("a://no-hint", count(&reads)))
            .with_resource(Resource::sync("a://gone", || None::<String>).cache(CacheHint::public(60_000)))
            .wrap(response_cache(2));
        let mut client = Client::connect(server, case).await;
        let mut read = async |uri: &str| {
            let result = client.result("resources/read", json!({ "uri": uri })).await;
            result["contents"][0]["text"].as_str().unwrap().parse::<u64>().unwrap()
        };
        assert_eq!((read("a://public").await, read("a://public").await), (0, 0));
        assert_eq!(
            (read("a://private").await, read("a://private").await),
            (1, 2),
            "without an identity, private results are not cached"
        );
        assert_eq!((read("a://no-hint").await, read("a://no-hint").await), (3, 4));
        assert_eq!(read("a://short").await, 5);
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!((read("a://short").await, read("a://public").await), (6, 0));
        for _ in 0..2 {
            assert!(client.request("resources/read", json!({ "uri": "a://gone" })).await.get("error").is_some());
        }
    }
}

#[tokio::test]
async fn cached_response_is_reused_per_identity_when_resource_is_private() {
    // M26-458, M26-459, M26-467, M26-469
    use ferromcp_core::Revision;
    use ferromcp_core::model::ReadResourceParams;
    use ferromcp_server::Peer;

    let reads = Arc::new(AtomicU64::new(0));
    let counts = Arc::clone(&reads);
    let server = Server::new("cache", "0")
        .with_resource(
            Resource::sync("a://mine", move |ctx: Ctx| {
                format!("{}{}", ctx.identity().unwrap_or("anonymous"), counts.fetch_add(1, Ordering::SeqCst))
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
    assert_eq!(read(None).await, "anonymous2");
    assert_eq!(read(None).await, "anonymous3");
    assert_eq!(read(Some("bob")).await, "bob1");
}

#[tokio::test]
async fn trap_cached_result_of_a_token_with_more_scopes() {
    use ferromcp_core::Revision;
    use ferromcp_core::model::ReadResourceParams;
    use ferromcp_server::{Peer, Principal};

    let reads = Arc::new(AtomicU64::new(0));
    let counts = Arc::clone(&reads);
    let report = move |user: Principal| {
        let details = if user.has_scope("details") { "details" } else { "summary" };
        format!("{details} {}", counts.fetch_add(1, Ordering::SeqCst))
    };
    let server = Server::new("cache", "0")
        .with_resource(Resource::sync("a://report", report).args(["user"]).ttl_ms(60_000))
        .wrap(response_cache(100));
    let read = async |scopes: &[&str]| {
        let peer = Peer::new(Revision::LATEST).with_principal(Principal::new("ada").with_scopes(scopes));
        let call = Call::new(ClientRequest::ReadResource(ReadResourceParams::new("a://report")), peer);
        let Reply::Done(ServerResult::ReadResource(result)) = server.call(call).await else { panic!("no contents") };
        result.contents[0].as_text().unwrap().to_owned()
    };
    assert_eq!(read(&["base", "details"]).await, "details 0");
    assert_eq!(read(&["base"]).await, "summary 1");
    assert_eq!(read(&[]).await, "summary 2");
    // The order of the scopes is not significant.
    assert_eq!(read(&["details", "base"]).await, "details 0");
    assert_eq!(read(&["base"]).await, "summary 1");
}

#[tokio::test]
async fn concurrency_permit_is_shared_when_call_is_nested() {
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
        assert_eq!(client.text("reads", json!({})).await, "1", "the permit must be released");
    }
}

/// Returns an `input_required` reply with the opaque state of the middleware.
fn terms() -> Reply {
    let form = FormParams::new("Do you accept the terms?", FormSchema::new(Vec::new()));
    let mut required = InputRequired::default();
    required.input_requests = Some(vec![("terms".to_owned(), InputRequest::Elicit(ElicitParams::Form(form)))]);
    required.request_state = Some("terms".into());
    Reply::NeedsInput(required)
}

#[tokio::test]
async fn input_is_required_when_middleware_returns_needs_input_on_modern_revision() {
    // M26-237, M26-240
    async fn accept_terms(mut call: Call, next: Next) -> Reply {
        match &mut call.request {
            ClientRequest::CallTool(params) => {
                // The state and the answers belong to the middleware, not to the handler.
                let (state, answers) = (params.request_state.take(), params.input_responses.take());
                let accepted = answers.is_some_and(|answers| answers.get("terms").is_some());
                if accepted && state.as_deref() == Some("terms") { next.run(call).await } else { terms() }
            }
            ClientRequest::ListTools(_) => terms(),
            _ => next.run(call).await,
        }
    }
    for case in Case::all() {
        let server = Server::new("terms", "0").with_tool(Tool::sync("hi", || "hi")).wrap(accept_terms);
        let mut client = Client::raw(server, case).with_capabilities(all_capabilities());
        if !case.is_modern() {
            client.initialize().await;
        }
        let error = client.error("tools/list", json!({})).await;
        assert_eq!(error["code"], -32603, "{error}");
        assert!(error["message"].as_str().unwrap().starts_with("cannot return `Reply::NeedsInput`"), "{error}");
        if !case.is_modern() {
            assert_eq!(client.error("tools/call", json!({ "name": "hi" })).await, error);
            continue;
        }
        let required = client.request("tools/call", json!({ "name": "hi" })).await["result"].clone();
        assert_eq!(required["inputRequests"]["terms"]["params"]["message"], "Do you accept the terms?");
        let responses = json!({ "terms": { "action": "accept", "content": {} } });
        let retry = json!({ "name": "hi", "inputResponses": responses, "requestState": required["requestState"] });
        assert_eq!(only_text(&client.result("tools/call", retry).await), "hi");
    }
}

#[tokio::test]
async fn calls_are_served_when_every_duration_is_the_maximum() {
    let max = Duration::MAX;
    let server = || {
        Server::new("max", "0")
            .with_tool(Tool::new("ask", async |ctx: Ctx| {
                tokio::task::yield_now().await; // the timeout is polled
                ctx.elicit::<bool>("Continue?").timeout(Duration::MAX).await
            }))
            .with_resource(Resource::sync("notes://all", || "all").cache(CacheHint::public(u64::MAX)))
            .limits(ServerLimits::new().shutdown_grace(max).answer_timeout(max))
            .request_state_options(StateOptions::new().ttl(max))
            .default_list_cache(CacheHint::public(u64::MAX))
            .wrap(time_limit(max))
            .wrap(rate_limit(1000, max))
            .wrap(response_cache(8))
    };
    for_each_mode(
        |_| server(),
        async |client| {
            client.accept("Continue?", &json!({ "value": true }));
            assert_eq!(client.text("ask", &json!({})).await, "true");
        },
    )
    .await;
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for _ in 0..2 {
            let read = client.result("resources/read", json!({ "uri": "notes://all" })).await;
            assert_eq!(read["contents"][0]["text"], "all");
            client.result("resources/list", Value::Null).await;
        }
        client.close().await.unwrap();
    }
}
