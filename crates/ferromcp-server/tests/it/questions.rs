//! Questions that are put live on a pipe, as their bytes: requests of the server's own in the middle of a call.
//!
//! Every one is held to the official schema of its revision by the client itself.

use std::time::{Duration, Instant};

use ferromcp_core::Revision;
use ferromcp_core::model::SamplingContent;
use ferromcp_server::{Ctx, Limits, Server, Tool, ToolError};
use serde_json::{Value, json};

use crate::client::{Case, Client, only_text};

/// All that a client can be asked.
pub(crate) fn able() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "sampling": { "tools": {}, "context": {} }, "roots": {} })
}

/// What a model said.
pub(crate) fn said(text: &str) -> Value {
    json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": text } })
}

fn server() -> Server {
    Server::new("questions", "1")
        .with_tool(Tool::new("one", |ctx: Ctx| async move { words(&ctx, "One?").await }))
        .with_tool(Tool::new("three", |ctx: Ctx| async move {
            ctx.error("first").await;
            let one = words(&ctx, "One?").await?;
            let roots = ctx.roots().await?;
            ctx.error("between").await;
            let two = words(&ctx, &format!("Two after {one}?")).await?;
            Ok::<_, ToolError>(format!("{one} {} {two}", roots[0].uri))
        }))
        .with_tool(Tool::new("both", |ctx: Ctx| async move {
            let (one, two) = tokio::join!(words(&ctx, "One?"), words(&ctx, "Two?"));
            Ok::<_, ToolError>(format!("{} {}", one?, two?))
        }))
        .with_tool(Tool::new("impatient", |ctx: Ctx| async move {
            match ctx.sample("One?").timeout(Duration::from_millis(30)).await {
                Err(error) if error.is_timeout() => error.to_string(),
                other => format!("{other:?}"),
            }
        }))
}

/// What the client's model says to `question`.
async fn words(ctx: &Ctx, question: &str) -> Result<String, ToolError> {
    let said = ctx.sample(question).await?;
    let text = |block: SamplingContent| match block {
        SamplingContent::Text(text) => Some(text.text),
        _ => None,
    };
    Ok(said.content.into_iter().filter_map(text).collect())
}

/// A client that can be asked, past its handshake.
async fn connect(server: Server, case: Case) -> Client {
    let mut client = Client::raw(server, case).able(able());
    if !case.is_modern() {
        client.initialize().await;
    }
    client
}

/// What a question to the model ends with.
fn asks(question: &Value) -> &str {
    question["params"]["messages"][0]["content"]["text"].as_str().unwrap()
}

/// Whether this takes back `question`.
#[track_caller]
fn takes_back(case: Case, message: &Value, question: &Value) {
    assert_eq!(message["method"], "notifications/cancelled", "{message}");
    assert_eq!(message["params"]["requestId"], question["id"], "{message}");
    crate::official::is(case.revision, "CancelledNotification", message);
}

#[tokio::test]
async fn questions_and_words_come_in_the_order_of_the_handler() {
    // S-006, S-391
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let call = client.start_call("three", json!({}));
        assert_eq!(client.recv().await["params"]["data"], "first");
        let question = client.question("sampling/createMessage").await;
        assert_eq!(asks(&question), "One?");
        // Nothing else stands still meanwhile.
        client.lives().await;
        client.reply(&question, said("yes"));
        let question = client.question("roots/list").await;
        client.reply(&question, json!({ "roots": [{ "uri": "file:///a" }] }));
        assert_eq!(client.recv().await["params"]["data"], "between");
        let question = client.question("sampling/createMessage").await;
        assert_eq!(asks(&question), "Two after yes?");
        client.reply(&question, said("no"));
        assert_eq!(only_text(&client.answer(call).await["result"]), "yes file:///a no");
        client.lives().await;
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn questions_side_by_side_are_answered_in_any_order() {
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let calls = [client.start_call("both", json!({})), client.start_call("both", json!({}))];
        let mut questions = Vec::new();
        for _ in 0..4 {
            questions.push(client.question("sampling/createMessage").await);
        }
        for (place, question) in questions.iter().enumerate().rev() {
            client.reply(question, said(&format!("{} {}", place / 2, asks(question))));
        }
        for (place, call) in calls.into_iter().enumerate() {
            let text = only_text(&client.answer(call).await["result"]);
            assert_eq!(text, format!("{place} One? {place} Two?"));
        }
        client.lives().await;
    }
}

#[tokio::test]
async fn an_error_for_an_answer_is_told_to_the_model() {
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let call = client.start_call("one", json!({}));
        let question = client.question("sampling/createMessage").await;
        let error = json!({ "code": -1, "message": "User rejected sampling request" });
        client.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "error": error }));
        let result = client.answer(call).await["result"].clone();
        assert_eq!(result["isError"], true, "{result}");
        assert!(only_text(&result).contains("refused the question: User rejected sampling request"), "{result}");
        client.lives().await;
    }
}

#[tokio::test]
async fn answers_that_are_none_fail_their_call_alone() {
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
            assert!(text.contains("the answer to \"One?\" does not fit"), "{garbage}: {text}");
        }
        client.lives().await;
    }
}

#[tokio::test]
async fn answers_to_nothing_are_ignored() {
    // S-014, S-219
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let call = client.start_call("one", json!({}));
        let question = client.question("sampling/createMessage").await;
        let id = question["id"].as_i64().unwrap();
        for other in [json!(id.to_string()), json!(id + 1), json!(-1), json!("x"), json!(call + 1000)] {
            client.reply(&json!({ "id": other }), said("wrong"));
            let error = json!({ "code": -1, "message": "wrong" });
            client.send(&json!({ "jsonrpc": "2.0", "id": other, "error": error }));
        }
        client.lives().await;
        client.reply(&question, said("right"));
        client.reply(&question, said("twice"));
        assert_eq!(only_text(&client.answer(call).await["result"]), "right");
        client.reply(&question, said("late"));
        client.lives().await;
    }
}

