//! JSON-RPC requests of legacy servers: dispatched to handlers concurrently, within the declared capabilities.

use std::future::pending;
use std::time::Duration;

use ferromcp_client::{ClientBuilder, ClientLimits, accept, accept_url, decline};
use ferromcp_core::model::{CreateMessageResult, LogLevel, Root, SamplingContent};
use ferromcp_core::{Error, Revision};
use serde_json::{Value, json};

use crate::script::{ScriptedServer, builder, connect_to, initialized, legacy, modern, soon};

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

fn builder_with_handlers() -> ClientBuilder {
    builder()
        .on_form(|_| async { accept(&json!({})) })
        .on_url(|_| async { accept_url() })
        .on_sampling_with_tools(|_| async { CreateMessageResult::new("m", SamplingContent::text("t")) })
        .on_roots(|| async { vec![Root::new("file:///w")] })
}

async fn send_request(peer: &mut ScriptedServer, method: &str, params: Value) -> Value {
    peer.ask(json!("q"), method, params).await;
    let answer = peer.recv().await;
    assert_eq!(answer["id"], "q", "{answer}");
    answer
}

#[tokio::test]
async fn declares_and_answers_requests_with_handlers() {
    // S-007, S-083, S-351, S-375, S-376, M26-478
    let (client, mut peer) = connect_to(builder_with_handlers(), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        peer.fail(&probe, -32601, Value::Null).await;
        let opening = peer.open_session().await;
        assert_eq!(
            opening["params"]["capabilities"],
            json!({ "roots": { "listChanged": true }, "sampling": { "tools": {} }, "elicitation": { "form": {}, "url": {} } })
        );
    })
    .await;
    let client = client.unwrap();
    let answer = send_request(&mut peer, "elicitation/create", form()).await;
    assert_eq!(answer["result"], json!({ "action": "accept", "content": { "name": "Eve" } }));
    let answer = send_request(&mut peer, "elicitation/create", url()).await;
    assert_eq!(answer["result"], json!({ "action": "accept" }));
    let answer = send_request(&mut peer, "sampling/createMessage", message(true)).await;
    assert_eq!(answer["result"]["model"], "m");
    let answer = send_request(&mut peer, "roots/list", Value::Null).await;
    assert_eq!(answer["result"], json!({ "roots": [{ "uri": "file:///w" }] }));
    let answer = send_request(&mut peer, "ping", Value::Null).await;
    assert_eq!(answer["result"], json!({}));
    // S-352
    soon(client.roots_changed()).await.unwrap();
    peer.expect("notifications/roots/list_changed").await;
}

#[tokio::test]
async fn rejects_request_when_capability_is_not_declared() {
    // S-354, S-355, S-378
    let (_client, mut peer) = legacy(builder()).await;
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
        let answer = send_request(&mut peer, method, params.clone()).await;
        assert_eq!(answer["error"]["code"], code, "{method} {params} {answer}");
    }
    let only = builder()
        .on_form(|_| async { decline() })
        .on_sampling(|_| async { CreateMessageResult::new("m", SamplingContent::text("t")) })
        .on_roots(|| async { Err::<Vec<Root>, _>(Error::internal("the disk is gone")) });
    let (_client, mut peer) = legacy(only).await;
    for (method, params, code) in [
        ("elicitation/create", url(), -32602),
        ("sampling/createMessage", message(true), -32602),
        ("roots/list", Value::Null, -32603),
    ] {
        assert_eq!(send_request(&mut peer, method, params).await["error"]["code"], code, "{method}");
    }
    assert_eq!(send_request(&mut peer, "elicitation/create", form()).await["result"], json!({ "action": "decline" }));
}

#[tokio::test]
async fn responds_with_internal_error_when_handler_panics() {
    // S-355
    let panics = builder().on_roots(|| async { if true { panic!("handler panic") } else { Vec::new() } });
    let (_client, mut peer) = legacy(panics).await;
    let answer = send_request(&mut peer, "roots/list", Value::Null).await;
    assert_eq!(answer["error"], json!({ "code": -32603, "message": "Internal error" }));
}

#[tokio::test]
async fn declares_capabilities_in_format_of_revision() {
    let pinned = builder_with_handlers().only_revision(Revision::V2025_06_18);
    let (client, _far) = connect_to(pinned, async |peer: &mut ScriptedServer| {
        let opening = peer.open_session().await;
        assert_eq!(
            opening["params"]["capabilities"],
            json!({ "roots": { "listChanged": true }, "sampling": {}, "elicitation": {} })
        );
    })
    .await;
    client.unwrap();
}

