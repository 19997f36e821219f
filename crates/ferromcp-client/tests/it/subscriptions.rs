//! Changes as a stream: in both eras, across lost connections, once each.

use std::time::Duration;

use ferromcp_client::{Change, Client, ClientLimits, ErrorKind, Interest, Subscription};
use serde_json::{Value, json};

use crate::script::{Far, builder, dialer, legacy, modern, soon};

const ID: &str = "io.modelcontextprotocol/subscriptionId";

fn quick() -> ClientLimits {
    let mut limits = ClientLimits::default();
    limits.restart_backoff = Duration::from_millis(1);
    limits.request_timeout = Duration::from_millis(500);
    limits
}

fn interest() -> Interest {
    Interest::new().tools().resource("x:a")
}

/// Acknowledges the `subscriptions/listen` that comes next.
async fn listened(far: &mut Far) -> Value {
    let listen = far.expect("subscriptions/listen").await;
    let honoured = listen["params"]["notifications"].clone();
    tell(far, &listen, "subscriptions/acknowledged", json!({ "notifications": honoured })).await;
    listen
}

async fn tell(far: &mut Far, listen: &Value, what: &str, mut params: Value) {
    params["_meta"] = json!({ ID: listen["id"] });
    far.notify(&format!("notifications/{what}"), params).await;
}

async fn subscribed(client: &Client, far: &mut Far) -> (Subscription, Value) {
    let (subscription, listen) = soon(async { tokio::join!(client.subscribe(interest()), listened(far)) }).await;
    (subscription.unwrap(), listen)
}

async fn next(subscription: &mut Subscription) -> Change {
    soon(subscription.next()).await.expect("it goes on").unwrap()
}

