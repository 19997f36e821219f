//! Live questions of legacy servers: answered by the same handlers, side by side, within what was declared.

use std::future::pending;
use std::time::Duration;

use ferromcp_client::{ClientBuilder, ClientLimits, accept, accept_url, decline};
use ferromcp_core::model::{CreateMessageResult, LogLevel, Root, SamplingContent};
use ferromcp_core::{Error, Revision};
use serde_json::{Value, json};

use crate::script::{Far, builder, connect_to, initialized, legacy, modern, soon};

fn form() -> Value {
    json!({ "message": "Who?", "requestedSchema": { "type": "object", "properties": {
        "name": { "type": "string", "default": "Eve" } } } })
}

fn url() -> Value {
    json!({ "mode": "url", "message": "Go", "url": "https://a.example/x", "elicitationId": "e1" })
}

fn message(tools: bool) -> Value {
    let mut params = json!({ "maxTokens": 5, "messages": [] });
    if tools {
        params["tools"] = json!([]);
    }
    params
}

fn all() -> ClientBuilder {
    builder()
        .on_form(|_| async { accept(&json!({})) })
        .on_url(|_| async { accept_url() })
        .on_sampling_with_tools(|_| async { CreateMessageResult::new("m", SamplingContent::text("t")) })
        .on_roots(|| async { vec![Root::new("file:///w")] })
}

async fn asked(far: &mut Far, method: &str, params: Value) -> Value {
    far.ask(json!("q"), method, params).await;
    let answer = far.recv().await;
    assert_eq!(answer["id"], "q", "{answer}");
    answer
}

#[tokio::test]
async fn what_there_is_a_handler_for_is_declared_and_answered() {
    // S-007, S-083, S-351, S-375, S-376, M26-478
    let (client, mut far) = connect_to(all(), async |far: &mut Far| {
        let probe = far.expect("server/discover").await;
        far.fail(&probe, -32601, Value::Null).await;
        let opening = far.open_session().await;
        assert_eq!(
            opening["params"]["capabilities"],
            json!({ "roots": { "listChanged": true }, "sampling": { "tools": {} }, "elicitation": { "form": {}, "url": {} } })
        );
    })
    .await;
    let client = client.unwrap();
    let answer = asked(&mut far, "elicitation/create", form()).await;
    assert_eq!(answer["result"], json!({ "action": "accept", "content": { "name": "Eve" } }));
    let answer = asked(&mut far, "elicitation/create", url()).await;
    assert_eq!(answer["result"], json!({ "action": "accept" }));
    let answer = asked(&mut far, "sampling/createMessage", message(true)).await;
    assert_eq!(answer["result"]["model"], "m");
    let answer = asked(&mut far, "roots/list", Value::Null).await;
    assert_eq!(answer["result"], json!({ "roots": [{ "uri": "file:///w" }] }));
    let answer = asked(&mut far, "ping", Value::Null).await;
    assert_eq!(answer["result"], json!({}));
    // S-352
    soon(client.roots_changed()).await.unwrap();
    far.expect("notifications/roots/list_changed").await;
}

#[tokio::test]
async fn what_was_not_declared_is_refused_with_the_right_code() {
    // S-354, S-355, S-378
    let (_client, mut far) = legacy(builder()).await;
    for (method, params, code) in [
        ("elicitation/create", form(), -32602),
        ("elicitation/create", url(), -32602),
        ("sampling/createMessage", message(false), -32601),
        ("roots/list", Value::Null, -32601),
        ("tasks/list", Value::Null, -32601),
        ("own/question", Value::Null, -32601),
        ("elicitation/create", json!({ "mode": "smoke", "message": "m" }), -32602),
        ("elicitation/create", json!([]), -32602),
    ] {
        let answer = asked(&mut far, method, params.clone()).await;
        assert_eq!(answer["error"]["code"], code, "{method} {params} {answer}");
    }
    let only = builder()
        .on_form(|_| async { decline() })
        .on_sampling(|_| async { CreateMessageResult::new("m", SamplingContent::text("t")) })
        .on_roots(|| async { Err::<Vec<Root>, _>(Error::internal("the disk is gone")) });
    let (_client, mut far) = legacy(only).await;
    for (method, params, code) in [
        ("elicitation/create", url(), -32602),
        ("sampling/createMessage", message(true), -32602),
        ("roots/list", Value::Null, -32603),
    ] {
        assert_eq!(asked(&mut far, method, params).await["error"]["code"], code, "{method}");
    }
    assert_eq!(asked(&mut far, "elicitation/create", form()).await["result"], json!({ "action": "decline" }));
}

#[tokio::test]
async fn a_handler_that_panics_is_an_answer_too() {
    // S-355
    let panics = builder().on_roots(|| async { if true { panic!("the handler's own matter") } else { Vec::new() } });
    let (_client, mut far) = legacy(panics).await;
    let answer = asked(&mut far, "roots/list", Value::Null).await;
    assert_eq!(answer["error"], json!({ "code": -32603, "message": "Internal error" }));
}

