//! Server-to-client requests at the wire level.
//!
//! The test client validates every request against the official schema of its revision.

use std::time::{Duration, Instant};

use ferromcp_core::Revision;
use ferromcp_core::model::SamplingContent;
use ferromcp_server::{Ctx, Server, ServerLimits, Tool, ToolError};
use serde_json::{Value, json};

use crate::client::{Case, Client, only_text};

/// All client capabilities for server requests.
pub(crate) fn all_capabilities() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "sampling": { "tools": {}, "context": {} }, "roots": {} })
}

/// A sampling result with this text.
pub(crate) fn sampled(text: &str) -> Value {
    json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": text } })
}

fn server() -> Server {
    Server::new("server-requests", "1")
        .with_tool(Tool::new("one", |ctx: Ctx| async move { sample(&ctx, "One?").await }))
        .with_tool(Tool::new("three", |ctx: Ctx| async move {
            ctx.error("first").await;
            let one = sample(&ctx, "One?").await?;
            let roots = ctx.roots().await?;
            ctx.error("between").await;
            let two = sample(&ctx, &format!("Two after {one}?")).await?;
            Ok::<_, ToolError>(format!("{one} {} {two}", roots[0].uri))
        }))
        .with_tool(Tool::new("both", |ctx: Ctx| async move {
            let (one, two) = tokio::join!(sample(&ctx, "One?"), sample(&ctx, "Two?"));
            Ok::<_, ToolError>(format!("{} {}", one?, two?))
        }))
        .with_tool(Tool::new("impatient", |ctx: Ctx| async move {
            match ctx.sample("One?").timeout(Duration::from_millis(30)).await {
                Err(error) if error.is_timeout() => error.to_string(),
                other => format!("{other:?}"),
            }
        }))
}

/// Samples `question`, and returns the text of the result.
async fn sample(ctx: &Ctx, question: &str) -> Result<String, ToolError> {
    let response = ctx.sample(question).await?;
    let text = |block: SamplingContent| match block {
        SamplingContent::Text(text) => Some(text.text),
        _ => None,
    };
    Ok(response.content.into_iter().filter_map(text).collect())
}

/// Connects a client with all capabilities, and completes the handshake.
async fn connect(server: Server, case: Case) -> Client {
    let mut client = Client::raw(server, case).with_capabilities(all_capabilities());
    if !case.is_modern() {
        client.initialize().await;
    }
    client
}

/// The text of a sampling request.
fn prompt(question: &Value) -> &str {
    question["params"]["messages"][0]["content"]["text"].as_str().unwrap()
}

/// Asserts that `message` cancels `question`.
#[track_caller]
fn assert_cancels(case: Case, message: &Value, question: &Value) {
    assert_eq!(message["method"], "notifications/cancelled", "{message}");
    assert_eq!(message["params"]["requestId"], question["id"], "{message}");
    crate::schema_validation::assert_valid(case.revision, "CancelledNotification", message);
}

