//! JSON-RPC batching, which only revision 2025-03-26 supports.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_core::Revision;
use ferromcp_server::{Ctx, Server, ServerLimits, Tool, ToolError};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::client::{Case, Client, Wire};

fn server() -> Server {
    Server::new("batch", "0")
        .with_tool(Tool::sync("hi", || "hi"))
        .with_tool(Tool::new("slow", || async {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            "slow"
        }))
        .with_tool(Tool::new("never", || async {
            std::future::pending::<()>().await;
            "never"
        }))
}

fn cases() -> impl Iterator<Item = Case> {
    Wire::ALL.into_iter().map(|wire| Case { revision: Revision::V2025_03_26, wire })
}

fn ping(id: impl Into<Value>) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": "ping" })
}

fn call(id: impl Into<Value>, tool: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": "tools/call", "params": { "name": tool } })
}

/// Returns the sorted ids of a batch response.
fn ids(batch: &Value) -> Vec<String> {
    let mut ids: Vec<String> = batch
        .as_array()
        .unwrap_or_else(|| panic!("not a batch: {batch}"))
        .iter()
        .map(|answer| answer["id"].to_string())
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn responses_share_one_array_when_requests_are_batched() {
    // S-023, S-024, S-026, S-027, S-111
    for case in cases() {
        let mut client = Client::connect(server(), case).await;
        client.send(&json!([ping("a"), call("b", "slow"), { "jsonrpc": "2.0", "method": "notifications/x" }, ping("c"), call("d", "none")]));
        let answer = client.recv().await;
        assert_eq!(ids(&answer), ["\"a\"", "\"b\"", "\"c\"", "\"d\""]);
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn no_response_is_sent_when_batch_has_no_requests() {
    // S-014, S-027
    for case in cases() {
        let mut client = Client::connect(server(), case).await;
        client.send(
            &json!([{ "jsonrpc": "2.0", "method": "notifications/x" }, { "jsonrpc": "2.0", "id": 9, "result": {} }]),
        );
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn no_response_is_sent_when_batch_is_empty() {
    // S-027
    for case in cases() {
        let mut client = Client::connect(server(), case).await;
        client.send(&json!([]));
        client.assert_alive().await; // the error would have no id, which this revision does not allow
    }
}

#[tokio::test]
async fn errors_and_results_share_response_when_batch_has_invalid_members() {
    // S-027
    for case in cases() {
        let mut client = Client::connect(server(), case).await;
        client.send(&json!([1, { "id": "x" }, { "jsonrpc": "2.0", "id": "y", "method": "tools/call", "params": 7 }, call("b", "slow"), ping("a")]));
        let answer = client.recv().await;
        assert_eq!(ids(&answer), ["\"a\"", "\"b\"", "\"x\"", "\"y\""]);
        for answer in answer.as_array().unwrap() {
            let code = match answer["id"].as_str().unwrap() {
                "x" => json!(-32600),
                "y" => json!(-32602),
                _ => Value::Null,
            };
            assert_eq!(answer["error"]["code"], code, "{answer}");
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn duplicate_id_is_rejected_immediately_when_batch_is_pending() {
    // S-006, S-027
    for case in cases() {
        let mut client = Client::connect(server(), case).await;
        client.send(&json!([call("a", "slow"), call("a", "slow"), ping("b")]));
        let duplicate = client.recv().await;
        assert_eq!((&duplicate["id"], &duplicate["error"]["code"]), (&json!("a"), &json!(-32600)), "{duplicate}");
        let batch = client.recv().await;
        assert_eq!(ids(&batch), ["\"a\"", "\"b\""]);
        assert!(batch.as_array().unwrap().iter().all(|answer| answer.get("result").is_some()), "{batch}");
        // A batch member duplicates the id of a call outside the batch.
        client.send(&call("c", "slow"));
        client.send(&json!([call("c", "slow"), ping("d")]));
        let mut answers = vec![client.recv().await, client.recv().await, client.recv().await];
        answers.sort_by_key(|answer| (answer.is_array(), answer.get("result").is_some()));
        assert_eq!(answers[0]["error"]["code"], -32600, "{answers:?}");
        assert_eq!(answers[1]["result"]["content"][0]["text"], "slow", "{answers:?}");
        assert_eq!(ids(&answers[2]), ["\"d\""]);
        // A single request duplicates the id of a call inside a batch.
        client.send(&json!([call("e", "slow"), ping("f")]));
        client.send(&ping("e"));
        let duplicate = client.recv().await;
        assert_eq!((&duplicate["id"], &duplicate["error"]["code"]), (&json!("e"), &json!(-32600)), "{duplicate}");
        assert_eq!(ids(&client.recv().await), ["\"e\"", "\"f\""]);
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn response_is_omitted_when_batch_member_is_cancelled() {
    // S-217, S-027
    for case in cases() {
        let mut client = Client::connect(server(), case).await;
        client.send(&json!([ping("a"), call("b", "never")]));
        assert!(client.fence().await.is_empty());
        client.cancel("b");
        assert_eq!(ids(&client.recv().await), ["\"a\""]);
        client.send(&json!([call("c", "never")]));
        client.cancel("c");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn calls_run_one_after_another_when_batched() {
    // S-027
    for case in cases() {
        let running = Arc::new(AtomicUsize::new(0));
        let server = Server::new("batch", "0").with_tool(Tool::new("count", move || {
            let running = Arc::clone(&running);
            async move {
                let others = running.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                others.to_string()
            }
        }));
        let mut client = Client::connect(server, case).await;
        client.send(&json!([call("a", "count"), ping("b"), call("c", "count"), call("d", "count")]));
        let batch = client.recv().await;
        let order: Vec<_> = batch.as_array().unwrap().iter().map(|answer| answer["id"].as_str().unwrap()).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
        for index in [0, 2, 3] {
            assert_eq!(batch[index]["result"]["content"][0]["text"], "0", "{batch}");
        }
    }
}

#[tokio::test]
async fn call_is_not_started_when_cancelled_in_queue() {
    // S-217, S-027
    for case in cases() {
        let (gate, started) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let server = Server::new("batch", "0").with_tool({
            let (gate, started) = (Arc::clone(&gate), Arc::clone(&started));
            Tool::new("gate", move || {
                let (gate, started) = (Arc::clone(&gate), Arc::clone(&started));
                async move {
                    started.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.unwrap().forget();
                    "open"
                }
            })
        });
        let mut client = Client::connect(server, case).await;
        // The last call is cancelled by the batch itself.
        let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "d" } });
        client.send(&json!([call("a", "gate"), call("b", "gate"), ping("c"), call("d", "gate"), cancel]));
        client.cancel("b");
        assert!(client.fence().await.is_empty());
        // The id of a cancelled call is free again.
        client.send(&ping("b"));
        assert_eq!(client.recv().await["result"], json!({}));
        gate.add_permits(1);
        assert_eq!(ids(&client.recv().await), ["\"a\"", "\"c\""]);
        assert_eq!(started.load(Ordering::SeqCst), 1);
        client.assert_alive().await;
    }
}

/// Panics when dropped.
#[tokio::test]
async fn calls_end_with_an_error_when_grace_time_expires() {
    // S13
    for case in cases() {
        let limits = ServerLimits::new().shutdown_grace(Duration::from_millis(20));
        let mut client = Client::connect(server().limits(limits), case).await;
        client.send(&json!([ping("a"), call("b", "never"), call("c", "hi")]));
        client.assert_alive().await;
        let (rest, served) = client.drain().await;
        served.unwrap();
        let [batch] = &rest[..] else { panic!("{rest:?}") };
        assert_eq!(ids(batch), ["\"a\"", "\"b\"", "\"c\""]);
        let errors: Vec<&Value> = batch.as_array().unwrap().iter().filter_map(|answer| answer.get("error")).collect();
        assert_eq!(errors.len(), 2, "{batch}");
        assert!(
            errors.iter().all(|error| error["message"].as_str().unwrap().starts_with("the server is shutting down"))
        );
    }
}

struct PanicOnDrop;

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "panics when dropped");
    }
}

#[tokio::test]
async fn other_calls_are_answered_when_one_panics() {
    // S-027
    for case in cases() {
        let server = server()
            .with_tool(Tool::new("panic", || async {
                tokio::task::yield_now().await;
                let none: Option<String> = std::hint::black_box(None);
                none.expect("panics")
            }))
            .with_tool(Tool::new("panic_on_drop", |ctx: Ctx| async move {
                let _guard = PanicOnDrop;
                ctx.info("started").await;
                std::future::pending::<()>().await;
                "never"
            }));
        let mut client = Client::connect(server, case).await;
        client.send(&json!([call("a", "slow"), call("b", "panic"), call("c", "panic_on_drop"), call("d", "slow")]));
        assert_eq!(client.recv().await["params"]["data"], "started");
        client.cancel("c");
        let batch = client.recv().await;
        assert_eq!(ids(&batch), ["\"a\"", "\"b\"", "\"d\""]);
        assert_eq!(batch[1]["error"]["code"], -32603, "{batch}");
        assert_eq!(batch[2]["result"]["content"][0]["text"], "slow", "{batch}");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn batch_continues_when_client_answers_request_of_a_call() {
    // S-023, S-027
    for case in cases() {
        let server = server().with_tool(Tool::new("roots", |ctx: Ctx| async move {
            Ok::<_, ToolError>(ctx.roots().await?.len().to_string())
        }));
        let mut client = Client::raw(server, case).with_capabilities(json!({ "roots": {} }));
        client.initialize().await;
        client.send(&json!([call("a", "roots"), call("b", "roots"), ping("c")]));
        for _ in 0..2 {
            let question = client.question("roots/list").await;
            client.reply(&question, json!({ "roots": [{ "uri": "file:///a" }] }));
        }
        let batch = client.recv().await;
        assert_eq!(ids(&batch), ["\"a\"", "\"b\"", "\"c\""]);
        assert_eq!(batch[1]["result"]["content"][0]["text"], "1", "{batch}");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn no_response_is_sent_when_batch_exceeds_limit() {
    // S-027
    for case in cases() {
        let mut client = Client::connect(server(), case).await;
        let many: Vec<Value> = (0..65).map(ping).collect();
        client.send(&many.into());
        client.assert_alive().await;
        let max: Vec<Value> = (100..164).map(ping).collect();
        client.send(&max.into());
        assert_eq!(client.recv().await.as_array().unwrap().len(), 64);
    }
}

#[tokio::test]
async fn session_is_not_opened_when_initialize_is_in_batch() {
    // S-061
    for case in cases() {
        let mut client = Client::raw(server(), case).allow_both_eras();
        let params = client.initialize_params(case.revision.as_str());
        client.send(&json!([client.request_of("i", "initialize", params), ping("p")]));
        let error = client.error("tools/list", Value::Null).await;
        assert_eq!(error["code"], -32602, "the session must not be initialized");
    }
}

#[tokio::test]
async fn batch_is_rejected_when_revision_lacks_batching() {
    // S-112, M26-123
    for case in Case::all().filter(|case| case.revision != Revision::V2025_03_26) {
        let mut client = Client::connect(server(), case).await;
        let request = client.request_of("a", "tools/list", Value::Null);
        client.send(&json!([request]));
        let rest = client.fence().await;
        if case.revision < Revision::LATEST_LEGACY {
            assert!(rest.is_empty(), "{rest:?}");
        } else {
            assert_eq!((rest.len(), &rest[0]["error"]["code"]), (1, &json!(-32600)), "{rest:?}");
        }
    }
}
