//! Text of clients in errors: without escape sequences, and of bounded length.

use std::collections::HashMap;

use ferromcp_server::{Completion, Prompt, Resource, Server, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client};

/// Sets a terminal's title, clears the line, and reverses the text that follows.
const ATTACK: &str = "a\u{1b}]0;owned\u{7}\r\u{9b}2K\u{202e}b\u{7f}";

fn server() -> Server {
    Server::new("untrusted", "1")
        .with_tool(Tool::sync("add", |a: i64, b: Option<String>| format!("{a} {b:?}")).args(["a", "b"]))
        .with_tool(Tool::sync("map", |map: HashMap<String, HashMap<String, u8>>| map.len().to_string()).args(["map"]))
        .with_prompt(Prompt::sync("ask", |topic: String| topic).args(["topic"]))
        .with_resource(Resource::sync("note://{name}", |name: u8| name.to_string()).args(["name"]))
        .with_completion(Completion::prompt_sync("ask", "topic", |typed: String| vec![typed]).args(["typed"]))
}

/// Checks the texts of an answer. The data of an error may repeat a value unchanged, up to 8 KiB.
#[track_caller]
fn assert_harmless(answer: &Value) {
    let error = &answer["error"]["message"];
    let content = answer["result"]["content"].as_array().into_iter().flatten().map(|block| &block["text"]);
    for text in content.chain([error]).filter_map(Value::as_str) {
        let harmful = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert_eq!(text.chars().find(harmful), None, "{text:?}");
    }
    assert!(answer.to_string().len() < 20_000, "{} bytes", answer.to_string().len());
}

#[tokio::test]
async fn errors_escape_and_truncate_text_of_client() {
    for case in Case::eras() {
        let mut client = Client::connect(server(), case).await;
        for text in [ATTACK.to_owned(), ATTACK.repeat(3_000)] {
            for (method, params) in [
                ("tools/call", json!({ "name": text })),
                ("tools/call", json!({ "name": "add", "arguments": { "a": text } })),
                ("tools/call", json!({ "name": "add", "arguments": { "a": 1, "b": 2, &text: text } })),
                ("tools/call", json!({ "name": "add", "arguments": { "a": [text, { &text: text }] } })),
                ("tools/call", json!({ "name": "map", "arguments": { "map": { &text: { &text: text } } } })),
                ("tools/call", json!({ "name": "map", "arguments": { "map": { &text: { &text: 300 } } } })),
                ("tools/call", json!({ "name": "add", "arguments": text })),
                ("prompts/get", json!({ "name": text })),
                ("prompts/get", json!({ "name": "ask", "arguments": { "topic": "x", &text: text } })),
                ("prompts/get", json!({ "name": "ask", "arguments": { "topic": 5, &text: [text] } })),
                ("resources/read", json!({ "uri": text })),
                ("resources/read", json!({ "uri": format!("note://{}", &text[..1]) })),
                ("resources/read", json!({ "uri": { &text: 1 } })),
                ("tools/list", json!({ "cursor": text })),
                ("tools/list", json!({ "cursor": { &text: text } })),
                (
                    "completion/complete",
                    json!({
                    "ref": { "type": "ref/prompt", "name": text }, "argument": { "name": "x", "value": "" } }),
                ),
                (
                    "completion/complete",
                    json!({
                    "ref": { "type": "ref/prompt", "name": "ask" }, "argument": { "name": text, "value": "" } }),
                ),
                (
                    "completion/complete",
                    json!({
                    "ref": { "type": "ref/resource", "uri": text }, "argument": { "name": text, "value": "" } }),
                ),
                ("completion/complete", json!({ "ref": { "type": text }, "argument": { "name": "x", "value": "" } })),
                (&*text, json!({})),
            ] {
                let answer = client.request(method, params).await;
                assert!(answer["error"].is_object() || answer["result"]["isError"] == true, "{method}");
                assert_harmless(&answer);
            }
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn revision_errors_escape_and_truncate_the_revision() {
    for text in [ATTACK.to_owned(), ATTACK.repeat(3_000)] {
        let mut client = Client::raw(server(), Case::eras()[1]).allow_both_eras();
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": text, "io.modelcontextprotocol/clientCapabilities": {},
        });
        client.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": { "_meta": meta } }));
        let answer = client.recv().await;
        assert_eq!(answer["error"]["code"], -32022, "{answer}");
        assert_harmless(&answer);
    }
}
