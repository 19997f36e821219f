//! One deadline covers a whole call: all rounds, the backoff between them, and reconnects.

use std::time::Duration;

use ferromcp_client::{ClientBuilder, ClientLimits, ConnectionState, ErrorKind, child};
use ferromcp_server::{Resource, Server, Tool};
use ferromcp_transport::child::{Child, Stderr};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::script::{ScriptedServer, builder, modern, reconnecting_connector, soon, text};

fn state_only() -> Value {
    json!({ "resultType": "input_required", "requestState": "s" })
}

fn question() -> Value {
    json!({ "resultType": "input_required", "requestState": "s", "inputRequests": {
        "q": { "method": "elicitation/create", "params": {
            "mode": "form", "message": "?", "requestedSchema": { "type": "object", "properties": {} } } }
    } })
}

/// Answers every request with `answer`, until the client disconnects.
async fn always(peer: &mut ScriptedServer, answer: Value) {
    while let Some(request) = peer.try_recv().await {
        if request["method"] != "notifications/cancelled" {
            peer.answer(&request, answer.clone()).await;
        }
    }
}

/// Calls a tool of a server that answers every round with `answer`. Returns the error and the time it took.
async fn endless(builder: ClientBuilder, answer: Value, limit: Option<Duration>) -> (String, Duration) {
    let (client, mut peer) = modern(builder).await;
    let begin = Instant::now();
    let call = async {
        let call = client.call("t", ());
        let call = if let Some(limit) = limit { call.time_limit(limit) } else { call };
        call.await.unwrap_err()
    };
    let error = tokio::select! {
        error = call => error,
        () = always(&mut peer, answer) => unreachable!("the client disconnected"),
    };
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    (error.to_string(), begin.elapsed())
}

#[tokio::test(start_paused = true)]
async fn call_times_out_when_every_round_contains_only_state() {
    let six = Duration::from_secs(6);
    let (error, took) = endless(builder(), state_only(), Some(six)).await;
    assert!(took <= six + Duration::from_millis(10), "{took:?}");
    assert!(error.contains("`tools/call` exceeded its time limit of 6s") && error.contains("time_limit"), "{error}");
    // The limits of the client, and the timeout without progress.
    let (error, took) =
        endless(builder().limits(ClientLimits::new().request_time_limit(six)), state_only(), None).await;
    assert!(took <= six + Duration::from_millis(10) && error.contains("request_time_limit"), "{error} {took:?}");
    let (error, took) = endless(builder().limits(ClientLimits::new().request_timeout(six)), state_only(), None).await;
    assert!(took <= six + Duration::from_millis(10) && error.contains("request_timeout"), "{error} {took:?}");
}

#[tokio::test(start_paused = true)]
async fn time_limit_covers_answers_between_rounds() {
    let slow = builder().limits(ClientLimits::new().rounds(1000)).on_form(|_| async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        ferromcp_client::decline()
    });
    let (_, took) = endless(slow, question(), Some(Duration::from_secs(6))).await;
    assert!(took <= Duration::from_millis(6010), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn call_completes_when_answers_take_longer_than_timeout() {
    let slow = builder().limits(ClientLimits::new().request_timeout(Duration::from_secs(1))).on_form(|_| async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        ferromcp_client::decline()
    });
    let (client, mut peer) = modern(slow).await;
    let script = async {
        for answer in [question(), question(), text("done")] {
            let call = peer.expect("tools/call").await;
            peer.answer(&call, answer).await;
        }
    };
    let (result, ()) = tokio::join!(async { client.call("t", ()).await }, script);
    result.unwrap();
}

#[tokio::test(start_paused = true)]
async fn timeout_covers_reconnects_and_reconnect_continues() {
    let (target, mut peers) = reconnecting_connector();
    let script = async {
        let mut peer = peers.recv().await.unwrap();
        peer.negotiate_modern().await;
    };
    let (client, ()) = soon(async { tokio::join!(builder().connect(target), script) }).await;
    let client = client.unwrap();
    // The server restarts and is slow to answer. The call gives up, the reconnect does not.
    let begin = Instant::now();
    let error = client.call("t", ()).timeout(Duration::from_secs(2)).await.unwrap_err();
    assert!(error.is_timeout() && begin.elapsed() <= Duration::from_millis(2010), "{error} {:?}", begin.elapsed());
    assert_eq!(client.state(), ConnectionState::Connecting);
    let mut peer = soon(peers.recv()).await.unwrap();
    peer.negotiate_modern().await;
    let script = async {
        let call = peer.expect("tools/call").await;
        peer.answer(&call, text("done")).await;
    };
    soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await.0.unwrap();
    assert!(peers.try_recv().is_err(), "one reconnect");
}

/// Limits without any bound on time.
fn unlimited() -> ClientLimits {
    ClientLimits::new()
        .request_timeout(Duration::MAX)
        .request_time_limit(Duration::MAX)
        .connect_timeout(Duration::MAX)
        .probe_timeout(Duration::MAX)
        .shutdown_grace(Duration::MAX)
        .list_time_limit(Duration::MAX)
}

#[tokio::test]
async fn calls_succeed_when_every_limit_is_max() {
    let server = Server::new("s", "1")
        .with_tool(Tool::sync("t", || "ok"))
        .with_resource(Resource::sync("x:a", || "a").ttl_ms(u64::MAX));
    let client = soon(builder().limits(unlimited()).connect(server)).await.unwrap();
    let call = client.call("t", ()).timeout(Duration::MAX).time_limit(Duration::MAX);
    soon(call).await.unwrap();
    assert_eq!(soon(client.tools().time_limit(Duration::MAX).timeout(Duration::MAX)).await.unwrap().len(), 1);
    // 2^53 - 1 is the largest integer that every client can represent.
    let read = soon(client.read("x:a")).await.unwrap();
    assert_eq!(read.ttl_ms, Some((1 << 53) - 1));
    soon(client.close()).await;
}

#[tokio::test]
async fn accepts_any_ttl_of_server() {
    let (client, mut peer) = modern(builder()).await;
    for ttl in [json!(u64::MAX), json!(1e30), json!(-5), json!(2.5), json!("60"), json!([]), Value::Null] {
        let script = async {
            let read = peer.expect("resources/read").await;
            peer.answer(&read, json!({ "contents": [], "ttlMs": ttl, "cacheScope": "public" })).await;
        };
        let read = async { client.read("x:a").fresh().await };
        soon(async { tokio::join!(read, script) }).await.0.unwrap_or_else(|error| panic!("{ttl}: {error}"));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn child_is_closed_when_grace_periods_are_max() {
    let command = || crate::child_processes::shell(crate::child_processes::SCRIPT);
    let server = Child::new(command()).grace(Duration::MAX).term_grace(Duration::MAX).stderr(Stderr::discard());
    let client = soon(builder().connect(child(server))).await.unwrap();
    soon(client.close()).await;
    let client = soon(builder().limits(unlimited()).connect(command())).await.unwrap();
    soon(client.close()).await;
    assert_eq!(client.state(), ConnectionState::Closed);
}