#[tokio::test]
async fn message_order_is_preserved_when_handler_sends_requests_and_notifications() {
    // S-006, S-391
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let call = client.start_call("three", json!({}));
        assert_eq!(client.recv().await["params"]["data"], "first");
        let question = client.question("sampling/createMessage").await;
        assert_eq!(prompt(&question), "One?");
        // Other requests are served while the request is pending.
        client.assert_alive().await;
        client.reply(&question, sampled("yes"));
        let question = client.question("roots/list").await;
        client.reply(&question, json!({ "roots": [{ "uri": "file:///a" }] }));
        assert_eq!(client.recv().await["params"]["data"], "between");
        let question = client.question("sampling/createMessage").await;
        assert_eq!(prompt(&question), "Two after yes?");
        client.reply(&question, sampled("no"));
        assert_eq!(only_text(&client.answer(call).await["result"]), "yes file:///a no");
        client.assert_alive().await;
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn requests_are_resolved_when_responses_are_reordered() {
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let calls = [client.start_call("both", json!({})), client.start_call("both", json!({}))];
        let mut questions = Vec::new();
        for _ in 0..4 {
            questions.push(client.question("sampling/createMessage").await);
        }
        for (index, question) in questions.iter().enumerate().rev() {
            client.reply(question, sampled(&format!("{} {}", index / 2, prompt(question))));
        }
        for (index, call) in calls.into_iter().enumerate() {
            let text = only_text(&client.answer(call).await["result"]);
            assert_eq!(text, format!("{index} One? {index} Two?"));
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn tool_error_is_returned_when_client_responds_with_error() {
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let call = client.start_call("one", json!({}));
        let question = client.question("sampling/createMessage").await;
        let error = json!({ "code": -1, "message": "User rejected sampling request" });
        client.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "error": error }));
        let result = client.answer(call).await["result"].clone();
        assert_eq!(result["isError"], true, "{result}");
        assert!(only_text(&result).contains("returned an error: User rejected sampling request"), "{result}");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn call_fails_when_response_is_invalid() {
    // S-405, S-459, S-461
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        for garbage in [json!({}), json!([]), json!(5), json!("yes"), json!(null), json!({ "content": [] })] {
            let call = client.start_call("one", json!({}));
            let question = client.question("sampling/createMessage").await;
            client.reply(&question, garbage.clone());
            let result = client.answer(call).await["result"].clone();
            assert_eq!(result["isError"], true, "{garbage}: {result}");
            let text = only_text(&result);
            assert!(text.contains("invalid answer to \"One?\""), "{garbage}: {text}");
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn response_is_ignored_when_request_id_does_not_match() {
    // S-014, S-219
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let call = client.start_call("one", json!({}));
        let question = client.question("sampling/createMessage").await;
        let id = question["id"].as_i64().unwrap();
        for other in [json!(format!("{id}x")), json!(id + 1), json!(-1), json!("x"), json!(call + 1000)] {
            client.reply(&json!({ "id": other }), sampled("wrong"));
            let error = json!({ "code": -1, "message": "wrong" });
            client.send(&json!({ "jsonrpc": "2.0", "id": other, "error": error }));
        }
        client.assert_alive().await;
        client.reply(&question, sampled("right"));
        client.reply(&question, sampled("twice"));
        assert_eq!(only_text(&client.answer(call).await["result"]), "right");
        client.reply(&question, sampled("late"));
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn request_is_cancelled_when_it_times_out() {
    // S-093, S-094, S-095, S-096, S-098, S-210, S-211, S-214, S-215, S-219, S-220
    for case in Case::legacy() {
        let limits = ServerLimits::new().answer_timeout(Duration::from_millis(30));
        let mut client = connect(server().limits(limits), case).await;
        for (tool, expected) in [
            ("impatient", "timed out after 30ms waiting for an answer: One?"),
            ("one", "timed out after 30ms waiting for an answer: One?"), // the default timeout
        ] {
            let call = client.start_call(tool, json!({}));
            let question = client.question("sampling/createMessage").await;
            assert_cancels(case, &client.recv().await, &question);
            assert_eq!(only_text(&client.answer(call).await["result"]), expected);
            client.reply(&question, sampled("late"));
            client.assert_alive().await;
        }
    }
}

#[tokio::test]
async fn pending_requests_are_cancelled_when_call_is_cancelled() {
    // S-210, S-211, S-216, S-217, S-219
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let other = client.start_call("one", json!({}));
        let pending = client.question("sampling/createMessage").await;
        let call = client.start_call("both", json!({}));
        let questions =
            [client.question("sampling/createMessage").await, client.question("sampling/createMessage").await];
        client.cancel(call);
        let received = [client.recv().await, client.recv().await];
        for question in &questions {
            let cancellation = received.iter().find(|message| message["params"]["requestId"] == question["id"]);
            assert_cancels(
                case,
                cancellation.unwrap_or_else(|| panic!("{question} is not cancelled: {received:?}")),
                question,
            );
            client.reply(question, sampled("late"));
        }
        client.assert_alive().await;
        // The request of another call is still pending.
        client.reply(&pending, sampled("yes"));
        assert_eq!(only_text(&client.answer(other).await["result"]), "yes");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn pending_requests_fail_when_client_disconnects() {
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let call = client.start_call("both", json!({}));
        client.question("sampling/createMessage").await;
        client.question("sampling/createMessage").await;
        let start = Instant::now();
        let (rest, served) = client.drain().await;
        served.unwrap();
        assert!(start.elapsed() < Duration::from_secs(1), "it took {:?}", start.elapsed());
        // No cancellation is sent to a disconnected client.
        assert_eq!(rest.len(), 1, "{rest:?}");
        assert_eq!(rest[0]["id"], call);
        assert!(only_text(&rest[0]["result"]).contains("cannot reach the client"), "{rest:?}");
    }
}

#[tokio::test]
async fn request_fails_when_pending_limit_is_reached() {
    for case in Case::legacy() {
        let limits = ServerLimits::new().questions(2);
        let mut client = connect(server().limits(limits), case).await;
        let first = client.start_call("both", json!({}));
        let questions =
            [client.question("sampling/createMessage").await, client.question("sampling/createMessage").await];
        let error = client.tool_error("one", json!({})).await;
        assert!(
            error.contains("2 requests to the client are already pending; raise `ServerLimits::questions`"),
            "{error}"
        );
        for question in &questions {
            client.reply(question, sampled("yes"));
        }
        assert_eq!(only_text(&client.answer(first).await["result"]), "yes yes");
        // Another request can be registered.
        let again = client.start_call("one", json!({}));
        let question = client.question("sampling/createMessage").await;
        client.reply(&question, sampled("again"));
        assert_eq!(only_text(&client.answer(again).await["result"]), "again");
    }
}

#[tokio::test]
async fn response_is_accepted_when_sent_in_batch() {
    // S-023
    for case in Case::legacy().filter(|case| case.revision == Revision::V2025_03_26) {
        let mut client = connect(server(), case).await;
        let call = client.start_call("one", json!({}));
        let question = client.question("sampling/createMessage").await;
        let ping = client.request_of(500, "ping", json!({}));
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": sampled("in a batch") });
        client.send(&json!([answer, ping]));
        assert_eq!(only_text(&client.answer(call).await["result"]), "in a batch");
        let batch = client.recv().await;
        assert_eq!(batch[0]["id"], 500, "{batch}");
    }
}

#[tokio::test]
async fn request_fails_when_client_lacks_capability() {
    // S-367, S-423
    for case in Case::legacy() {
        let mut client = Client::connect(server(), case).await;
        let error = client.error("tools/call", json!({ "name": "one", "arguments": {} })).await;
        assert_eq!(error["code"], -32602, "{error}");
        assert!(error["data"]["requiredCapabilities"]["sampling"].is_object(), "{error}");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn input_required_is_returned_when_revision_is_2026_07_28() {
    // M26-233, M26-234, M26-236, M26-250
    for case in Case::modern() {
        let mut client = connect(server(), case).await;
        let mut params = json!({ "name": "both", "arguments": {} });
        let request = client.result("tools/call", params.clone()).await;
        let questions = request["inputRequests"].as_object().unwrap();
        assert_eq!(questions.len(), 2, "{request}");
        let answers: serde_json::Map<String, Value> = questions
            .iter()
            .map(|(key, question)| {
                assert_eq!(question["method"], "sampling/createMessage");
                (key.clone(), sampled(&format!("to {}", prompt(question))))
            })
            .collect();
        (params["inputResponses"], params["requestState"]) = (json!(answers), request["requestState"].clone());
        let result = client.result("tools/call", params).await;
        assert_eq!(only_text(&result), "to One? to Two?");
        client.assert_alive().await;
    }
}
