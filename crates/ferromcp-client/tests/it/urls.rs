//! Calls that need their user at a URL first (-32042 of 2025-11-25).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_client::{Call, Client, ClientBuilder, ClientLimits, ErrorKind, accept_url, decline};
use ferromcp_core::model::{CallToolResult, ElicitResult};
use serde_json::{Value, json};

use crate::script::{Far, builder, legacy, soon, text};

fn needed(ids: &[&str]) -> Value {
    let url = |id| json!({ "mode": "url", "message": "Sign in", "url": format!("https://a.example/{id}"), "elicitationId": id });
    json!({ "elicitations": ids.iter().map(|id| url(*id)).collect::<Vec<_>>() })
}

/// A client whose user does `what` with URLs, and where that was asked for.
fn visitor(what: fn() -> ElicitResult, patience: Duration) -> (ClientBuilder, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let into = Arc::clone(&seen);
    let mut limits = ClientLimits::default();
    limits.url_completion = patience;
    let builder = builder().limits(limits).on_url(move |url| {
        into.lock().unwrap().push(url.url);
        async move { what() }
    });
    (builder, seen)
}

fn call(client: &Client) -> Call<CallToolResult> {
    client.call("t", json!({ "a": 1 }))
}

async fn refuse(far: &mut Far, ids: &[&str]) {
    let call = far.expect("tools/call").await;
    far.fail(&call, -32042, needed(ids)).await;
}

#[tokio::test]
async fn the_call_is_made_again_once_its_user_was_there() {
    // S-440, S-441, S-471
    let (builder, seen) = visitor(accept_url, Duration::from_secs(60));
    let (client, mut far) = legacy(builder).await;
    let script = async {
        refuse(&mut far, &["one", "two"]).await;
        let done = |id: &str| json!({ "elicitationId": id });
        for id in ["other", "two", "two", "one"] {
            let early = tokio::time::timeout(Duration::from_millis(20), far.recv()).await;
            assert!(early.is_err(), "not before all is done: {early:?}");
            far.notify("notifications/elicitation/complete", done(id)).await;
        }
        let call = far.expect("tools/call").await;
        assert_eq!(call["params"]["arguments"], json!({ "a": 1 }));
        far.answer(&call, text("ok")).await;
    };
    soon(async { tokio::join!(async { call(&client).await }, script) }).await.0.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["https://a.example/one", "https://a.example/two"]);
}

#[tokio::test]
async fn a_word_that_never_comes_is_not_waited_for_for_ever_and_there_is_one_more_call_and_no_second() {
    // S-442
    let (builder, seen) = visitor(accept_url, Duration::from_millis(50));
    let (client, mut far) = legacy(builder).await;
    let script = async {
        refuse(&mut far, &["one"]).await;
        refuse(&mut far, &["two"]).await;
    };
    let error = soon(async { tokio::join!(async { call(&client).await }, script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(error.urls()[0].url, "https://a.example/two");
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn without_consent_nothing_is_called_again_and_the_urls_are_told() {
    let (builder, _seen) = visitor(decline, Duration::from_secs(60));
    let (client, mut far) = legacy(builder).await;
    let refused =
        soon(async { tokio::join!(async { call(&client).await }, refuse(&mut far, &["one", "two"])) }).await.0;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unanswerable);
    assert_eq!(error.urls().len(), 2);

    // Nor where there is nobody to be asked, or questions are answered by hand.
    let (client, mut far) = legacy(crate::script::builder()).await;
    let refused = soon(async { tokio::join!(async { call(&client).await }, refuse(&mut far, &["one"])) }).await.0;
    let error = refused.unwrap_err();
    assert_eq!((error.kind(), error.urls()[0].elicitation_id.as_deref()), (ErrorKind::Server, Some("one")));
    let (builder, seen) = visitor(accept_url, Duration::ZERO);
    let (client, mut far) = legacy(builder).await;
    let by_hand = async { call(&client).manual().await };
    let refused = soon(async { tokio::join!(by_hand, refuse(&mut far, &["one"])) }).await.0;
    assert_eq!((refused.unwrap_err().urls().len(), seen.lock().unwrap().len()), (1, 0));
}

#[tokio::test]
async fn urls_that_are_none_are_an_error_like_any_other() {
    let (builder, seen) = visitor(accept_url, Duration::ZERO);
    let (client, mut far) = legacy(builder).await;
    for data in [Value::Null, json!({}), json!({ "elicitations": [] }), json!({ "elicitations": [{ "mode": "url" }] })]
    {
        let script = async {
            let call = far.expect("tools/call").await;
            far.fail(&call, -32042, data.clone()).await;
        };
        let error = soon(async { tokio::join!(async { call(&client).await }, script) }).await.0.unwrap_err();
        assert!(error.kind() == ErrorKind::Server && error.urls().is_empty(), "{data}");
    }
    assert!(seen.lock().unwrap().is_empty());
}
