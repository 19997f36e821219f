//! JSON-RPC batches, which only 2025-03-26 supports.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferromcp_core::Revision;
use ferromcp_server::Tool;
use ferromcp_server::http::HttpServerOptions;
use serde_json::{Value, json};

use crate::client::{Session, initialize, legacy, legacy_message, modern_message, modern_post, post};
use crate::fixture::{CallControl, Host, server, wait_for};

fn notification() -> Value {
    json!({ "jsonrpc": "2.0", "method": "notifications/whatever" })
}

fn call(id: i64, tool: &str, arguments: Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": id } });
    legacy_message(id, "tools/call", params)
}

/// Returns the replies of a batch by id.
fn by_id(answers: &Value) -> BTreeMap<i64, Value> {
    let answers = answers.as_array().unwrap_or_else(|| panic!("not an array: {answers}"));
    let by_id: BTreeMap<i64, Value> =
        answers.iter().map(|answer| (answer["id"].as_i64().unwrap_or(-1), answer.clone())).collect();
    assert_eq!(by_id.len(), answers.len(), "{answers:?}");
    by_id
}

#[tokio::test]
async fn batch_is_answered_with_one_array() {
    // S-135, S-138, S-145
    let host = Host::new().await;
    let session = Session::open(host.address, Revision::V2025_03_26).await;
    let batch = json!([
        call(1, "add", json!({ "a": 1, "b": 2 })),
        notification(),
        legacy_message(2, "no/such", json!({})),
        call(3, "add", json!({ "a": 3, "b": 4 })),
        legacy_message(4, "ping", json!({})),
        { "jsonrpc": "2.0", "id": 5, "result": {} },
        legacy_message(6, "initialize", initialize(Revision::V2025_03_26)["params"].clone()),
        { "jsonrpc": "2.0", "id": 7 },
    ]);
    let mut response = session.post(&batch).send(host.address).await;
    let answers = by_id(&response.json().await);
    assert_eq!(response.status, 200);
    assert_eq!(answers.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 6, 7]);
    assert_eq!(answers[&1]["result"]["content"][0]["text"], "3");
    assert_eq!(answers[&2]["error"]["code"], -32601);
    assert_eq!(answers[&3]["result"]["content"][0]["text"], "7");
    assert_eq!(answers[&4]["result"], json!({}));
    assert_eq!(answers[&6]["error"]["code"], -32600);
    assert_eq!(answers[&7]["error"]["code"], -32600);
}

#[tokio::test]
async fn responds_202_when_a_batch_has_no_requests() {
    // S-135
    let host = Host::new().await;
    let session = Session::open(host.address, Revision::V2025_03_26).await;
    for batch in [
        json!([notification()]),
        json!([notification(), notification()]),
        json!([{ "jsonrpc": "2.0", "id": 1, "result": {} }, notification()]),
    ] {
        session.post(&batch).send(host.address).await.empty(202).await;
    }
    let mut response = session.post(&json!([])).send(host.address).await;
    assert_eq!(response.json().await["error"]["code"], -32600);
    assert_eq!(response.status, 400);
}

#[tokio::test]
async fn batch_becomes_a_stream_when_a_call_sends_progress() {
    // S-145, S-146, S-150
    let host = Host::new().await;
    let session = Session::open(host.address, Revision::V2025_03_26).await;
    let batch = json!([call(1, "steps", json!({ "count": 1 })), call(2, "add", json!({ "a": 1, "b": 2 }))]);
    host.control.go(1);
    let mut stream = session.post(&batch).send(host.address).await.events().await;
    let (id, progress) = stream.identified().await;
    assert!(id.is_some());
    assert_eq!(
        (&progress["method"], &progress["params"]["progressToken"]),
        (&json!("notifications/progress"), &json!(1))
    );
    host.control.go(1);
    let answers = by_id(&stream.message().await);
    assert_eq!(answers[&1]["result"]["content"][0]["text"], "1 steps");
    assert_eq!(answers[&2]["result"]["content"][0]["text"], "3");
    stream.ends().await;
}

#[tokio::test]
async fn cancelling_one_call_of_a_batch_leaves_the_others() {
    // S-145
    let host = Host::new().await;
    let session = Session::open(host.address, Revision::V2025_03_26).await;
    let cancel = |id: i64| {
        let session = session.clone();
        async move { session.notify("notifications/cancelled", json!({ "requestId": id })).await.empty(202).await }
    };
    let batch = json!([call(1, "wait", json!({})), call(2, "wait", json!({})), call(3, "wait", json!({}))]);
    let answers = tokio::spawn({
        let request = session.post(&batch);
        async move { request.send(host.address).await.json().await }
    });
    wait_for(&host.control.started, 1).await;
    cancel(2).await; // it has not started, and does not start
    // Its id is free again; the batch does not affect another call with this id.
    let again = tokio::spawn({
        let session = session.clone();
        async move { session.call(2, "steps", json!({ "count": 0 })).await.events().await.ends().await }
    });
    wait_for(&host.control.started, 2).await;
    host.control.go(1);
    wait_for(&host.control.started, 3).await;
    cancel(2).await;
    again.await.unwrap();
    host.control.go(1);
    assert_eq!(by_id(&answers.await.unwrap()).keys().copied().collect::<Vec<_>>(), [1, 3]);
    wait_for(&host.control.finished, 3).await;
    assert_eq!(host.control.started.load(std::sync::atomic::Ordering::SeqCst), 3);
    assert_eq!(host.control.answered.load(std::sync::atomic::Ordering::SeqCst), 2);

    // A running call is dropped, and the next one starts.
    let batch = json!([call(7, "wait", json!({})), call(8, "wait", json!({}))]);
    let answers = tokio::spawn({
        let request = session.post(&batch);
        async move { request.send(host.address).await.json().await }
    });
    wait_for(&host.control.started, 4).await;
    cancel(7).await;
    wait_for(&host.control.started, 5).await;
    wait_for(&host.control.finished, 4).await;
    host.control.go(1);
    assert_eq!(by_id(&answers.await.unwrap()).keys().copied().collect::<Vec<_>>(), [8]);

    // If all calls are cancelled, the stream ends without a reply.
    let batch = json!([call(5, "wait", json!({})), call(6, "wait", json!({})), notification()]);
    let cancelled = tokio::spawn({
        let request = session.post(&batch);
        async move { request.send(host.address).await.events().await.ends().await }
    });
    wait_for(&host.control.started, 6).await;
    cancel(5).await;
    cancel(6).await;
    cancelled.await.unwrap();

    // A batch can cancel its own calls.
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 9 } });
    let batch = json!([call(9, "wait", json!({})), cancel, legacy_message(10, "ping", json!({}))]);
    let answers = session.post(&batch).send(host.address).await.json().await;
    assert_eq!(by_id(&answers).keys().copied().collect::<Vec<_>>(), [10]);
}

