//! Text of servers in errors and logs: without escape sequences, and of bounded length.

use ferromcp_client::{ClientError, ErrorKind};
use serde_json::{Value, json};

use crate::recorder::Recorder;
use crate::script::{ScriptedServer, builder, legacy, modern, soon};

/// Sets a terminal's title and colors, erases the line, and reverses the text that follows.
const ATTACK: &str = "a\u{1b}]0;owned\u{7}\u{1b}[31m\r\u{9b}2K\u{8}b\u{202e}c\u{2066}\u{200f}\u{0}";

#[track_caller]
fn assert_harmless(shown: &str) {
    let harmful = |c: &char| (c.is_control() && !matches!(c, '\n' | '\t')) || "\u{202e}\u{2066}\u{200f}".contains(*c);
    assert_eq!(shown.chars().find(harmful), None, "{shown:?}");
    assert!(shown.len() < 50_000, "{} bytes", shown.len());
}

/// Checks an error and its sources, as `Display` and as `Debug`.
#[track_caller]
fn assert_harmless_error(error: &ClientError) {
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        assert_harmless(&error.to_string());
        assert_harmless(&format!("{error:?}"));
        next = error.source();
    }
}

#[test]
fn transport_and_core_escape_the_same_characters() {
    for c in '\0'..=char::MAX {
        let text = c.to_string();
        assert_eq!(ferromcp_core::text::escape(&text), ferromcp_transport::escape(&text), "{c:?}");
    }
}

/// Calls a tool, and answers with `script`.
async fn call_error(answer: impl AsyncFnOnce(&mut ScriptedServer, Value)) -> ClientError {
    let (client, mut peer) = modern(builder()).await;
    let script = async {
        let call = peer.expect("tools/call").await;
        answer(&mut peer, call).await;
    };
    let call = async { client.call_as::<u32>("t", ()).await };
    soon(async { tokio::join!(call, script) }).await.0.unwrap_err()
}

#[tokio::test]
async fn errors_escape_and_truncate_text_of_server() {
    let long = ATTACK.repeat(100_000);
    for text in [ATTACK, &long] {
        let rpc = json!({ "code": -32000, "message": text, "data": { "x": text } });
        let reject = async |peer: &mut ScriptedServer, call: Value| {
            peer.send(json!({ "jsonrpc": "2.0", "id": call["id"], "error": rpc })).await;
        };
        let error = call_error(reject).await;
        assert_harmless_error(&error);
        assert_eq!(error.rpc().unwrap().message, text, "the text itself is available");
        for result in [
            json!({ "resultType": text }),
            json!({ "resultType": "complete", "content": [{ "type": text }] }),
            json!({ "resultType": "complete", "content": 5, "structuredContent": text }),
            json!({ "resultType": "complete", "content": [{ "type": "text", "text": text }] }),
            json!({ "resultType": "complete", "content": [], "structuredContent": { text: text } }),
            json!({ "resultType": "input_required", "inputRequests": { text: { "method": text } } }),
            json!({ "resultType": "input_required", "inputRequests": {
                text: { "method": "roots/list", "params": {} } } }),
        ] {
            let error =
                call_error(async |peer: &mut ScriptedServer, call: Value| peer.answer(&call, result).await).await;
            assert_harmless_error(&error);
        }
    }
}

#[tokio::test]
async fn tool_error_preserves_lines_and_whole_text() {
    let lines = format!("first\n\tsecond {}\u{1b}[0m", "x".repeat(100_000));
    let result = json!({ "resultType": "complete", "isError": true, "content": [{ "type": "text", "text": lines }] });
    let error = call_error(async |peer: &mut ScriptedServer, call: Value| peer.answer(&call, result).await).await;
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::Tool, lines.replace('\u{1b}', "\\u{1b}")));
}

#[tokio::test]
async fn negotiation_errors_escape_and_truncate_versions() {
    let long = ATTACK.repeat(10_000);
    let (outcome, _) = crate::script::connect_to(builder(), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        peer.fail(&probe, -32601, Value::Null).await;
        let opening = peer.expect("initialize").await;
        peer.answer(&opening, crate::script::initialized(&long)).await;
    })
    .await;
    assert_harmless_error(&outcome.unwrap_err());
    let (outcome, _) = crate::script::connect_to(builder(), async |peer: &mut ScriptedServer| {
        let probe = peer.expect("server/discover").await;
        peer.answer(&probe, crate::script::discovered(&[&long])).await;
    })
    .await;
    assert_harmless_error(&outcome.unwrap_err());
}

#[cfg(unix)]
#[tokio::test]
async fn exit_text_escapes_stderr_of_child() {
    let script = "printf 'a\\033]0;owned\\007\\033[31m\\342\\200\\256' >&2; sleep 0.1; exit 7";
    let error = soon(builder().connect(crate::child_processes::shell(script))).await.unwrap_err();
    assert!(error.to_string().contains("last stderr output: a\\u{1b}]0;owned"), "{error}");
    assert_harmless_error(&error);
}

#[tokio::test]
async fn logs_escape_and_truncate_text_of_server() {
    let recorder = Recorder::default();
    let _subscriber = tracing::subscriber::set_default(recorder.clone());
    let long = ATTACK.repeat(10_000);
    for is_modern in [true, false] {
        let (client, mut peer) = if is_modern { modern(builder()).await } else { legacy(builder()).await };
        peer.notify(&long, json!({})).await;
        peer.ask(json!(long), &long, json!({})).await;
        peer.line(&long.replace(['\r', '\u{0}'], "")).await;
        peer.send(json!({ "jsonrpc": "2.0", "id": long, "result": {} })).await;
        peer.send(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": long, "reason": long } })).await;
        let script = async {
            let list = loop {
                let message = peer.recv().await;
                if message["method"] == "tools/list" {
                    break message;
                }
            };
            let tool = json!({ "name": long, "inputSchema": { "type": "object", "properties": { &long: 5 } } });
            peer.answer(&list, json!({ "tools": [tool, { "name": &long }], "nextCursor": [5], &long: long })).await;
        };
        let _ = soon(async { tokio::join!(async { client.tools().await }, script) }).await.0;
    }
    #[cfg(unix)]
    {
        let script = "printf 'child \\033[31mred\\033]0;owned\\007\\n' >&2; sleep 0.1; exit 7";
        soon(builder().connect(crate::child_processes::shell(script))).await.unwrap_err();
        let lines =
            recorder.events().iter().filter_map(|event| event.fields.get("message").cloned()).collect::<Vec<_>>();
        assert!(lines.iter().any(|line| line.starts_with("child \\u{1b}[31mred")), "{lines:?}");
    }
    for event in recorder.events() {
        for (name, value) in event.fields {
            assert_harmless(&value);
            assert!(value.len() < 10_000, "{name} has {} bytes", value.len());
        }
    }
}
