//! Clients whose messages are imperfect: `null` for absent members, half of a surrogate pair, unreadable descriptions.

use ferromcp_core::Revision;
use ferromcp_server::{Args, Ctx, Server, Tool, ToolError};
use serde_json::{Value, json};

use crate::client::{Case, Client};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Note {
    text: String,
}

fn echo() -> Server {
    Server::new("echo", "0")
        .with_tool(Tool::sync("echo", |text: String| text).args(["text"]))
        .with_tool(Tool::sync("note", |Args(note): Args<Note>| note.text))
        .with_tool(Tool::sync("any", |value: Value| value.to_string()).args(["value"]))
}

/// Sends a request in which `HALF` is replaced by half of a surrogate pair.
fn send_with_half(client: &mut Client, method: &str, params: Value) {
    let request = client.request_of("half", method, params).to_string();
    client.send_bytes(request.replace("HALF", r"\ud83d"));
}

#[tokio::test]
async fn half_surrogates_are_replaced_when_arguments_contain_them() {
    // C10
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        for (tool, arguments, expected) in [
            ("echo", json!({ "text": "abHALF" }), "ab\u{fffd}".to_owned()),
            ("note", json!({ "text": "HALF\u{1F980}" }), "\u{fffd}\u{1F980}".to_owned()),
            ("any", json!({ "value": { "HALF": ["HALF"] } }), json!({ "\u{fffd}": ["\u{fffd}"] }).to_string()),
        ] {
            send_with_half(&mut client, "tools/call", json!({ "name": tool, "arguments": arguments }));
            let answer = client.recv().await;
            assert_eq!(answer["result"]["content"][0]["text"], expected, "{answer}");
        }
        send_with_half(&mut client, "tools/call", json!({ "name": "echo", "arguments": { "HALF": 1, "text": "x" } }));
        let answer = client.recv().await;
        assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains("`\u{fffd}`"), "{answer}");
        send_with_half(&mut client, "tools/call", json!({ "name": "HALF" }));
        assert_eq!(client.recv().await["error"]["message"], "Unknown tool: \u{fffd}");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn null_members_of_requests_are_absent() {
    // C3
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        for params in [
            json!({ "name": "echo", "arguments": { "text": "x" }, "task": null, "inputResponses": null }),
            json!({ "name": "echo", "arguments": { "text": "x" }, "requestState": null }),
        ] {
            let mut request = client.request_of("nulls", "tools/call", params);
            for member in ["result", "error"] {
                request[member] = Value::Null;
            }
            match request["params"].get_mut("_meta") {
                Some(meta) => {
                    for key in
                        ["progressToken", "io.modelcontextprotocol/logLevel", "io.modelcontextprotocol/clientInfo"]
                    {
                        meta[key] = Value::Null;
                    }
                }
                None => request["params"]["_meta"] = Value::Null,
            }
            client.send(&request);
            let answer = client.recv().await;
            assert_eq!(answer["result"]["content"][0]["text"], "x", "{answer}");
        }
        client.send(&json!({ "jsonrpc": "2.0", "id": null, "method": "notifications/initialized", "params": null }));
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn session_starts_when_description_of_client_is_imperfect() {
    // C3
    for case in Case::legacy() {
        let mut client = Client::raw(echo(), case);
        let params = json!({ "protocolVersion": case.revision.as_str(), "_meta": null,
            "capabilities": { "experimental": null, "roots": { "listChanged": "yes" }, "sampling": [] },
            "clientInfo": { "name": "c", "icons": [{}], "title": 7 } });
        client.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }));
        let answer = client.recv().await;
        assert_eq!(answer["result"]["protocolVersion"], case.revision.as_str(), "{answer}");
    }
}

#[tokio::test]
async fn error_names_the_path_when_a_parameter_is_invalid() {
    // C3
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        for (method, params, expected) in [
            ("tools/call", json!({ "name": 7 }), "`params.name`: invalid type: integer `7`, expected a string"),
            ("tools/call", json!({ "name": null }), "`params`: missing field `name`"),
            ("tools/list", json!({ "cursor": [] }), "`params.cursor`: invalid type: sequence, expected a string"),
            (
                "completion/complete",
                json!({ "ref": { "type": "ref/prompt", "name": "p" }, "argument": { "name": "a", "value": 1 } }),
                "`params.argument.value`: invalid type: integer `1`, expected a string",
            ),
        ] {
            let error = client.error(method, params).await;
            assert_eq!(error["code"], -32602);
            assert_eq!(error["message"], format!("Invalid params: {expected}"));
        }
    }
}

#[tokio::test]
async fn answers_are_read_when_they_are_imperfect() {
    // C2, C3, C12
    for revision in [Revision::V2024_11_05, Revision::LATEST_LEGACY] {
        let case = Case::legacy().find(|case| case.revision == revision).unwrap();
        let ask = |ctx: Ctx| async move { Ok::<_, ToolError>(format!("{} roots", ctx.roots().await?.len())) };
        let server = Server::new("asks", "0").with_tool(Tool::new("ask", ask));
        let mut client = Client::raw(server, case).with_capabilities(json!({ "roots": {} }));
        client.initialize().await;
        client.start_call("ask", json!({}));
        let question = client.question("roots/list").await;
        let id = question["id"].to_string();
        let roots =
            json!([{ "uri": "file:///a", "name": 7, "_meta": null }, { "name": "no uri" }, { "uri": "file:///b" }]);
        client.send(&json!({ "jsonrpc": "2.0", "id": id, "result": { "roots": roots, "_meta": null }, "error": null }));
        let answer = client.recv().await;
        assert_eq!(answer["result"]["content"][0]["text"], "2 roots", "{answer}");
    }
}