#[tokio::test]
async fn rejects_an_id_in_use_within_and_across_batches() {
    let host = Host::new().await;
    let session = Session::open(host.address, Revision::V2025_03_26).await;
    let twice = json!([legacy_message(1, "ping", json!({})), legacy_message(1, "ping", json!({}))]);
    let answers = session.post(&twice).send(host.address).await.json().await;
    let failed = answers.as_array().unwrap().iter().filter(|answer| answer["error"]["code"] == -32600).count();
    assert_eq!((answers.as_array().unwrap().len(), failed), (2, 1), "{answers}");
    // An id in flight in another request.
    let waiting = tokio::spawn({
        let session = session.clone();
        async move { session.call(9, "wait", json!({})).await.json().await }
    });
    wait_for(&host.control.started, 1).await;
    let batch = json!([legacy_message(9, "ping", json!({})), legacy_message(10, "ping", json!({}))]);
    let answers = by_id(&session.post(&batch).send(host.address).await.json().await);
    assert_eq!((&answers[&9]["error"]["code"], &answers[&10]["result"]), (&json!(-32600), &json!({})));
    host.control.go(1);
    assert_eq!(waiting.await.unwrap()["result"]["content"][0]["text"], "waited");
}

#[tokio::test]
async fn rejects_batches_when_the_revision_does_not_support_them() {
    // S-112
    let host = Host::new().await;
    for revision in legacy().filter(|revision| *revision != Revision::V2025_03_26) {
        let session = Session::open(host.address, revision).await;
        for batch in [json!([call(1, "wait", json!({}))]), json!([notification()]), json!([])] {
            let mut response = session.post(&batch).send(host.address).await;
            assert_eq!(response.json().await["error"]["code"], -32600);
            assert_eq!(response.status, 400);
        }
    }
    // `initialize` must not be part of a batch, so a batch requires a session.
    let mut response = post(json!([initialize(Revision::V2025_03_26)]).to_string()).send(host.address).await;
    assert_eq!((response.status, &response.json().await["error"]["code"]), (400, &json!(-32600)));
    // Modern requests must not be part of a batch either.
    let modern = modern_message(1, "tools/list", json!({}));
    let mut response = modern_post(&modern).body(json!([modern]).to_string()).send(host.address).await;
    assert_eq!(response.json().await["error"]["code"], -32600);
    assert_eq!(response.status, 400);
    assert_eq!(host.control.started.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn other_calls_are_answered_when_the_destructor_of_a_cancelled_call_panics() {
    // S-145
    struct PanicOnDrop(Arc<AtomicUsize>);
    impl Drop for PanicOnDrop {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
            panic!("in a destructor");
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let control = CallControl::default();
    let (counter, started) = (Arc::clone(&dropped), Arc::clone(&control.started));
    let explosive = Tool::new("explosive", move || {
        let guard = PanicOnDrop(Arc::clone(&counter));
        started.fetch_add(1, Ordering::SeqCst);
        async move {
            let _guard = guard;
            std::future::pending::<&str>().await
        }
    });
    let server = server(&control).with_tool(explosive);
    let host = Host::of(server, control, HttpServerOptions::new()).await;
    let session = Session::open(host.address, Revision::V2025_03_26).await;
    let add = |id: i64| call(id, "add", json!({ "a": id, "b": 1 }));
    let batch = json!([add(1), call(2, "explosive", json!({})), add(3), call(4, "explosive", json!({})), add(5)]);
    let answers = tokio::spawn({
        let request = session.post(&batch);
        async move { request.send(host.address).await.json().await }
    });
    for (started, id) in [(1, 2), (2, 4)] {
        wait_for(&host.control.started, started).await;
        session.notify("notifications/cancelled", json!({ "requestId": id })).await.empty(202).await;
    }
    let answers = by_id(&answers.await.unwrap());
    assert_eq!(answers.keys().copied().collect::<Vec<_>>(), [1, 3, 5]);
    for (id, answer) in &answers {
        assert_eq!(answer["result"]["content"][0]["text"], (id + 1).to_string(), "{answer}");
    }
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
    assert_eq!(session.send(6, "ping", json!({})).await.status, 200);
}
