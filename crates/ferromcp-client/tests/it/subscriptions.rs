//! Subscriptions on all revisions, and across reconnects.

use std::time::Duration;

use ferromcp_client::{Change, ChangeFilter, Client, ClientLimits, ErrorKind, Subscription};
use serde_json::{Value, json};

use crate::script::{ScriptedServer, builder, legacy, modern, reconnecting_connector, soon};

const ID: &str = "io.modelcontextprotocol/subscriptionId";

fn short_limits() -> ClientLimits {
    ClientLimits::new().request_timeout(Duration::from_millis(500))
}

fn filter() -> ChangeFilter {
    ChangeFilter::new().tools().resource("x:a")
}

/// Acknowledges the next `subscriptions/listen`.
async fn acknowledge_listen(peer: &mut ScriptedServer) -> Value {
    let listen = peer.expect("subscriptions/listen").await;
    let acknowledged = listen["params"]["notifications"].clone();
    notify(peer, &listen, "subscriptions/acknowledged", json!({ "notifications": acknowledged })).await;
    listen
}

async fn notify(peer: &mut ScriptedServer, listen: &Value, method: &str, mut params: Value) {
    params["_meta"] = json!({ ID: listen["id"] });
    peer.notify(&format!("notifications/{method}"), params).await;
}

async fn subscribed(client: &Client, peer: &mut ScriptedServer) -> (Subscription, Value) {
    let (subscription, listen) =
        soon(async { tokio::join!(client.subscribe(filter()), acknowledge_listen(peer)) }).await;
    (subscription.unwrap(), listen)
}

async fn next(subscription: &mut Subscription) -> Change {
    soon(subscription.next()).await.expect("it goes on").unwrap()
}

