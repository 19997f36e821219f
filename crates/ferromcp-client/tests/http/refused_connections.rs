//! Lists and subscriptions while the server is down for a moment, and refuses connections.

use std::net::SocketAddr;
use std::time::Duration;

use ferromcp_client::{Change, ChangeFilter, Client, ClientLimits, ErrorKind, Subscription};
use ferromcp_core::{Era, Revision};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::script::{
    Respond, accept_notification, builder, discovered, initialized, json_error, json_result, methods, respond_with,
    with_session_id, with_timeout,
};
use crate::wire::{Peer, ReceivedRequest, STREAM, Wire, chunk, run_both};

const ERAS: [Era; 2] = [Era::Modern, Era::Legacy];

/// How long the server is down: longer than the first two delays of the backoff.
const DOWN: Duration = Duration::from_millis(500);

/// Connects a client of an era; the server has no GET stream.
async fn connect(wire: &Wire, era: Era) -> Client {
    connect_with(wire, era, ClientLimits::new()).await
}

async fn connect_with(wire: &Wire, era: Era, limits: ClientLimits) -> Client {
    let script: Vec<Respond> = match era {
        Era::Modern => vec![json_result(discovered(&[Revision::LATEST.as_str()]))],
        Era::Legacy => {
            let mut session = initialized(Revision::LATEST_LEGACY);
            session["capabilities"]["resources"] = json!({ "subscribe": true });
            let session = with_session_id("s-1", json_result(session));
            vec![session, accept_notification(), respond_with(405, "text/plain", "")]
        }
    };
    wire.connect(builder().limits(limits).only_era(era), &script).await.0.expect("a client")
}

/// Listens again after a while, and sends these responses.
async fn restart(address: SocketAddr, script: &[Respond]) -> (Wire, Vec<ReceivedRequest>) {
    sleep(DOWN).await;
    let wire = Wire::at(address).await;
    let asked = wire.play(script).await;
    (wire, asked)
}

/// A page of a list with one item.
fn page(list: &str, mut item: Value, next: Option<&str>) -> Respond {
    item["name"] = "n".into();
    let mut page = json!({ "resultType": "complete", list: [item], "ttlMs": 0, "cacheScope": "private" });
    if let Some(next) = next {
        page["nextCursor"] = next.into();
    }
    json_result(page)
}

#[tokio::test]
async fn list_is_retried_with_backoff_when_connection_is_refused() {
    // C14
    for era in ERAS {
        let wire = Wire::new().await;
        let client = connect(&wire, era).await;
        let address = wire.address();
        let tool = || json!({ "inputSchema": { "type": "object" } });
        let mut tools = client.tools();
        drop(wire);
        let (item, (wire, asked)) = run_both(tools.next(), restart(address, &[page("tools", tool(), Some("2"))])).await;
        assert_eq!(item.expect("an item").expect("no error").name, "n");
        assert_eq!((methods(&asked), asked[0].json()["params"].get("cursor")), (vec!["tools/list".to_owned()], None));
        // The server is down between two pages.
        drop(wire);
        let (item, (wire, asked)) = run_both(tools.next(), restart(address, &[page("tools", tool(), None)])).await;
        assert_eq!(item.expect("an item").expect("no error").name, "n");
        assert_eq!(asked[0].json()["params"]["cursor"], "2");
        assert!(with_timeout(tools.next()).await.is_none());
        // Whole lists of other items.
        drop(wire);
        let script = [page("resources", json!({ "uri": "x:a" }), None)];
        let (resources, (wire, _)) = run_both(async { client.resources().await }, restart(address, &script)).await;
        assert_eq!(resources.expect("a list")[0].uri, "x:a");
        drop(wire);
        let script = [page("resourceTemplates", json!({ "uriTemplate": "x:{a}" }), None)];
        let (templates, (wire, asked)) =
            run_both(async { client.resource_templates().await }, restart(address, &script)).await;
        assert_eq!(templates.expect("a list")[0].uri_template, "x:{a}");
        let session = (era == Era::Legacy).then_some("s-1");
        assert_eq!(asked[0].header("mcp-session-id"), session, "the session continues");
        assert!(wire.has_no_connection().await, "each page is requested once");
    }
}

