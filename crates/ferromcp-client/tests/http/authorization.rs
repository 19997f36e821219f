//! Headers of configuration files, and cache partitions by authorization.

use std::sync::Arc;

use ferromcp_client::ClientBuilder;
use ferromcp_client::cache::{CacheOptions, MemoryStore};
use ferromcp_client::config::Config;
use ferromcp_client::http::{Credentials, CredentialsFuture, Request};
use ferromcp_core::{RawJson, RawMap, Revision};
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::script::{builder, discovered, json_result, with_timeout};
use crate::wire::{Wire, run_both};

#[tokio::test]
async fn sends_headers_of_configuration_and_client() {
    let wire = Wire::new().await;
    let text = json!({ "servers": { "far": { "url": wire.url("/mcp"), "headers": { "X-File": "one" } } } });
    let server = Config::parse(&text.to_string()).unwrap().server("far").unwrap();
    let script = [json_result(discovered(&[Revision::LATEST.as_str()]))];
    let (client, asked) = run_both(builder().header("X-Own", "two").connect(server), wire.play(&script)).await;
    client.unwrap();
    assert_eq!((asked[0].header("x-file"), asked[0].header("x-own")), (Some("one"), Some("two")));
}

/// Credentials of a principal.
struct Principal(&'static str);

impl Credentials for Principal {
    fn authorize<'a>(&'a self, _: Request<'a>, headers: &'a mut HeaderMap) -> CredentialsFuture<'a, ()> {
        headers.insert("authorization", HeaderValue::from_static(self.0));
        Box::pin(std::future::ready(Ok(())))
    }

    fn cache_partition(&self) -> String {
        self.0.to_owned()
    }
}

/// Credentials that use an extension.
struct Extended;

impl Credentials for Extended {
    fn authorize<'a>(&'a self, _: Request<'a>, _: &'a mut HeaderMap) -> CredentialsFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn extensions(&self) -> RawMap {
        let mut extensions = RawMap::new();
        for id in ["com.example/signed", "com.example/custom"] {
            extensions.insert(id, RawJson::empty_object());
        }
        extensions
    }
}

#[tokio::test]
async fn extensions_of_the_credentials_are_declared() {
    // A-217
    let wire = Wire::new().await;
    let builder = builder().extension("com.example/custom", RawJson::parse(r#"{"level":1}"#).unwrap());
    let found = [json_result(discovered(&[Revision::LATEST.as_str()]))];
    let (client, requests) = run_both(builder.credentials(Extended).connect(wire.url("/mcp")), wire.play(&found)).await;
    client.unwrap();
    let meta = &requests[0].json()["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    let expected = json!({ "com.example/signed": {}, "com.example/custom": { "level": 1 } });
    assert_eq!(meta["extensions"], expected, "{meta}");
}

/// Lists the tools, and asserts whether the server received a request.
async fn lists(builder: ClientBuilder, store: &Arc<MemoryStore>, scope: &str, asked: bool) {
    let wire = Wire::new().await;
    let builder = builder.cache(CacheOptions::new().store("the server", Arc::clone(store) as _));
    let found = [json_result(discovered(&[Revision::LATEST.as_str()]))];
    let client = wire.connect(builder, &found).await.0.unwrap();
    if asked {
        let page = [json_result(json!({ "tools": [], "ttlMs": 60_000, "cacheScope": scope }))];
        run_both(async { client.tools().await }, wire.play(&page)).await.0.unwrap();
    } else {
        with_timeout(client.tools()).await.unwrap();
    }
}

#[tokio::test]
async fn private_results_are_cached_per_authorization() {
    let (ada, bob) = (|| builder().header("Authorization", "Bearer ada"), || builder().credentials(Principal("bob")));
    let store = Arc::new(MemoryStore::default());
    lists(ada(), &store, "private", true).await;
    lists(ada(), &store, "private", false).await;
    lists(bob(), &store, "private", true).await;
    lists(bob(), &store, "private", false).await;
    lists(builder(), &store, "private", true).await;
    lists(builder().credentials(Principal("eve")), &store, "private", true).await;

    let store = Arc::new(MemoryStore::default());
    lists(ada(), &store, "public", true).await;
    lists(bob(), &store, "public", false).await;
}