#[tokio::test]
async fn a_question_that_is_not_answered_in_time_is_taken_back() {
    // S-093, S-094, S-095, S-096, S-098, S-210, S-211, S-214, S-215, S-219, S-220
    for case in Case::legacy() {
        let mut limits = Limits::default();
        limits.answer_time = Duration::from_millis(30);
        let mut client = connect(server().limits(limits), case).await;
        for (tool, expected) in [
            ("impatient", "no answer came within 30ms: One?"),
            ("one", "no answer came within 30ms: One?"), // the limit of all questions
        ] {
            let call = client.start_call(tool, json!({}));
            let question = client.question("sampling/createMessage").await;
            takes_back(case, &client.recv().await, &question);
            assert_eq!(only_text(&client.answer(call).await["result"]), expected);
            client.reply(&question, said("late"));
            client.lives().await;
        }
    }
}

#[tokio::test]
async fn cancelling_a_call_takes_its_questions_back() {
    // S-210, S-211, S-216, S-217, S-219
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let other = client.start_call("one", json!({}));
        let kept = client.question("sampling/createMessage").await;
        let call = client.start_call("both", json!({}));
        let questions =
            [client.question("sampling/createMessage").await, client.question("sampling/createMessage").await];
        client.cancel(call);
        let back = [client.recv().await, client.recv().await];
        for question in &questions {
            let of = back.iter().find(|back| back["params"]["requestId"] == question["id"]);
            takes_back(case, of.unwrap_or_else(|| panic!("{question} is not taken back: {back:?}")), question);
            client.reply(question, said("late"));
        }
        client.lives().await;
        // The question of another call stays.
        client.reply(&kept, said("yes"));
        assert_eq!(only_text(&client.answer(other).await["result"]), "yes");
        client.lives().await;
    }
}

#[tokio::test]
async fn who_hangs_up_answers_nothing_and_keeps_nobody_waiting() {
    for case in Case::legacy() {
        let mut client = connect(server(), case).await;
        let call = client.start_call("both", json!({}));
        client.question("sampling/createMessage").await;
        client.question("sampling/createMessage").await;
        let begun = Instant::now();
        let (rest, served) = client.drain().await;
        served.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(1), "it took {:?}", begun.elapsed());
        // Nothing is taken back from one who has left; the call ends by itself.
        assert_eq!(rest.len(), 1, "{rest:?}");
        assert_eq!(rest[0]["id"], call);
        assert!(only_text(&rest[0]["result"]).contains("the client is gone"), "{rest:?}");
    }
}

#[tokio::test]
async fn there_are_only_so_many_questions_at_a_time() {
    for case in Case::legacy() {
        let mut limits = Limits::default();
        limits.questions = 2;
        let mut client = connect(server().limits(limits), case).await;
        let first = client.start_call("both", json!({}));
        let questions =
            [client.question("sampling/createMessage").await, client.question("sampling/createMessage").await];
        let told = client.complaint("one", json!({})).await;
        assert!(told.contains("2 questions to answer already; `Limits::questions`"), "{told}");
        for question in &questions {
            client.reply(question, said("yes"));
        }
        assert_eq!(only_text(&client.answer(first).await["result"]), "yes yes");
        // There is room again.
        let again = client.start_call("one", json!({}));
        let question = client.question("sampling/createMessage").await;
        client.reply(&question, said("again"));
        assert_eq!(only_text(&client.answer(again).await["result"]), "again");
    }
}

#[tokio::test]
async fn an_answer_may_come_in_a_batch() {
    // S-023
    for case in Case::legacy().filter(|case| case.revision == Revision::V2025_03_26) {
        let mut client = connect(server(), case).await;
        let call = client.start_call("one", json!({}));
        let question = client.question("sampling/createMessage").await;
        let ping = client.request_of(500, "ping", json!({}));
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": said("in a batch") });
        client.send(&json!([answer, ping]));
        assert_eq!(only_text(&client.answer(call).await["result"]), "in a batch");
        let batch = client.recv().await;
        assert_eq!(batch[0]["id"], 500, "{batch}");
    }
}

#[tokio::test]
async fn whoever_cannot_be_asked_is_not_asked() {
    // S-367, S-423
    for case in Case::legacy() {
        let mut client = Client::connect(server(), case).await;
        let error = client.error("tools/call", json!({ "name": "one", "arguments": {} })).await;
        assert_eq!(error["code"], -32602, "{error}");
        assert!(error["data"]["requiredCapabilities"]["sampling"].is_object(), "{error}");
        client.lives().await;
    }
}

#[tokio::test]
async fn the_newest_revision_is_asked_by_the_results_of_its_calls() {
    // M26-233, M26-234, M26-236, M26-250
    for case in Case::modern() {
        let mut client = connect(server(), case).await;
        let mut params = json!({ "name": "both", "arguments": {} });
        let asked = client.result("tools/call", params.clone()).await;
        let questions = asked["inputRequests"].as_object().unwrap();
        assert_eq!(questions.len(), 2, "{asked}");
        let answers: serde_json::Map<String, Value> = questions
            .iter()
            .map(|(key, question)| {
                assert_eq!(question["method"], "sampling/createMessage");
                (key.clone(), said(&format!("to {}", asks(question))))
            })
            .collect();
        (params["inputResponses"], params["requestState"]) = (json!(answers), asked["requestState"].clone());
        let result = client.result("tools/call", params).await;
        assert_eq!(only_text(&result), "to One? to Two?");
        client.lives().await;
    }
}
