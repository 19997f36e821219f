//! Caching hints: on all that may be cached in the modern era, on nothing before.

use ferromcp_core::model::{CacheHint, CacheScope, ReadResourceResult, ResourceContents};
use ferromcp_server::{Limits, Prompt, Resource, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client};

fn server() -> Server {
    let mut limits = Limits::default();
    limits.page_size = 1;
    Server::new("caching", "0")
        .limits(limits)
        .with_tool(Tool::sync("one", || "1"))
        .with_tool(Tool::sync("two", || "2"))
        .with_prompt(Prompt::sync("ask", || "?"))
        .with_resource(Resource::sync("notes://plain", || "1"))
        .with_resource(Resource::sync("notes://mine", || "2").ttl_ms(5000))
        .with_resource(Resource::sync("notes://all", || "3").cache(CacheHint::public(u64::MAX)))
        .with_resource(
            Resource::sync("notes://own", || {
                let mut result = ReadResourceResult::new(vec![ResourceContents::text("notes://own", "4")]);
                result.ttl_ms = Some(1);
                result.cache_scope = Some(CacheScope::Public);
                result
            })
            .ttl_ms(9),
        )
        .with_resource(Resource::sync("user://{name}", |name: String| name).args(["name"]).ttl_ms(7))
}

fn cacheable() -> Vec<(&'static str, Value)> {
    vec![
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({ "uri": "notes://plain" })),
    ]
}

fn hint(result: &Value) -> (Option<u64>, Option<&str>) {
    (
        result.get("ttlMs").map(|ttl| ttl.as_u64().expect("a whole number from 0")),
        result.get("cacheScope").map(|scope| scope.as_str().unwrap()),
    )
}

#[tokio::test]
async fn every_cacheable_result_says_how_long_and_for_whom() {
    // M26-440, M26-450, M26-451, M26-460, M26-468
    for case in Case::modern() {
        let mut client = Client::connect(server(), case).await;
        for (method, params) in cacheable() {
            let result = client.result(method, params).await;
            assert_eq!(hint(&result), (Some(0), Some("private")), "{method}: unless said otherwise");
        }
        for (uri, expected) in [
            ("notes://mine", (Some(5000), Some("private"))),
            ("notes://all", (Some(u64::MAX), Some("public"))),
            ("notes://own", (Some(1), Some("public"))),
            ("user://ann", (Some(7), Some("private"))),
        ] {
            let result = client.result("resources/read", json!({ "uri": uri })).await;
            assert_eq!(hint(&result), expected, "{uri}");
        }
    }
}

#[tokio::test]
async fn lists_carry_the_hint_they_were_given_on_every_page() {
    // M26-440, M26-457, M26-462, M26-466
    for case in Case::modern() {
        let mut client = Client::connect(server().list_cache(CacheHint::public(60_000)), case).await;
        for (method, params) in cacheable().into_iter().take(5) {
            assert_eq!(hint(&client.result(method, params).await), (Some(60_000), Some("public")), "{method}");
        }
        let first = client.result("tools/list", json!({})).await;
        let second = client.result("tools/list", json!({ "cursor": first["nextCursor"] })).await;
        assert_eq!(hint(&first), hint(&second));
    }
}

#[tokio::test]
async fn other_results_and_sessions_have_no_hints() {
    // M26-440, M26-441
    for case in Case::all() {
        let mut client = Client::connect(server().list_cache(CacheHint::public(60_000)), case).await;
        let mut others = vec![("tools/call", json!({ "name": "one" })), ("prompts/get", json!({ "name": "ask" }))];
        if !case.is_modern() {
            others.extend(cacheable().into_iter().skip(1));
            others.push(("resources/read", json!({ "uri": "notes://own" })));
        }
        for (method, params) in others {
            assert_eq!(hint(&client.result(method, params).await), (None, None), "{method}");
        }
    }
}
