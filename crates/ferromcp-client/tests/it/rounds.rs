//! Questions in answers: what is sent back, what is not, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_client::{
    Answers, Client, ClientBuilder, ClientLimits, ErrorKind, Handles, Pending, Settled, accept, decline,
};
use ferromcp_core::model::{CallToolResult, CreateMessageResult, Root, SamplingContent};
use serde_json::{Value, json};

use crate::script::{Far, builder, modern, soon, text};

fn form(fields: &Value) -> Value {
    json!({ "method": "elicitation/create", "params": { "message": "Who?",
        "requestedSchema": { "type": "object", "properties": fields } } })
}

fn asks(questions: &Value, state: Option<&str>) -> Value {
    let mut result = json!({ "resultType": "input_required" });
    if !questions.is_null() {
        result["inputRequests"] = questions.clone();
    }
    if let Some(state) = state {
        result["requestState"] = state.into();
    }
    result
}

fn answering() -> ClientBuilder {
    builder()
        .on_form(|_| async { accept(&json!({ "name": "Ada" })) })
        .on_sampling(|_| async { CreateMessageResult::new("model", SamplingContent::text("Oslo")) })
        .on_roots(|| async { vec![Root::new("file:///w")] })
}

/// Calls `tool` while `script` runs.
async fn call<F: AsyncFnOnce(&mut Far)>(
    client: &Client,
    far: &mut Far,
    script: F,
) -> Result<CallToolResult, ferromcp_client::ClientError> {
    let calling = async { client.call("tool", json!({ "a": 1 })).meta("com.example/k", "v").await };
    soon(async { tokio::join!(calling, script(far)) }).await.0
}

#[tokio::test]
async fn questions_are_answered_and_the_call_is_made_again_with_the_state_of_the_last_round() {
    // M26-003, M26-005, M26-022, M26-051, M26-052, M26-477, M26-484
    let (client, mut far) = modern(answering()).await;
    let result = call(&client, &mut far, async |far| {
        let first = far.expect("tools/call").await;
        let declared = &first["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
        assert_eq!(declared, &json!({ "elicitation": { "form": {} }, "sampling": {}, "roots": {} }));
        let sampling = json!({ "method": "sampling/createMessage", "params": { "maxTokens": 5, "messages": [
            { "role": "user", "content": { "type": "text", "text": "Capital?" } }] } });
        let questions = json!({ "who": form(&json!({ "name": { "type": "string" } })), "capital": sampling,
            "where": { "method": "roots/list" } });
        far.answer(&first, asks(&questions, Some("s\u{e9}\"1"))).await;

        let second = far.expect("tools/call").await;
        assert_ne!(second["id"], first["id"]);
        for same in ["name", "arguments"] {
            assert_eq!(second["params"][same], first["params"][same]);
        }
        assert_eq!(second["params"]["_meta"]["com.example/k"], "v");
        assert_eq!(second["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"], *declared);
        assert_eq!(second["params"]["requestState"], "s\u{e9}\"1");
        assert_eq!(
            second["params"]["inputResponses"],
            json!({
                "who": { "action": "accept", "content": { "name": "Ada" } },
                "capital": { "role": "assistant", "model": "model", "content": { "type": "text", "text": "Oslo" } },
                "where": { "roots": [{ "uri": "file:///w" }] },
            })
        );
        // Without a state, and with another question: only that is answered, and the old state is gone.
        far.answer(&second, asks(&json!({ "again": { "method": "roots/list" } }), None)).await;
        let third = far.expect("tools/call").await;
        assert_eq!(third["params"].get("requestState"), None);
        assert_eq!(third["params"]["inputResponses"], json!({ "again": { "roots": [{ "uri": "file:///w" }] } }));
        far.answer(&third, text("done")).await;
    })
    .await;
    assert_eq!(result.unwrap(), CallToolResult::text("done"));
}

#[tokio::test]
async fn prompts_and_resources_may_ask_and_lists_may_not() {
    let (client, mut far) = modern(answering()).await;
    let question = json!({ "where": { "method": "roots/list" } });
    let script = async {
        let first = far.expect("prompts/get").await;
        far.answer(&first, asks(&question, None)).await;
        let second = far.expect("prompts/get").await;
        assert!(second["params"]["inputResponses"]["where"]["roots"].is_array());
        far.answer(&second, json!({ "resultType": "complete", "messages": [] })).await;
        let first = far.expect("resources/read").await;
        far.answer(&first, asks(&question, None)).await;
        let second = far.expect("resources/read").await;
        far.answer(&second, json!({ "contents": [{ "uri": "x:a", "text": "t" }], "ttlMs": 1000 })).await;
        let list = far.expect("tools/list").await;
        far.answer(&list, asks(&question, None)).await;
    };
    let calling = async {
        client.prompt("p", json!({ "x": "1" })).await.unwrap();
        client.read("x:a").await.unwrap();
        assert_eq!(client.tools().await.unwrap_err().kind(), ErrorKind::Malformed);
    };
    soon(async { tokio::join!(calling, script) }).await;
}

#[tokio::test]
async fn state_alone_is_brought_back_later_and_rounds_have_an_end() {
    let mut limits = ClientLimits::default();
    (limits.rounds, limits.round_backoff) = (3, Duration::from_millis(1));
    let (client, mut far) = modern(builder().limits(limits)).await;
    let result = call(&client, &mut far, async |far| {
        for round in 0..4 {
            let asked = far.expect("tools/call").await;
            let state = round.to_string();
            assert_eq!(asked["params"].get("inputResponses"), None);
            assert_eq!(asked["params"].get("requestState").is_some(), round > 0);
            far.answer(&asked, asks(&Value::Null, Some(&state))).await;
        }
    })
    .await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Limit);
}