#[tokio::test]
async fn capabilities_are_told_as_the_revision_knows_them() {
    let pinned = all().only_revision(Revision::V2025_06_18);
    let (client, _far) = connect_to(pinned, async |far: &mut Far| {
        let opening = far.open_session().await;
        assert_eq!(
            opening["params"]["capabilities"],
            json!({ "roots": { "listChanged": true }, "sampling": {}, "elicitation": {} })
        );
    })
    .await;
    client.unwrap();
}

#[tokio::test]
async fn a_question_that_is_taken_back_is_not_answered() {
    // S-216, S-217
    let (_client, mut far) = legacy(builder().on_form(|_| pending::<ferromcp_core::model::ElicitResult>())).await;
    far.ask(json!(1), "elicitation/create", form()).await;
    far.notify("notifications/cancelled", json!({ "requestId": 1, "reason": "too late" })).await;
    far.notify("notifications/cancelled", json!({ "requestId": 99 })).await;
    far.ask(json!(2), "ping", Value::Null).await;
    assert_eq!(far.recv().await["id"], 2);
}

#[tokio::test]
async fn questions_are_answered_side_by_side_and_within_a_limit() {
    let mut limits = ClientLimits::default();
    limits.questions = 2;
    let (_client, mut far) =
        legacy(builder().limits(limits).on_form(|_| pending::<ferromcp_core::model::ElicitResult>())).await;
    for id in 1..=2 {
        far.ask(json!(id), "elicitation/create", form()).await;
    }
    far.ask(json!(3), "elicitation/create", form()).await;
    let refused = far.recv().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(3), &json!(-32603)), "{refused}");
}

#[tokio::test]
async fn a_modern_server_gets_no_answers() {
    // M26-021, M26-022
    let (client, mut far) = modern(all()).await;
    far.ask(json!(1), "ping", Value::Null).await;
    far.ask(json!(2), "elicitation/create", form()).await;
    far.ask(json!(3), "elicitation/create", json!([])).await;
    let calling = async { client.read("x:a").await };
    let script = async {
        let read = far.expect("resources/read").await;
        far.answer(&read, json!({ "contents": [{ "uri": "x:a", "text": "t" }] })).await;
    };
    soon(async { tokio::join!(calling, script) }).await.0.unwrap();
    drop(client);
    assert_eq!(far.try_recv().await, None);
}

#[tokio::test]
async fn a_call_is_not_late_while_its_server_waits_for_an_answer() {
    let mut limits = ClientLimits::default();
    limits.request_timeout = Duration::from_millis(80);
    let slow = builder().limits(limits).on_form(|_| async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        accept(&json!({}))
    });
    let (client, mut far) = legacy(slow).await;
    let script = async {
        let call = far.expect("tools/call").await;
        far.ask(json!("q"), "elicitation/create", form()).await;
        assert_eq!(far.recv().await["id"], "q");
        far.answer(&call, json!({ "content": [] })).await;
    };
    soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await.0.unwrap();
}

#[tokio::test]
async fn logs_are_wished_for_once_in_a_session_and_with_each_modern_request() {
    // S-325
    let (sender, mut logs) = tokio::sync::mpsc::unbounded_channel();
    let listening = builder().on_log(LogLevel::Warning, move |log| drop(sender.send(log)));
    let (client, mut far) = connect_to(listening.clone(), async |far: &mut Far| {
        let probe = far.expect("server/discover").await;
        far.fail(&probe, -32601, Value::Null).await;
        let opening = far.expect("initialize").await;
        far.answer(&opening, initialized(Revision::LATEST_LEGACY.as_str())).await;
        far.expect("notifications/initialized").await;
        let level = far.expect("logging/setLevel").await;
        assert_eq!(level["params"]["level"], "warning");
        far.answer(&level, json!({})).await;
    })
    .await;
    let _client = client.unwrap();
    far.notify("notifications/message", json!({ "level": "error", "data": { "a": 1 }, "logger": "db" })).await;
    let log = soon(logs.recv()).await.unwrap();
    assert_eq!((log.level, log.data.as_str(), log.logger.as_deref()), (LogLevel::Error, r#"{"a":1}"#, Some("db")));

    let (client, mut far) = modern(listening).await;
    let script = async {
        let read = far.expect("resources/read").await;
        assert_eq!(read["params"]["_meta"]["io.modelcontextprotocol/logLevel"], "warning");
        far.answer(&read, json!({ "contents": [] })).await;
    };
    soon(async { tokio::join!(async { client.read("x:a").await }, script) }).await.0.unwrap();
}

#[tokio::test]
async fn an_answer_that_does_not_follow_its_form_does_not_leave() {
    let wrong = || builder().on_form(|_| async { accept(&json!({ "name": 7 })) });
    let (_client, mut far) = legacy(wrong()).await;
    let answer = asked(&mut far, "elicitation/create", form()).await;
    assert_eq!(answer["error"]["code"], -32603);
    assert!(answer["error"]["message"].as_str().unwrap().contains("/name"), "{answer}");

    let (client, mut far) = modern(wrong()).await;
    let script = async {
        let call = far.expect("tools/call").await;
        let question = json!({ "method": "elicitation/create", "params": form() });
        far.answer(&call, json!({ "resultType": "input_required", "inputRequests": { "q": question } })).await;
    };
    let error = soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ferromcp_client::ErrorKind::Unanswerable);
    assert!(error.to_string().contains("`q`") && error.to_string().contains("/name"), "{error}");
}
