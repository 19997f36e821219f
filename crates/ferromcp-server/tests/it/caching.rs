//! Cache hints (`ttlMs`, `cacheScope`): on cacheable results of the modern era only.

use ferromcp_core::model::{CacheHint, CacheScope, ReadResourceResult, ResourceContents};
use ferromcp_server::{Prompt, Resource, Server, ServerLimits, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client};

fn server() -> Server {
    let limits = ServerLimits::new().page_size(1);
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

/// The methods with cacheable results, and valid parameters for each.
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

/// Returns `ttlMs` and `cacheScope` of a result.
fn hint(result: &Value) -> (Option<u64>, Option<&str>) {
    (
        result.get("ttlMs").map(|ttl| ttl.as_u64().expect("`ttlMs` must be a non-negative integer")),
        result.get("cacheScope").map(|scope| scope.as_str().unwrap()),
    )
}

#[tokio::test]
async fn ttl_and_cache_scope_are_set_when_result_is_cacheable() {
    // M26-440, M26-450, M26-451, M26-460, M26-468
    for case in Case::modern() {
        let mut client = Client::connect(server(), case).await;
        for (method, params) in cacheable() {
            let result = client.result(method, params).await;
            assert_eq!(hint(&result), (Some(0), Some("private")), "{method}: default hint");
        }
        for (uri, expected) in [
            ("notes://mine", (Some(5000), Some("private"))),
            ("notes://all", (Some((1 << 53) - 1), Some("public"))), // the largest integer of all JSON readers
            ("notes://own", (Some(1), Some("public"))),
            ("user://ann", (Some(7), Some("private"))),
        ] {
            let result = client.result("resources/read", json!({ "uri": uri })).await;
            assert_eq!(hint(&result), expected, "{uri}");
        }
    }
}

#[tokio::test]
async fn cache_hint_is_on_every_page_when_list_cache_is_configured() {
    // M26-440, M26-457, M26-462, M26-466
    for case in Case::modern() {
        let mut client = Client::connect(server().default_list_cache(CacheHint::public(60_000)), case).await;
        for (method, params) in cacheable().into_iter().take(5) {
            assert_eq!(hint(&client.result(method, params).await), (Some(60_000), Some("public")), "{method}");
        }
        let first = client.result("tools/list", json!({})).await;
        let second = client.result("tools/list", json!({ "cursor": first["nextCursor"] })).await;
        assert_eq!(hint(&first), hint(&second));
    }
}

#[tokio::test]
async fn cache_hint_is_absent_when_result_is_not_cacheable_or_in_session() {
    // M26-440, M26-441
    for case in Case::all() {
        let mut client = Client::connect(server().default_list_cache(CacheHint::public(60_000)), case).await;
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