#[tokio::test]
async fn dispatches_modern_changes_by_subscription_id() {
    // M26-053, M26-129
    let (client, mut peer) = modern(builder()).await;
    let (mut one, first) = subscribed(&client, &mut peer).await;
    assert_eq!(first["params"]["notifications"], json!({ "toolsListChanged": true, "resourceSubscriptions": ["x:a"] }));
    assert!(first["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].is_string());
    let (mut other, second) = subscribed(&client, &mut peer).await;
    assert_ne!(first["id"], second["id"]);
    assert_eq!(one.acknowledged_filter().tools_list_changed, Some(true));

    notify(&mut peer, &second, "tools/list_changed", json!({})).await;
    notify(&mut peer, &first, "resources/updated", json!({ "uri": "x:a/part" })).await;
    notify(&mut peer, &first, "prompts/list_changed", json!({})).await; // not in the filter
    notify(&mut peer, &json!({ "id": "nobody" }), "tools/list_changed", json!({})).await;
    notify(&mut peer, &first, "tools/list_changed", json!({})).await;
    assert_eq!(next(&mut other).await, Change::Tools);
    assert_eq!(next(&mut one).await, Change::Resource("x:a/part".into()));
    assert_eq!(next(&mut one).await, Change::Tools);

    // Dropping a subscription cancels it at the server, and no other.
    drop(one);
    assert_eq!(peer.expect("notifications/cancelled").await["params"]["requestId"], first["id"]);
    // The server ends the other, by its result or a cancellation.
    peer.answer(&second, json!({ "resultType": "complete", "_meta": { ID: second["id"] } })).await;
    assert!(soon(other.next()).await.is_none());
    let (mut third, listen) = subscribed(&client, &mut peer).await;
    peer.notify("notifications/cancelled", json!({ "requestId": listen["id"] })).await;
    assert!(soon(third.next()).await.is_none());
}

#[tokio::test]
async fn subscribe_fails_when_rejected_or_not_acknowledged() {
    let (client, mut peer) = modern(builder().limits(short_limits())).await;
    let script = async {
        let listen = peer.expect("subscriptions/listen").await;
        peer.fail(&listen, -32601, Value::Null).await;
    };
    let error = soon(async { tokio::join!(client.subscribe(filter()), script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    let error = soon(client.subscribe(filter())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    peer.expect("subscriptions/listen").await;
    peer.expect("notifications/cancelled").await;
}

#[tokio::test]
async fn modern_subscription_yields_gap_when_reconnected() {
    // M26-137
    let (target, mut peers) = reconnecting_connector();
    let script = async {
        let mut peer = peers.recv().await.unwrap();
        peer.negotiate_modern().await;
        peer
    };
    let (client, mut peer) =
        soon(async { tokio::join!(builder().limits(short_limits()).connect(target), script) }).await;
    let client = client.unwrap();
    let (mut subscription, first) = subscribed(&client, &mut peer).await;
    drop(peer);
    // The reconnect does not require a call.
    let mut peer = soon(peers.recv()).await.unwrap();
    peer.negotiate_modern().await;
    let listen = acknowledge_listen(&mut peer).await;
    assert_ne!(first["id"], listen["id"]);
    assert_eq!(first["params"]["notifications"], listen["params"]["notifications"]);
    notify(&mut peer, &listen, "tools/list_changed", json!({})).await;
    assert_eq!(next(&mut subscription).await, Change::Gap);
    assert_eq!(next(&mut subscription).await, Change::Tools);
}

#[tokio::test]
async fn legacy_session_subscribes_once_per_resource() {
    // S-274
    let (client, mut peer) = legacy(builder().limits(short_limits())).await;
    let script = async {
        let subscribe = peer.expect("resources/subscribe").await;
        assert_eq!(subscribe["params"], json!({ "uri": "x:a" }));
        peer.answer(&subscribe, json!({})).await;
    };
    let mut one = soon(async { tokio::join!(client.subscribe(filter()), script) }).await.0.unwrap();
    assert_eq!(one.acknowledged_filter().tools_list_changed, Some(true));
    let mut other = soon(client.subscribe(filter().prompts())).await.unwrap();
    assert_eq!(other.acknowledged_filter().prompts_list_changed, None, "the server did not declare it");
    peer.notify("notifications/tools/list_changed", json!({})).await;
    peer.notify("notifications/prompts/list_changed", json!({})).await;
    peer.notify("notifications/resources/updated", json!({ "uri": "x:a" })).await;
    peer.notify("notifications/resources/updated", json!({ "uri": "x:b" })).await;
    for expected in [Change::Tools, Change::Resource("x:a".into())] {
        assert_eq!(next(&mut one).await, expected);
    }
    for expected in [Change::Tools, Change::Prompts, Change::Resource("x:a".into())] {
        assert_eq!(next(&mut other).await, expected);
    }
    drop(one);
    peer.ask(json!(1), "ping", Value::Null).await;
    assert_eq!(peer.recv().await["id"], 1, "a subscriber remains");
    drop(other);
    let unsubscribe = peer.expect("resources/unsubscribe").await;
    assert_eq!(unsubscribe["params"], json!({ "uri": "x:a" }));
}

#[tokio::test]
async fn legacy_subscription_yields_gap_when_session_is_reopened() {
    let (target, mut peers) = reconnecting_connector();
    let script = async {
        let mut peer = peers.recv().await.unwrap();
        peer.negotiate_legacy().await;
        peer
    };
    let (client, mut peer) =
        soon(async { tokio::join!(builder().limits(short_limits()).connect(target), script) }).await;
    let client = client.unwrap();
    let script = async {
        let subscribe = peer.expect("resources/subscribe").await;
        peer.answer(&subscribe, json!({})).await;
    };
    let mut subscription = soon(async { tokio::join!(client.subscribe(filter()), script) }).await.0.unwrap();
    drop(peer);
    let mut peer = soon(peers.recv()).await.unwrap();
    peer.open_session().await; // the revision is known
    let subscribe = peer.expect("resources/subscribe").await;
    peer.answer(&subscribe, json!({})).await;
    peer.notify("notifications/resources/updated", json!({ "uri": "x:a" })).await;
    assert_eq!(next(&mut subscription).await, Change::Gap);
    assert_eq!(next(&mut subscription).await, Change::Resource("x:a".into()));
}

#[tokio::test]
async fn subscribe_fails_when_limit_is_exceeded() {
    let (client, mut peer) = modern(builder()).await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(subscribed(&client, &mut peer).await.0);
    }
    let error = soon(client.subscribe(filter())).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Limit && error.to_string().contains("64 subscriptions are open"), "{error}");
    drop(open.pop());
    peer.expect("notifications/cancelled").await;
    let _other = subscribed(&client, &mut peer).await;
}
