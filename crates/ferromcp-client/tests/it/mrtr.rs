//! Multi-round-trip requests: `input_required` responses and retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferromcp_client::{
    CallOutcome, Client, ClientBuilder, ClientLimits, ErrorKind, HandledRequests, InputAnswers, PendingCall, accept,
    decline,
};
use ferromcp_core::model::{CallToolResult, CreateMessageResult, Root, SamplingContent};
use serde_json::{Value, json};

use crate::script::{ScriptedServer, builder, modern, soon, text};

fn form(fields: &Value) -> Value {
    json!({ "method": "elicitation/create", "params": { "message": "Who?",
        "requestedSchema": { "type": "object", "properties": fields } } })
}

fn input_required(questions: &Value, state: Option<&str>) -> Value {
    let mut result = json!({ "resultType": "input_required" });
    if !questions.is_null() {
        result["inputRequests"] = questions.clone();
    }
    if let Some(state) = state {
        result["requestState"] = state.into();
    }
    result
}

fn builder_with_handlers() -> ClientBuilder {
    builder()
        .on_form(|_| async { accept(&json!({ "name": "Ada" })) })
        .on_sampling(|_| async { CreateMessageResult::new("model", SamplingContent::text("Oslo")) })
        .on_roots(|| async { vec![Root::new("file:///w")] })
}

/// Calls `tool` while `script` runs.
async fn call<F: AsyncFnOnce(&mut ScriptedServer)>(
    client: &Client,
    peer: &mut ScriptedServer,
    script: F,
) -> Result<CallToolResult, ferromcp_client::ClientError> {
    let calling = async { client.call("tool", json!({ "a": 1 })).meta("com.example/k", "v").await };
    soon(async { tokio::join!(calling, script(peer)) }).await.0
}

#[tokio::test]
async fn answers_input_requests_and_retries_with_latest_request_state() {
    // M26-003, M26-005, M26-022, M26-051, M26-052, M26-477, M26-484
    let (client, mut peer) = modern(builder_with_handlers()).await;
    let result = call(&client, &mut peer, async |peer| {
        let first = peer.expect("tools/call").await;
        let declared = &first["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
        assert_eq!(declared, &json!({ "elicitation": { "form": {} }, "sampling": {}, "roots": {} }));
        let sampling = json!({ "method": "sampling/createMessage", "params": { "maxTokens": 5, "messages": [
            { "role": "user", "content": { "type": "text", "text": "Capital?" } }] } });
        let questions = json!({ "who": form(&json!({ "name": { "type": "string" } })), "capital": sampling,
            "where": { "method": "roots/list" } });
        peer.answer(&first, input_required(&questions, Some("s\u{e9}\"1"))).await;

        let second = peer.expect("tools/call").await;
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
        // No state, and another input request: only that is answered, and the previous state is dropped.
        peer.answer(&second, input_required(&json!({ "again": { "method": "roots/list" } }), None)).await;
        let third = peer.expect("tools/call").await;
        assert_eq!(third["params"].get("requestState"), None);
        assert_eq!(third["params"]["inputResponses"], json!({ "again": { "roots": [{ "uri": "file:///w" }] } }));
        peer.answer(&third, text("done")).await;
    })
    .await;
    assert_eq!(result.unwrap(), CallToolResult::text("done"));
}

#[tokio::test]
async fn rejects_input_required_when_method_does_not_support_it() {
    let (client, mut peer) = modern(builder_with_handlers()).await;
    let question = json!({ "where": { "method": "roots/list" } });
    let script = async {
        let first = peer.expect("prompts/get").await;
        peer.answer(&first, input_required(&question, None)).await;
        let second = peer.expect("prompts/get").await;
        assert!(second["params"]["inputResponses"]["where"]["roots"].is_array());
        peer.answer(&second, json!({ "resultType": "complete", "messages": [] })).await;
        let first = peer.expect("resources/read").await;
        peer.answer(&first, input_required(&question, None)).await;
        let second = peer.expect("resources/read").await;
        peer.answer(&second, json!({ "contents": [{ "uri": "x:a", "text": "t" }], "ttlMs": 1000 })).await;
        let list = peer.expect("tools/list").await;
        peer.answer(&list, input_required(&question, None)).await;
    };
    let calling = async {
        client.prompt("p", json!({ "x": "1" })).await.unwrap();
        client.read("x:a").await.unwrap();
        assert_eq!(client.tools().await.unwrap_err().kind(), ErrorKind::InvalidResponse);
    };
    soon(async { tokio::join!(calling, script) }).await;
}

#[tokio::test(start_paused = true)] // the clock advances during the backoff
async fn retries_with_backoff_when_response_has_only_state() {
    let (client, mut peer) = modern(builder().limits(ClientLimits::new().rounds(3))).await;
    let result = call(&client, &mut peer, async |peer| {
        for round in 0..4 {
            let request = peer.expect("tools/call").await;
            let state = round.to_string();
            assert_eq!(request["params"].get("inputResponses"), None);
            assert_eq!(request["params"].get("requestState").is_some(), round > 0);
            peer.answer(&request, input_required(&Value::Null, Some(&state))).await;
        }
    })
    .await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Limit);
}

