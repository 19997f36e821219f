//! What a configuration file says of HTTP, and whose results are whose in a store that is shared.

use std::sync::Arc;

use ferromcp_client::ClientBuilder;
use ferromcp_client::cache::{CacheOptions, MemoryStore};
use ferromcp_client::config::Config;
use ferromcp_client::http::{Credentials, CredentialsFuture, Request};
use ferromcp_core::Revision;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::script::{builder, discovered, gives, soon};
use crate::wire::{Wire, both};

#[tokio::test]
async fn headers_of_a_configuration_are_sent_beside_those_of_the_client() {
    let wire = Wire::new().await;
    let text = json!({ "servers": { "far": { "url": wire.url("/mcp"), "headers": { "X-File": "one" } } } });
    let server = Config::parse(&text.to_string()).unwrap().server("far").unwrap();
    let script = [gives(discovered(&[Revision::LATEST.as_str()]))];
    let (client, asked) = both(builder().header("X-Own", "two").connect(server), wire.play(&script)).await;
    client.unwrap();
    assert_eq!((asked[0].header("x-file"), asked[0].header("x-own")), (Some("one"), Some("two")));
}

/// Credentials of somebody.
struct Of(&'static str);

impl Credentials for Of {
    fn authorize<'a>(&'a self, _: Request<'a>, headers: &'a mut HeaderMap) -> CredentialsFuture<'a, ()> {
        headers.insert("authorization", HeaderValue::from_static(self.0));
        Box::pin(std::future::ready(Ok(())))
    }

    fn cache_partition(&self) -> String {
        self.0.to_owned()
    }
}

/// Lists the tools; whether the server was asked, for which it waits if it is to be.
async fn lists(builder: ClientBuilder, store: &Arc<MemoryStore>, scope: &str, asked: bool) {
    let wire = Wire::new().await;
    let builder = builder.cache(CacheOptions::new().store("the server", Arc::clone(store) as _));
    let found = [gives(discovered(&[Revision::LATEST.as_str()]))];
    let client = wire.connect(builder, &found).await.0.unwrap();
    if asked {
        let page = [gives(json!({ "tools": [], "ttlMs": 60_000, "cacheScope": scope }))];
        both(async { client.tools().await }, wire.play(&page)).await.0.unwrap();
    } else {
        soon(client.tools()).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_private_is_found_with_the_same_authorization_alone() {
    let (ada, bob) = (|| builder().header("Authorization", "Bearer ada"), || builder().credentials(Of("bob")));
    let store = Arc::new(MemoryStore::default());
    lists(ada(), &store, "private", true).await;
    lists(ada(), &store, "private", false).await;
    lists(bob(), &store, "private", true).await;
    lists(bob(), &store, "private", false).await;
    lists(builder(), &store, "private", true).await;
    lists(builder().credentials(Of("eve")), &store, "private", true).await;

    let store = Arc::new(MemoryStore::default());
    lists(ada(), &store, "public", true).await;
    lists(bob(), &store, "public", false).await;
}
