//! Headers of configuration files, and cache partitions by authorization.

use std::sync::Arc;

use ferromcp_client::ClientBuilder;
use ferromcp_client::cache::{CacheOptions, MemoryStore};
use ferromcp_client::config::Config;
use ferromcp_client::http::{Credentials, CredentialsFuture, Request};
use ferromcp_core::Revision;
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