#[tokio::test]
async fn call_fails_without_retry_when_no_handler_can_answer() {
    // S-378
    let url =
        json!({ "method": "elicitation/create", "params": { "mode": "url", "message": "m", "url": "https://a" } });
    let tools =
        json!({ "method": "sampling/createMessage", "params": { "maxTokens": 1, "messages": [], "tools": [] } });
    let odd = json!({ "method": "ping" });
    for (question, kind, code) in [
        (url, ErrorKind::Unanswerable, Some(-32602)),
        (tools, ErrorKind::Unanswerable, Some(-32602)),
        (odd, ErrorKind::InvalidResponse, None),
    ] {
        let (client, mut peer) = modern(builder_with_handlers()).await;
        let result = call(&client, &mut peer, async |peer| {
            let first = peer.expect("tools/call").await;
            peer.answer(&first, input_required(&json!({ "q": question }), Some("s"))).await;
        })
        .await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.rpc().map(|error| error.code.0), code);
        drop(client);
        assert_eq!(peer.try_recv().await, None);
    }
}

#[tokio::test]
async fn inserts_form_defaults_when_accepted_and_omits_content_when_declined() {
    // M26-488, M26-491
    let fields = json!({
        "name": { "type": "string", "default": "Eve" }, "age": { "type": "integer", "default": 30 },
        "score": { "type": "number", "default": 95.5 }, "ok": { "type": "boolean", "default": true },
        "pick": { "type": "string", "enum": ["a", "b"], "default": "b" },
    });
    for accepts in [true, false] {
        let (client, mut peer) =
            modern(builder().on_form(move |_| async move { if accepts { accept(&json!({})) } else { Ok(decline()) } }))
                .await;
        call(&client, &mut peer, async |peer| {
            let first = peer.expect("tools/call").await;
            let mut question = form(&fields);
            question["params"]["mode"] = "form".into(); // `form` is the default mode
            peer.answer(&first, input_required(&json!({ "f": question }), None)).await;
            let second = peer.expect("tools/call").await;
            let expected = if accepts {
                json!({ "action": "accept",
                    "content": { "name": "Eve", "age": 30, "score": 95.5, "ok": true, "pick": "b" } })
            } else {
                json!({ "action": "decline" })
            };
            assert_eq!(second["params"]["inputResponses"]["f"], expected);
            peer.answer(&second, text("ok")).await;
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn rejects_result_when_result_type_is_unknown() {
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
        let (client, mut peer) = modern(builder()).await;
        let outcome = call(&client, &mut peer, async |peer| {
            let request = peer.expect("tools/call").await;
            peer.answer(&request, result.clone()).await;
        })
        .await;
        assert_eq!(outcome.is_ok(), fine, "{result} {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        }
    }
}

#[tokio::test]
async fn another_process_resumes_pending_call() {
    let mut handles = HandledRequests::default();
    handles.form = true;
    let (client, mut peer) = modern(builder().declare_capabilities(handles)).await;
    let script = async {
        let first = peer.expect("tools/call").await;
        let declared = &first["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"];
        assert_eq!(declared, &json!({ "elicitation": { "form": {} } }));
        peer.answer(
            &first,
            input_required(&json!({ "who": form(&json!({ "n": { "type": "string" } })) }), Some("secret")),
        )
        .await;
        first
    };
    let (outcome, first) =
        soon(async { tokio::join!(async { client.call("tool", json!({ "a": [1] })).manual().await }, script) }).await;
    let CallOutcome::InputRequired(pending) = outcome.unwrap() else { panic!("expected input requests") };
    assert_eq!((pending.method(), pending.input_requests()[0].0.as_str()), ("tools/call", "who"));
    assert!(!format!("{pending:?}").contains("secret"));
    let stored = serde_json::to_string(&pending).unwrap();
    drop(client);

    let pending: PendingCall = serde_json::from_str(&stored).unwrap();
    let (client, mut peer) = modern(builder()).await;
    let answers = InputAnswers::new().elicitation("who", &accept(&json!({ "n": "Ada" })).unwrap());
    let script = async {
        let second = peer.expect("tools/call").await;
        assert_eq!(second["params"]["arguments"], first["params"]["arguments"]);
        assert_eq!(second["params"]["requestState"], "secret");
        assert_eq!(second["params"]["inputResponses"]["who"], json!({ "action": "accept", "content": { "n": "Ada" } }));
        peer.answer(&second, text("hello")).await;
    };
    let calling = async { client.resume::<CallToolResult>(pending, answers).await };
    let (result, ()) = soon(async { tokio::join!(calling, script) }).await;
    assert_eq!(result.unwrap(), CallToolResult::text("hello"));
}

#[tokio::test]
async fn rejects_input_requests_when_limit_is_exceeded() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let (client, mut peer) = modern(builder().on_roots(move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { Vec::new() }
    }))
    .await;
    let result = call(&client, &mut peer, async |peer| {
        let first = peer.expect("tools/call").await;
        let questions: serde_json::Map<String, Value> =
            (0..65).map(|n| (n.to_string(), json!({ "method": "roots/list" }))).collect();
        peer.answer(&first, input_required(&questions.into(), None)).await;
    })
    .await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}
