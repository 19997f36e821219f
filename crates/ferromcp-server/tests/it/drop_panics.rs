//! Calls whose future panics when it is dropped: after a result, or because the server shuts down. The call fails with an
//! internal error, and others are not affected.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::{Server, ServerLimits, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client};
use crate::panic_on_drop::PanicOnDrop;

/// Adds tools that return a result at once or later, or never, and then panic in a destructor. Counts the destructors.
fn with_panicking_tools(mut server: Server, dropped: &Arc<AtomicUsize>) -> Server {
    for (name, polls) in [("at_once", 0), ("later", 3), ("never", usize::MAX)] {
        let dropped = Arc::clone(dropped);
        server = server.with_tool(Tool::new(name, move || PanicOnDrop { polls, dropped: Arc::clone(&dropped) }));
    }
    server.with_tool(Tool::sync("hi", || "hi"))
}

fn call(id: i64, tool: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": {} } })
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

fn batch_cases() -> impl Iterator<Item = Case> {
    Case::all().filter(|case| case.revision == Revision::V2025_03_26)
}

#[tokio::test]
async fn connection_continues_when_the_destructor_of_a_call_panics() {
    for case in Case::all() {
        let dropped = Arc::default();
        let mut client = Client::connect(with_panicking_tools(Server::new("drop", "0"), &dropped), case).await;
        for tool in ["at_once", "later"] {
            let error = client.error("tools/call", json!({ "name": tool })).await;
            assert_eq!(error["code"], -32603, "{tool}: {error}");
            assert_eq!(client.text("hi", json!({})).await, "hi");
        }
        // A cancelled call.
        let id = client.start_call("never", json!({}));
        client.assert_alive().await;
        client.cancel(id);
        client.assert_alive().await;
        assert_eq!(client.text("hi", json!({})).await, "hi");
        client.close().await.unwrap();
        assert_eq!(dropped.load(Ordering::SeqCst), 3);
    }
}

#[tokio::test]
async fn other_calls_of_batch_are_answered_when_the_destructor_of_a_finished_call_panics() {
    // S-027
    for case in batch_cases() {
        let dropped = Arc::default();
        let mut client = Client::connect(with_panicking_tools(Server::new("drop", "0"), &dropped), case).await;
        client.send(&json!([call(101, "at_once"), call(102, "hi"), call(103, "later"), call(104, "hi")]));
        let error = || json!(-32603);
        assert_eq!(outcomes(&client.recv().await), [error(), json!("hi"), error(), json!("hi")]);
        assert_eq!(dropped.load(Ordering::SeqCst), 2);
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn batch_is_answered_when_a_call_panics_in_a_destructor_at_shutdown() {
    // S13
    for case in batch_cases() {
        let dropped = Arc::default();
        let limits = ServerLimits::new().shutdown_grace(Duration::from_millis(20));
        let server = with_panicking_tools(Server::new("drop", "0"), &dropped).limits(limits);
        let mut client = Client::connect(server, case).await;
        client.send(&json!([call(101, "hi"), call(102, "never"), call(103, "hi")]));
        client.assert_alive().await;
        let (rest, served) = client.drain().await;
        served.unwrap();
        let [batch] = &rest[..] else { panic!("{rest:?}") };
        assert_eq!(outcomes(batch), [json!("hi"), json!(-32603), json!(-32603)]);
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn call_is_answered_when_it_panics_in_a_destructor_at_shutdown() {
    // S13
    for case in Case::all() {
        let dropped = Arc::default();
        let limits = ServerLimits::new().shutdown_grace(Duration::from_millis(20));
        let server = with_panicking_tools(Server::new("drop", "0"), &dropped).limits(limits);
        let mut client = Client::connect(server, case).await;
        let id = client.start_call("never", json!({}));
        client.assert_alive().await;
        let (rest, served) = client.drain().await;
        served.unwrap();
        let [error] = &rest[..] else { panic!("{rest:?}") };
        assert_eq!((&error["id"], &error["error"]["code"]), (&json!(id), &json!(-32603)), "{error}");
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    }
}
