//! URL elicitation by error -32042 (2025-11-25).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_client::{Client, ClientBuilder, ClientCall, ErrorKind, accept_url, decline};
use ferromcp_core::model::{CallToolResult, ElicitResult};
use serde_json::{Value, json};

use crate::script::{ScriptedServer, builder, legacy, soon, text};

fn error_data(ids: &[&str]) -> Value {
    let url = |id| json!({ "mode": "url", "message": "Sign in", "url": format!("https://a.example/{id}"), "elicitationId": id });
    json!({ "elicitations": ids.iter().map(|id| url(*id)).collect::<Vec<_>>() })
}

/// Creates a client with a URL handler that returns `action()`, and a record of the URLs.
fn builder_with_url_handler(action: fn() -> ElicitResult) -> (ClientBuilder, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let into = Arc::clone(&seen);
    let builder = builder().on_url(move |url| {
        into.lock().unwrap().push(url.url);
        async move { action() }
    });
    (builder, seen)
}

fn call(client: &Client) -> ClientCall<CallToolResult> {
    client.call("t", json!({ "a": 1 }))
}

async fn reject_with_urls(peer: &mut ScriptedServer, ids: &[&str]) {
    let call = peer.expect("tools/call").await;
    peer.fail(&call, -32042, error_data(ids)).await;
}

#[tokio::test]
async fn retries_call_when_urls_are_complete() {
    // S-440, S-441, S-471
    let (builder, seen) = builder_with_url_handler(accept_url);
    let (client, mut peer) = legacy(builder).await;
    let script = async {
        reject_with_urls(&mut peer, &["one", "two"]).await;
        let done = |id: &str| json!({ "elicitationId": id });
        for id in ["other", "two", "two", "one"] {
            let early = tokio::time::timeout(Duration::from_millis(20), peer.recv()).await;
            assert!(early.is_err(), "retried before completion: {early:?}");
            peer.notify("notifications/elicitation/complete", done(id)).await;
        }
        let call = peer.expect("tools/call").await;
        assert_eq!(call["params"]["arguments"], json!({ "a": 1 }));
        peer.answer(&call, text("ok")).await;
    };
    soon(async { tokio::join!(async { call(&client).await }, script) }).await.0.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["https://a.example/one", "https://a.example/two"]);
}

#[tokio::test(start_paused = true)] // the clock advances to the timeout
async fn retries_call_once_when_completion_times_out() {
    // S-442
    let (builder, seen) = builder_with_url_handler(accept_url);
    let (client, mut peer) = legacy(builder).await;
    let script = async {
        reject_with_urls(&mut peer, &["one"]).await;
        let begin = tokio::time::Instant::now();
        tokio::time::sleep(Duration::from_secs(115)).await; // longer than the timeouts of the test server
        reject_with_urls(&mut peer, &["two"]).await;
        assert!(begin.elapsed() >= Duration::from_secs(120), "{:?}", begin.elapsed());
    };
    let error = tokio::join!(async { call(&client).await }, script).0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(error.urls()[0].url, "https://a.example/two");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn returns_urls_without_retry_when_user_declines() {
    let (builder, _seen) = builder_with_url_handler(decline);
    let (client, mut peer) = legacy(builder).await;
    let refused =
        soon(async { tokio::join!(async { call(&client).await }, reject_with_urls(&mut peer, &["one", "two"])) })
            .await
            .0;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unanswerable);
    assert_eq!(error.urls().len(), 2);

    // The same without a URL handler, or with a manual call.
    let (client, mut peer) = legacy(crate::script::builder()).await;
    let refused =
        soon(async { tokio::join!(async { call(&client).await }, reject_with_urls(&mut peer, &["one"])) }).await.0;
    let error = refused.unwrap_err();
    assert_eq!((error.kind(), error.urls()[0].elicitation_id.as_deref()), (ErrorKind::Server, Some("one")));
    let (builder, seen) = builder_with_url_handler(accept_url);
    let (client, mut peer) = legacy(builder).await;
    let by_hand = async { call(&client).manual().await };
    let refused = soon(async { tokio::join!(by_hand, reject_with_urls(&mut peer, &["one"])) }).await.0;
    assert_eq!((refused.unwrap_err().urls().len(), seen.lock().unwrap().len()), (1, 0));
}

#[tokio::test]
async fn returns_server_error_when_urls_are_invalid() {
    let (builder, seen) = builder_with_url_handler(accept_url);
    let (client, mut peer) = legacy(builder).await;
    for data in [Value::Null, json!({}), json!({ "elicitations": [] }), json!({ "elicitations": [{ "mode": "url" }] })]
    {
        let script = async {
            let call = peer.expect("tools/call").await;
            peer.fail(&call, -32042, data.clone()).await;
        };
        let error = soon(async { tokio::join!(async { call(&client).await }, script) }).await.0.unwrap_err();
        assert!(error.kind() == ErrorKind::Server && error.urls().is_empty(), "{data}");
    }
    assert!(seen.lock().unwrap().is_empty());
}