#[tokio::test]
async fn what_nobody_can_answer_ends_the_call_without_a_retry() {
    // S-378
    let url =
        json!({ "method": "elicitation/create", "params": { "mode": "url", "message": "m", "url": "https://a" } });
    let tools =
        json!({ "method": "sampling/createMessage", "params": { "maxTokens": 1, "messages": [], "tools": [] } });
    let odd = json!({ "method": "ping" });
    for (question, kind, code) in [
        (url, ErrorKind::Unanswerable, Some(-32602)),
        (tools, ErrorKind::Unanswerable, Some(-32602)),
        (odd, ErrorKind::Malformed, None),
    ] {
        let (client, mut far) = modern(answering()).await;
        let result = call(&client, &mut far, async |far| {
            let first = far.expect("tools/call").await;
            far.answer(&first, asks(&json!({ "q": question }), Some("s"))).await;
        })
        .await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.rpc().map(|error| error.code.0), code);
        drop(client);
        assert_eq!(far.try_recv().await, None);
    }
}

#[tokio::test]
async fn defaults_fill_what_a_form_leaves_out_and_refusals_have_no_content() {
    // M26-488, M26-491
    let fields = json!({
        "name": { "type": "string", "default": "Eve" }, "age": { "type": "integer", "default": 30 },
        "score": { "type": "number", "default": 95.5 }, "ok": { "type": "boolean", "default": true },
        "pick": { "type": "string", "enum": ["a", "b"], "default": "b" },
    });
    for accepts in [true, false] {
        let (client, mut far) =
            modern(builder().on_form(move |_| async move { if accepts { accept(&json!({})) } else { Ok(decline()) } }))
                .await;
        call(&client, &mut far, async |far| {
            let first = far.expect("tools/call").await;
            let mut question = form(&fields);
            question["params"]["mode"] = "form".into(); // said or unsaid, it means the same
            far.answer(&first, asks(&json!({ "f": question }), None)).await;
            let second = far.expect("tools/call").await;
            let wanted = if accepts {
                json!({ "action": "accept",
                    "content": { "name": "Eve", "age": 30, "score": 95.5, "ok": true, "pick": "b" } })
            } else {
                json!({ "action": "decline" })
            };
            assert_eq!(second["params"]["inputResponses"]["f"], wanted);
            far.answer(&second, text("ok")).await;
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn results_say_what_they_are() {
    // M26-012, M26-013
    for (result, fine) in [
        (json!({ "content": [] }), true),
        (json!({ "resultType": "complete", "content": [] }), true),
        (json!({ "resultType": "task", "content": [] }), false),
        (json!({ "resultType": 7, "content": [] }), false),
        (json!({ "resultType": "input_required" }), false),
        (json!({ "content": "text" }), false),
        (json!([]), false),
    ] {
        let (client, mut far) = modern(builder()).await;
        let outcome = call(&client, &mut far, async |far| {
            let asked = far.expect("tools/call").await;
            far.answer(&asked, result.clone()).await;
        })
        .await;
        assert_eq!(outcome.is_ok(), fine, "{result} {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Malformed);
        }
    }
}

#[tokio::test]
async fn a_call_that_waits_can_be_finished_by_another_process() {
    let mut handles = Handles::default();
    handles.form = true;
    let (client, mut far) = modern(builder().declare(handles)).await;
    let script = async {
        let first = far.expect("tools/call").await;
        let declared = &first["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
        assert_eq!(declared, &json!({ "elicitation": { "form": {} } }));
        far.answer(&first, asks(&json!({ "who": form(&json!({ "n": { "type": "string" } })) }), Some("secret"))).await;
        first
    };
    let (settled, first) =
        soon(async { tokio::join!(async { client.call("tool", json!({ "a": [1] })).manual().await }, script) }).await;
    let Settled::Pending(pending) = settled.unwrap() else { panic!("there are questions") };
    assert_eq!((pending.method(), pending.questions()[0].0.as_str()), ("tools/call", "who"));
    assert!(!format!("{pending:?}").contains("secret"));
    let stored = serde_json::to_string(&pending).unwrap();
    drop(client);

    let pending: Pending = serde_json::from_str(&stored).unwrap();
    let (client, mut far) = modern(builder()).await;
    let answers = Answers::new().elicited("who", &accept(&json!({ "n": "Ada" })).unwrap());
    let script = async {
        let second = far.expect("tools/call").await;
        assert_eq!(second["params"]["arguments"], first["params"]["arguments"]);
        assert_eq!(second["params"]["requestState"], "secret");
        assert_eq!(second["params"]["inputResponses"]["who"], json!({ "action": "accept", "content": { "n": "Ada" } }));
        far.answer(&second, text("hello")).await;
    };
    let calling = async { client.resume::<CallToolResult>(pending, answers).await };
    let (result, ()) = soon(async { tokio::join!(calling, script) }).await;
    assert_eq!(result.unwrap(), CallToolResult::text("hello"));
}

#[tokio::test]
async fn too_many_questions_at_once_are_refused() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let (client, mut far) = modern(builder().on_roots(move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { Vec::new() }
    }))
    .await;
    let result = call(&client, &mut far, async |far| {
        let first = far.expect("tools/call").await;
        let questions: serde_json::Map<String, Value> =
            (0..65).map(|n| (n.to_string(), json!({ "method": "roots/list" }))).collect();
        far.answer(&first, asks(&questions.into(), None)).await;
    })
    .await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}