#[tokio::test]
async fn list_fails_when_server_stays_down() {
    // C14
    for era in ERAS {
        let wire = Wire::new().await;
        let client = connect(&wire, era).await;
        drop(wire);
        let list = client.tools().time_limit(Duration::from_millis(300));
        let error = with_timeout(list).await.expect_err("refused");
        assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::Timeout), "{error}");
        assert!(!error.to_string().contains("may have run"), "{error}");
    }
}

/// Acknowledges the next `subscriptions/listen`, and returns its stream.
async fn acknowledge(wire: &Wire) -> (Value, Peer) {
    let (asked, mut peer) = wire.asked().await;
    assert_eq!(asked.method_name(), "subscriptions/listen");
    let (id, filter) = (asked.json()["id"].clone(), asked.json()["params"]["notifications"].clone());
    peer.say(STREAM).await;
    peer.say(notification("subscriptions/acknowledged", &id, json!({ "notifications": filter }))).await;
    (id, peer)
}

fn notification(method: &str, id: &Value, mut params: Value) -> Vec<u8> {
    params["_meta"] = json!({ "io.modelcontextprotocol/subscriptionId": id });
    let message = json!({ "jsonrpc": "2.0", "method": format!("notifications/{method}"), "params": params });
    chunk(format!("data: {message}\n\n"))
}

/// Returns the changes up to a change of `x:a`.
async fn changes_until_update(changes: &mut Subscription) -> Vec<Change> {
    let mut all = Vec::new();
    while all.last() != Some(&Change::Resource("x:a".into())) {
        all.push(with_timeout(changes.next()).await.expect("no end").expect("no error"));
    }
    all
}

#[tokio::test]
async fn subscription_is_retried_with_backoff_when_connection_is_refused() {
    // C14
    let wire = Wire::new().await;
    let client = connect(&wire, Era::Modern).await;
    let address = wire.address();
    drop(wire);
    let server = async {
        sleep(DOWN).await;
        let wire = Wire::at(address).await;
        let (id, peer) = acknowledge(&wire).await;
        (wire, id, peer)
    };
    let (changes, (wire, id, mut peer)) = run_both(client.subscribe(ChangeFilter::new().resource("x:a")), server).await;
    let mut changes = changes.expect("a subscription");
    let update = || json!({ "uri": "x:a" });
    peer.say(notification("resources/updated", &id, update())).await;
    assert_eq!(changes_until_update(&mut changes).await.last(), Some(&Change::Resource("x:a".into())));
    // The server goes down while the subscription is open.
    drop((wire, peer));
    sleep(DOWN).await;
    let wire = Wire::at(address).await;
    let (id, mut peer) = with_timeout(acknowledge(&wire)).await;
    peer.say(notification("resources/updated", &id, update())).await;
    let gap_and_update = [Change::Gap, Change::Resource("x:a".into())];
    assert_eq!(changes_until_update(&mut changes).await, gap_and_update);
}

#[tokio::test]
async fn legacy_subscription_is_retried_with_backoff_when_connection_is_refused() {
    // C14
    let wire = Wire::new().await;
    let client = connect(&wire, Era::Legacy).await;
    let address = wire.address();
    drop(wire);
    let (changes, (wire, asked)) =
        run_both(client.subscribe(ChangeFilter::new().resource("x:a")), restart(address, &[json_result(json!({}))]))
            .await;
    let changes = changes.expect("a subscription");
    assert_eq!(
        (methods(&asked), asked[0].header("mcp-session-id")),
        (vec!["resources/subscribe".to_owned()], Some("s-1"))
    );
    assert_eq!(asked[0].json()["params"], json!({ "uri": "x:a" }));
    // An error of the server is not retried.
    let script = [json_error(200, -32002, Value::Null)];
    let other = client.subscribe(ChangeFilter::new().resource("x:b"));
    let error = run_both(other, wire.play(&script)).await.0.expect_err("rejected");
    assert_eq!(error.kind(), ErrorKind::Server, "{error}");
    drop(changes);
}

#[tokio::test]
async fn subscribe_fails_when_server_stays_down() {
    // C14
    for era in ERAS {
        let wire = Wire::new().await;
        let client = connect_with(&wire, era, ClientLimits::new().restart_attempts(2)).await;
        drop(wire);
        let error = with_timeout(client.subscribe(ChangeFilter::new().resource("x:a"))).await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert!(error.to_string().starts_with("cannot reach `"), "the cause is first: {error}");
    }
}