#[tokio::test]
async fn does_not_respond_when_request_is_cancelled() {
    // S-216, S-217
    let (_client, mut peer) = legacy(builder().on_form(|_| pending::<ferromcp_core::model::ElicitResult>())).await;
    peer.ask(json!(1), "elicitation/create", form()).await;
    peer.notify("notifications/cancelled", json!({ "requestId": 1, "reason": "too late" })).await;
    peer.notify("notifications/cancelled", json!({ "requestId": 99 })).await;
    peer.ask(json!(2), "ping", Value::Null).await;
    assert_eq!(peer.recv().await["id"], 2);
}

#[tokio::test]
async fn answers_requests_concurrently_up_to_limit() {
    let (_client, mut peer) = legacy(builder().on_form(|_| pending::<ferromcp_core::model::ElicitResult>())).await;
    for id in 1..=33 {
        peer.ask(json!(id), "elicitation/create", form()).await;
    }
    let refused = peer.recv().await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(33), &json!(-32603)), "{refused}");
}

#[tokio::test]
async fn ignores_requests_from_modern_server() {
    // M26-021, M26-022
    let (client, mut peer) = modern(builder_with_handlers()).await;
    peer.ask(json!(1), "ping", Value::Null).await;
    peer.ask(json!(2), "elicitation/create", form()).await;
    peer.ask(json!(3), "elicitation/create", json!([])).await;
    let calling = async { client.read("x:a").await };
    let script = async {
        let read = peer.expect("resources/read").await;
        peer.answer(&read, json!({ "contents": [{ "uri": "x:a", "text": "t" }] })).await;
    };
    soon(async { tokio::join!(calling, script) }).await.0.unwrap();
    drop(client);
    assert_eq!(peer.try_recv().await, None);
}

#[tokio::test]
async fn timeout_pauses_while_handler_answers() {
    let limits = ClientLimits::new().request_timeout(Duration::from_millis(80));
    let slow = builder().limits(limits).on_form(|_| async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        accept(&json!({}))
    });
    let (client, mut peer) = legacy(slow).await;
    let script = async {
        let call = peer.expect("tools/call").await;
        peer.ask(json!("q"), "elicitation/create", form()).await;
        assert_eq!(peer.recv().await["id"], "q");
        peer.answer(&call, json!({ "content": [] })).await;
    };
    soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await.0.unwrap();
}

#[tokio::test]
async fn sets_log_level_once_per_session_or_per_modern_request() {
    // S-325
    let (sender, mut logs) = tokio::sync::mpsc::unbounded_channel();
    let listening = builder().on_log(LogLevel::Warning, move |log| drop(sender.send(log)));
    let (client, mut peer) = connect_to(listening.clone(), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        peer.fail(&probe, -32601, Value::Null).await;
        let opening = peer.expect("initialize").await;
        peer.answer(&opening, initialized(Revision::LATEST_LEGACY.as_str())).await;
        peer.expect("notifications/initialized").await;
        let level = peer.expect("logging/setLevel").await;
        assert_eq!(level["params"]["level"], "warning");
        peer.answer(&level, json!({})).await;
    })
    .await;
    let _client = client.unwrap();
    peer.notify("notifications/message", json!({ "level": "error", "data": { "a": 1 }, "logger": "db" })).await;
    let log = soon(logs.recv()).await.unwrap();
    assert_eq!((log.level, log.data.as_str(), log.logger.as_deref()), (LogLevel::Error, r#"{"a":1}"#, Some("db")));

    let (client, mut peer) = modern(listening).await;
    let script = async {
        let read = peer.expect("resources/read").await;
        assert_eq!(read["params"]["_meta"]["io.modelcontextprotocol/logLevel"], "warning");
        peer.answer(&read, json!({ "contents": [] })).await;
    };
    soon(async { tokio::join!(async { client.read("x:a").await }, script) }).await.0.unwrap();
}

#[tokio::test]
async fn rejects_form_content_when_it_does_not_match_form() {
    let wrong = || builder().on_form(|_| async { accept(&json!({ "name": 7 })) });
    let (_client, mut peer) = legacy(wrong()).await;
    let answer = send_request(&mut peer, "elicitation/create", form()).await;
    assert_eq!(answer["error"]["code"], -32603);
    assert!(answer["error"]["message"].as_str().unwrap().contains("/name"), "{answer}");

    let (client, mut peer) = modern(wrong()).await;
    let script = async {
        let call = peer.expect("tools/call").await;
        let question = json!({ "method": "elicitation/create", "params": form() });
        peer.answer(&call, json!({ "resultType": "input_required", "inputRequests": { "q": question } })).await;
    };
    let error = soon(async { tokio::join!(async { client.call("t", ()).await }, script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ferromcp_client::ErrorKind::Unanswerable);
    assert!(error.to_string().contains("`q`") && error.to_string().contains("/name"), "{error}");
}
