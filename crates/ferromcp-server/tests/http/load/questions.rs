//! Questions whose clients disconnect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_server::http::{HttpServerLimits, HttpServerOptions};
use ferromcp_server::{Ctx, Server, ServerLimits, Tool, ToolError};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::revision;
use crate::client::{Session, modern_call};
use crate::fixture::{CallControl, Host, wait_for};

/// Counts the calls of `confirm` that started and ended.
#[derive(Clone, Default)]
struct Calls {
    started: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
}

struct End(Arc<AtomicUsize>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

async fn host(limits: HttpServerLimits, questions: usize, stateless: bool) -> (Host, Calls) {
    let calls = Calls::default();
    let counted = calls.clone();
    let confirm = Tool::new("confirm", move |ctx: Ctx| {
        let calls = counted.clone();
        async move {
            calls.started.fetch_add(1, Ordering::SeqCst);
            let _end = End(Arc::clone(&calls.ended));
            Ok::<_, ToolError>(ctx.elicit::<bool>("Sure?").await?)
        }
    });
    let server = Server::new("questions", "1")
        .limits(ServerLimits::new().questions(questions))
        .with_tool(Tool::sync("add", |a: i64, b: i64| a + b).args(["a", "b"]))
        .with_tool(confirm.args(["ctx"]));
    let options = HttpServerOptions::new().limits(limits).stateless(stateless);
    (Host::of(server, CallControl::default(), options).await, calls)
}

async fn assert_responsive(host: &Host) {
    let mut response = modern_call("add", json!({ "a": 1, "b": 2 })).send(host.address).await;
    assert_eq!(response.json().await["result"]["content"][0]["text"], "3");
}

/// Calls `confirm` and reads the question.
async fn ask(session: &Session, id: i64) -> (crate::events::Events, Value) {
    let mut events = session.call(id, "confirm", json!({})).await.events().await;
    events.primed().await;
    let question = events.message().await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    (events, question)
}

#[tokio::test]
async fn questions_of_a_client_that_hung_up_end_together() {
    const CALLS: usize = 12;
    let limits = HttpServerLimits::new().stall_timeout(Duration::from_millis(600));
    let (host, calls) = host(limits, 64, false).await;
    let session = Session::open_with(host.address, revision(), json!({ "elicitation": {} })).await;
    for id in 1..=CALLS {
        drop(ask(&session, i64::try_from(id).unwrap()).await);
        sleep(Duration::from_millis(50)).await;
    }
    // The end of one question does not count as a connection, so that the calls do not wait for each other.
    let started = tokio::time::Instant::now();
    wait_for(&calls.ended, CALLS).await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test]
async fn questions_end_and_use_no_permits_when_their_clients_hang_up() {
    let limits = HttpServerLimits::new().in_flight(8).stall_timeout(Duration::from_millis(400));
    let (host, calls) = host(limits, 64, false).await;
    let mut sessions = Vec::new();
    for _ in 0..4 {
        let session = Session::open_with(host.address, revision(), json!({ "elicitation": {} })).await;
        for id in 1..=2 {
            drop(ask(&session, id).await);
        }
        sessions.push(session);
    }
    wait_for(&calls.started, 8).await;
    assert_responsive(&host).await; // all permits would be in use
    assert_eq!(calls.ended.load(Ordering::SeqCst), 0);
    wait_for(&calls.ended, 8).await;
    // The results are stored, and the sessions continue.
    assert_eq!(sessions[0].send(9, "ping", json!({})).await.status, 200);
}

#[tokio::test]
async fn question_waits_when_its_client_is_connected_or_returns() {
    let limits = HttpServerLimits::new().stall_timeout(Duration::from_millis(300));
    let (host, calls) = host(limits, 64, false).await;
    let connected = Session::open_with(host.address, revision(), json!({ "elicitation": {} })).await;
    let (mut events, question) = ask(&connected, 1).await;
    // A client that listens on another stream of the session is not gone.
    let listening = Session::open_with(host.address, revision(), json!({ "elicitation": {} })).await;
    let _stream = listening.get().send(host.address).await;
    let (dropped, late) = ask(&listening, 1).await;
    drop(dropped);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(calls.ended.load(Ordering::SeqCst), 0);
    let yes = json!({ "action": "accept", "content": { "value": true } });
    connected.reply(&question, yes.clone()).await;
    assert_eq!(events.message().await["result"]["content"][0]["text"], "true");
    listening.reply(&late, yes).await;
    wait_for(&calls.ended, 2).await;
}

#[tokio::test]
async fn question_ends_when_the_client_of_a_stateless_server_hangs_up() {
    let limits = HttpServerLimits::new().in_flight(2).stall_timeout(Duration::from_millis(300));
    let (host, calls) = host(limits, 64, true).await;
    let session = Session::open_with(host.address, revision(), json!({ "elicitation": {} })).await;
    for id in 1..=2 {
        let mut events = session.call(id, "confirm", json!({})).await.events().await;
        assert_eq!(events.message().await["method"], "elicitation/create");
    }
    assert_responsive(&host).await;
    wait_for(&calls.ended, 2).await;
}

#[tokio::test]
async fn pending_questions_of_a_session_are_limited() {
    let (host, calls) = host(HttpServerLimits::new(), 3, false).await;
    let session = Session::open_with(host.address, revision(), json!({ "elicitation": {} })).await;
    let mut pending = Vec::new();
    for id in 1..=3 {
        pending.push(ask(&session, id).await);
    }
    let mut response = session.call(4, "confirm", json!({})).await;
    let answer = response.json().await;
    assert!(answer.to_string().contains("ServerLimits::questions"), "{answer}");
    // Another session is not affected, and an answer frees a place.
    let other = Session::open_with(host.address, revision(), json!({ "elicitation": {} })).await;
    let _other = ask(&other, 1).await;
    let (mut events, question) = pending.swap_remove(0);
    session.reply(&question, json!({ "action": "accept", "content": { "value": true } })).await;
    assert_eq!(events.message().await["result"]["content"][0]["text"], "true");
    pending.push(ask(&session, 5).await);
    assert_eq!(calls.started.load(Ordering::SeqCst), 6);
}
