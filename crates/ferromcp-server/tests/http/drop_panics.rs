//! Calls over HTTP whose future panics when it is dropped: after a result, because the client disconnects, or because the
//! server shuts down. The call fails with an internal error, and others are not affected.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::http::{HttpServerLimits, HttpServerOptions};
use ferromcp_server::{Server, Tool};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Session, initialize, legacy_message, modern_call, post};
use crate::fixture::{CallControl, Host, wait_for};
use crate::message::Response;
use crate::mounted::Mounted;
use crate::panic_on_drop::PanicOnDrop;

/// A server with tools that return a result at once or later, or never, and then panic in a destructor.
fn server(control: &CallControl) -> Server {
    let mut server = Server::new("drop", "0").with_tool(Tool::sync("hi", || "hi"));
    for (name, polls) in [("at_once", 0), ("later", 3), ("never", usize::MAX)] {
        let control = control.clone();
        server = server.with_tool(Tool::new(name, move || {
            control.started.fetch_add(1, Ordering::SeqCst);
            PanicOnDrop { polls, dropped: Arc::clone(&control.finished) }
        }));
    }
    server
}

async fn host() -> Host {
    let control = CallControl::default();
    Host::of(server(&control), control, HttpServerOptions::new()).await
}

fn call(id: i64, tool: &str) -> Value {
    legacy_message(id, "tools/call", json!({ "name": tool, "arguments": {} }))
}

/// Returns the texts of the results of a batch, or the codes of its errors.
fn outcomes(batch: &Value) -> Vec<Value> {
    let answers = batch.as_array().unwrap_or_else(|| panic!("not a batch: {batch}"));
    let outcome = |answer: &Value| match answer.get("error") {
        Some(error) => error["code"].clone(),
        None => answer["result"]["content"][0]["text"].clone(),
    };
    answers.iter().map(outcome).collect()
}

#[tokio::test]
async fn other_calls_of_batch_are_answered_when_the_destructor_of_a_finished_call_panics() {
    // S-145
    let host = host().await;
    let session = Session::open(host.address, Revision::V2025_03_26).await;
    let batch = json!([call(1, "at_once"), call(2, "hi"), call(3, "later"), call(4, "hi"), call(5, "at_once")]);
    let answers = session.post(&batch).send(host.address).await.json().await;
    let error = || json!(-32603);
    assert_eq!(outcomes(&answers), [error(), json!("hi"), error(), json!("hi"), error()]);
    assert_eq!(host.control.finished.load(Ordering::SeqCst), 3);
    assert_eq!(session.send(6, "ping", json!({})).await.status, 200);
}

#[tokio::test]
async fn connection_continues_when_the_destructor_of_a_finished_call_panics() {
    let host = host().await;
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    let mut buffer = bytes::BytesMut::new();
    for tool in ["at_once", "later", "hi", "at_once"] {
        stream.write_all(&modern_call(tool, json!({})).bytes(host.address)).await.unwrap();
        let mut response = Response::read(stream, buffer).await;
        let answer = response.json().await;
        if tool == "hi" {
            assert_eq!(answer["result"]["content"][0]["text"], "hi");
        } else {
            assert_eq!(answer["error"]["code"], -32603, "{tool}");
        }
        (stream, buffer) = response.into_connection();
    }
    assert_eq!(host.control.finished.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn server_continues_when_calls_of_an_ended_session_panic_in_a_destructor() {
    let host = host().await;
    let session = Session::open(host.address, Revision::V2025_03_26).await;
    let request = session.post(&json!([call(1, "hi"), call(2, "never"), call(3, "hi")]));
    let mut connection = TcpStream::connect(host.address).await.unwrap();
    connection.write_all(&request.bytes(host.address)).await.unwrap();
    wait_for(&host.control.started, 1).await;
    session.delete().send(host.address).await.empty(204).await;
    wait_for(&host.control.finished, 1).await;
    drop(connection);
    // A disconnect cancels a modern call.
    let mut connection = TcpStream::connect(host.address).await.unwrap();
    connection.write_all(&modern_call("never", json!({})).bytes(host.address)).await.unwrap();
    wait_for(&host.control.started, 2).await;
    drop(connection);
    wait_for(&host.control.finished, 2).await;
    let session = Session::open(host.address, Revision::V2025_03_26).await;
    let answers = session.post(&json!([call(1, "hi")])).send(host.address).await.json().await;
    assert_eq!(outcomes(&answers), ["hi"]);
}

#[tokio::test]
async fn batch_is_answered_when_a_call_panics_in_a_destructor_at_shutdown() {
    // S13
    let control = CallControl::default();
    let limits = HttpServerLimits::new().shutdown_grace(Duration::from_millis(100));
    let mounted = Mounted::new(&server(&control), HttpServerOptions::new().limits(limits)).await;
    let opened = mounted.send(post(initialize(Revision::V2025_03_26).to_string())).await;
    let id = opened.header("mcp-session-id").expect("a session").to_owned();
    let session = Session { address: mounted.address, revision: Revision::V2025_03_26, id };
    let mut batch = session.post(&json!([call(1, "hi"), call(2, "never"), call(3, "hi")]));
    let mut single = modern_call("never", json!({}));
    for request in [&mut batch, &mut single] {
        "/api/mcp".clone_into(&mut request.path);
    }
    let address = mounted.address;
    let batch = tokio::spawn(async move { batch.send(address).await.json().await });
    let single = tokio::spawn(async move { single.send(address).await.json().await });
    wait_for(&control.started, 2).await;
    let shutdown = tokio::time::timeout(Duration::from_secs(5), mounted.service.shutdown());
    shutdown.await.expect("shutdown timed out");
    assert_eq!(outcomes(&batch.await.unwrap()), [json!("hi"), json!(-32603), json!(-32603)]);
    assert_eq!(single.await.unwrap()["error"]["code"], -32603);
    assert_eq!(control.finished.load(Ordering::SeqCst), 2);
}