#[tokio::test]
async fn modern_changes_come_to_the_subscription_they_name() {
    // M26-053, M26-129
    let (client, mut far) = modern(builder()).await;
    let (mut one, first) = subscribed(&client, &mut far).await;
    assert_eq!(first["params"]["notifications"], json!({ "toolsListChanged": true, "resourceSubscriptions": ["x:a"] }));
    assert!(first["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].is_string());
    let (mut other, second) = subscribed(&client, &mut far).await;
    assert_ne!(first["id"], second["id"]);
    assert_eq!(one.honoured().tools_list_changed, Some(true));

    tell(&mut far, &second, "tools/list_changed", json!({})).await;
    tell(&mut far, &first, "resources/updated", json!({ "uri": "x:a/part" })).await;
    tell(&mut far, &first, "prompts/list_changed", json!({})).await; // nobody asked
    tell(&mut far, &json!({ "id": "nobody" }), "tools/list_changed", json!({})).await;
    tell(&mut far, &first, "tools/list_changed", json!({})).await;
    assert_eq!(next(&mut other).await, Change::Tools);
    assert_eq!(next(&mut one).await, Change::Resource("x:a/part".into()));
    assert_eq!(next(&mut one).await, Change::Tools);

    // Dropping one ends it at the server, and only it.
    drop(one);
    assert_eq!(far.expect("notifications/cancelled").await["params"]["requestId"], first["id"]);
    // The server ends the other, by its result or by a cancellation.
    far.answer(&second, json!({ "resultType": "complete", "_meta": { ID: second["id"] } })).await;
    assert!(soon(other.next()).await.is_none());
    let (mut third, listen) = subscribed(&client, &mut far).await;
    far.notify("notifications/cancelled", json!({ "requestId": listen["id"] })).await;
    assert!(soon(third.next()).await.is_none());
}

#[tokio::test]
async fn a_wish_that_is_refused_or_ignored_is_an_error() {
    let (client, mut far) = modern(builder().limits(quick())).await;
    let script = async {
        let listen = far.expect("subscriptions/listen").await;
        far.fail(&listen, -32601, Value::Null).await;
    };
    let error = soon(async { tokio::join!(client.subscribe(interest()), script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    let error = soon(client.subscribe(interest())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    far.expect("subscriptions/listen").await;
    far.expect("notifications/cancelled").await;
}

#[tokio::test]
async fn a_modern_subscription_outlives_its_connection_with_a_gap() {
    // M26-137
    let (target, mut fars) = dialer();
    let script = async {
        let mut far = fars.recv().await.unwrap();
        far.be_modern().await;
        far
    };
    let (client, mut far) = soon(async { tokio::join!(builder().limits(quick()).connect(target), script) }).await;
    let client = client.unwrap();
    let (mut subscription, first) = subscribed(&client, &mut far).await;
    drop(far);
    // No call is needed to notice.
    let mut far = soon(fars.recv()).await.unwrap();
    far.be_modern().await;
    let listen = listened(&mut far).await;
    assert_ne!(first["id"], listen["id"]);
    assert_eq!(first["params"]["notifications"], listen["params"]["notifications"]);
    tell(&mut far, &listen, "tools/list_changed", json!({})).await;
    assert_eq!(next(&mut subscription).await, Change::Gap);
    assert_eq!(next(&mut subscription).await, Change::Tools);
}

#[tokio::test]
async fn a_legacy_session_is_subscribed_once_however_many_listen() {
    // S-274
    let (client, mut far) = legacy(builder().limits(quick())).await;
    let script = async {
        let subscribe = far.expect("resources/subscribe").await;
        assert_eq!(subscribe["params"], json!({ "uri": "x:a" }));
        far.answer(&subscribe, json!({})).await;
    };
    let mut one = soon(async { tokio::join!(client.subscribe(interest()), script) }).await.0.unwrap();
    assert_eq!(one.honoured().tools_list_changed, Some(true));
    let mut other = soon(client.subscribe(interest().prompts())).await.unwrap();
    assert_eq!(other.honoured().prompts_list_changed, None, "the server did not say that it tells");
    far.notify("notifications/tools/list_changed", json!({})).await;
    far.notify("notifications/prompts/list_changed", json!({})).await;
    far.notify("notifications/resources/updated", json!({ "uri": "x:a" })).await;
    far.notify("notifications/resources/updated", json!({ "uri": "x:b" })).await;
    for wanted in [Change::Tools, Change::Resource("x:a".into())] {
        assert_eq!(next(&mut one).await, wanted);
    }
    for wanted in [Change::Tools, Change::Prompts, Change::Resource("x:a".into())] {
        assert_eq!(next(&mut other).await, wanted);
    }
    drop(one);
    far.ask(json!(1), "ping", Value::Null).await;
    assert_eq!(far.recv().await["id"], 1, "somebody still listens");
    drop(other);
    let unsubscribe = far.expect("resources/unsubscribe").await;
    assert_eq!(unsubscribe["params"], json!({ "uri": "x:a" }));
}

#[tokio::test]
async fn a_legacy_subscription_outlives_its_session_with_a_gap() {
    let (target, mut fars) = dialer();
    let script = async {
        let mut far = fars.recv().await.unwrap();
        far.be_legacy().await;
        far
    };
    let (client, mut far) = soon(async { tokio::join!(builder().limits(quick()).connect(target), script) }).await;
    let client = client.unwrap();
    let script = async {
        let subscribe = far.expect("resources/subscribe").await;
        far.answer(&subscribe, json!({})).await;
    };
    let mut subscription = soon(async { tokio::join!(client.subscribe(interest()), script) }).await.0.unwrap();
    drop(far);
    let mut far = soon(fars.recv()).await.unwrap();
    far.open_session().await; // what it speaks is known by now
    let subscribe = far.expect("resources/subscribe").await;
    far.answer(&subscribe, json!({})).await;
    far.notify("notifications/resources/updated", json!({ "uri": "x:a" })).await;
    assert_eq!(next(&mut subscription).await, Change::Gap);
    assert_eq!(next(&mut subscription).await, Change::Resource("x:a".into()));
}

#[tokio::test]
async fn there_is_an_end_to_subscriptions() {
    let mut limits = quick();
    limits.subscriptions = 1;
    let (client, mut far) = modern(builder().limits(limits)).await;
    let (one, _) = subscribed(&client, &mut far).await;
    assert_eq!(soon(client.subscribe(interest())).await.unwrap_err().kind(), ErrorKind::Limit);
    drop(one);
    far.expect("notifications/cancelled").await;
    let _other = subscribed(&client, &mut far).await;
}
