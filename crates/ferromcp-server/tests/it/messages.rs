//! JSON-RPC: ids, notifications, invalid messages, and limits on message size and nesting.

use ferromcp_core::Revision;
use ferromcp_server::{Server, Tool};
use ferromcp_transport::{memory, unix};
use serde_json::{Value, json};

use crate::client::{Case, Client};

fn echo() -> Server {
    Server::new("echo", "0").with_tool(Tool::sync("echo", |text: String| text).args(["text"]))
}

#[tokio::test]
async fn response_id_equals_request_id_when_id_is_valid() {
    // M26-006, M26-014, S-004, S-007, S-008, S-009, S-188
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        let call = json!({ "name": "echo", "arguments": { "text": "hi" } });
        for id in [json!(0), json!(-1), json!(i64::MAX), json!(i64::MIN), json!(""), json!("1"), json!("\u{1F980}\n\"")]
        {
            let good = client.request_of(id.clone(), "tools/call", call.clone());
            client.send(&good);
            let answer = client.recv().await;
            assert_eq!(answer["id"], id);
            assert_eq!(answer["result"]["content"][0]["text"], "hi");
            let bad = client.request_of(id.clone(), "unknown/method", Value::Null);
            client.send(&bad);
            let answer = client.recv().await;
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(-32601)));
        }
    }
}

#[tokio::test]
async fn request_is_invalid_when_id_is_malformed() {
    // M26-014, S-005, S-009, S-021
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        for id in [json!(null), json!(1.5), json!(true), json!([1]), json!({})] {
            let mut request = client.request_of(1, "tools/list", Value::Null);
            request["id"] = id.clone();
            client.send(&request);
            let fence = client.fence().await;
            if case.revision < Revision::LATEST_LEGACY {
                assert!(fence.is_empty(), "errors without an id are not allowed in this revision: {fence:?}");
                continue;
            }
            assert_eq!(fence.len(), 1, "{id}: {fence:?}");
            assert_eq!(fence[0]["error"]["code"], -32600, "{id}");
            assert!(fence[0].get("id").is_none(), "{fence:?}");
        }
    }
}

#[tokio::test]
async fn no_response_is_sent_when_message_is_notification() {
    // M26-019, S-014
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        for method in [
            "notifications/initialized",
            "notifications/cancelled",
            "notifications/progress",
            "notifications/roots/list_changed",
            "notifications/unknown",
            "tools/list",
            "tools/call",
            "initialize",
            "unknown/method",
        ] {
            client.send(&json!({ "jsonrpc": "2.0", "method": method }));
            client.notify(method, json!({}));
            client.notify(method, json!({ "requestId": {}, "progressToken": [], "name": 7 }));
            client.notify(method, json!([1, 2]));
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn response_is_ignored_when_id_is_unknown() {
    // S-219, M26-022
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        client.send(&json!({ "jsonrpc": "2.0", "id": 77, "result": {} }));
        client.send(&json!({ "jsonrpc": "2.0", "id": "x", "error": { "code": 1, "message": "no" } }));
        client.send(&json!({ "jsonrpc": "2.0", "id": "x", "error": 7 }));
        client.send(&json!({ "jsonrpc": "2.0", "id": "x", "result": {}, "error": { "code": 1, "message": "both" } }));
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn method_not_found_is_returned_when_method_is_unknown() {
    // M26-015, M26-018, M26-033, S-018, S-020, S-021, M26-024, M26-025
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        for method in ["unknown/method", "", "tools/list ", "TOOLS/LIST", "rpc.x", "tools\u{0}"] {
            let error = client.error(method, json!({ "x": 1 })).await;
            assert_eq!(error["code"], -32601, "{method}");
            let shown = method.replace('\0', "\\u{0}"); // control characters are escaped
            assert!(error["message"].as_str().unwrap().contains(&shown), "{error}");
        }
    }
}

#[tokio::test]
async fn parse_error_is_returned_when_line_is_not_json() {
    // M26-014, S-021, S-100, S-009
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        let junk: [&[u8]; 9] = [
            b"{",
            b"hello",
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"",
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}}",
            b"\xff\xfe",
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/\xc3\"}",
            b"\"\\ud800\"x",
            b"{'id':1}",
            b"[1,",
        ];
        for line in junk {
            client.send_bytes(line);
            let fence = client.fence().await;
            if case.revision < Revision::LATEST_LEGACY {
                assert!(fence.is_empty(), "{fence:?}");
                continue;
            }
            assert_eq!(fence.len(), 1, "{line:?}: {fence:?}");
            assert_eq!(fence[0]["error"]["code"], -32700, "{line:?}: {fence:?}");
        }
        for blank in [&b""[..], b"  ", b"\t", b"\r"] {
            client.send_bytes(blank);
        }
        let rest = client.fence().await;
        assert!(rest.iter().all(|message| message["error"]["code"] == -32700), "{rest:?}");
    }
}

#[tokio::test]
async fn invalid_request_is_returned_when_message_is_not_a_request() {
    // S-001, S-010, S-021, M26-002
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        for (line, has_id) in [
            (r#"{"id":"r","method":"tools/list"}"#, true),
            (r#"{"jsonrpc":"1.0","id":"r","method":"tools/list"}"#, true),
            (r#"{"jsonrpc":2.0,"id":"r","method":"tools/list"}"#, true),
            (r#"{"jsonrpc":"2.0","id":"r"}"#, true),
            (r#"{"jsonrpc":"2.0","id":"r","method":7}"#, true),
            (r#"{"jsonrpc":"2.0","id":"r","method":null}"#, true),
            (r#"{"jsonrpc":"2.0","id":"r","method":"tools/list","result":{}}"#, false),
            (r#"{"jsonrpc":"2.0","id":"r","id":"r","method":"tools/list"}"#, false),
            ("{}", false),
            ("7", false),
            ("\"x\"", false),
            ("null", false),
            ("true", false),
        ] {
            client.send_bytes(line);
            let fence = client.fence().await;
            let Some(answer) = fence.first() else {
                assert!(!has_id && case.revision < Revision::LATEST_LEGACY, "no response to {line}");
                continue;
            };
            assert_eq!(fence.len(), 1, "{line}: {fence:?}");
            let code = answer["error"]["code"].as_i64().unwrap();
            assert!(code == -32600 || (code == -32602 && !has_id), "{line}: {answer}");
            if has_id {
                assert_eq!(answer["id"], "r", "{line}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn invalid_params_is_returned_when_params_are_malformed() {
    // M26-339, S-021, S-257, M26-008
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        let meta = client.request_of(0, "x", Value::Null)["params"]["_meta"].clone();
        for params in [
            json!({ "_meta": meta }),
            json!({ "_meta": meta, "name": 7 }),
            json!({ "_meta": meta, "name": null }),
            json!({ "_meta": meta, "name": "echo", "arguments": [] }),
            json!({ "_meta": meta, "name": "echo", "arguments": "text" }),
            json!([]),
            json!(["echo"]),
            json!("echo"),
            json!(7),
        ] {
            client.send(&json!({ "jsonrpc": "2.0", "id": "p", "method": "tools/call", "params": params }));
            let answer = client.answer("p").await;
            assert_eq!(answer["error"]["code"], -32602, "{params}: {answer}");
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn request_is_accepted_when_members_are_reordered_or_unknown() {
    // S-001, M26-009, S-012
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        let params =
            client.request_of(0, "x", json!({ "name": "echo", "arguments": { "text": "a" }, "x": 1 }))["params"]
                .to_string();
        client.send_bytes(format!(
            r#" {{"extra":{{"deep":[1]}},"params":{params},"method":"tools\/call", "id" : "late","jsonrpc":"2.0"}} "#
        ));
        let answer = client.answer("late").await;
        assert_eq!(answer["result"]["content"][0]["text"], "a", "{answer}");
    }
}

#[tokio::test]
async fn message_is_rejected_when_nesting_is_too_deep() {
    // M26-102, S-021
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let lines = [
            deep.clone(),
            "[".repeat(100_000),
            "{\"a\":".repeat(100_000),
            client.request_of("d", "tools/list", json!({ "x": "HERE" })).to_string().replace("\"HERE\"", &deep),
        ];
        for line in lines {
            client.send_bytes(line);
            for answer in client.fence().await {
                let code = answer["error"]["code"].as_i64().unwrap();
                assert!(code == -32600 || code == -32700, "{answer}");
            }
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn large_message_is_echoed_when_text_has_one_mebibyte() {
    // M26-123, S-105
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        let text = "\u{e9}\n\"".repeat(1 << 18);
        assert_eq!(client.text("echo", json!({ "text": text })).await, text);
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn message_is_rejected_when_line_exceeds_max_line() {
    // M26-123, S-105
    for case in Case::eras() {
        let (near, far) = tokio::net::UnixStream::pair().unwrap();
        let mut client = Client::with_transport(echo(), case, unix(near), unix(far).max_line(4096));
        if !case.is_modern() {
            client.initialize().await;
        }
        let request = client.request_of(
            "long",
            "tools/call",
            json!({ "name": "echo", "arguments": { "text": "x".repeat(10_000) } }),
        );
        client.send(&request);
        let rest = client.fence().await;
        assert_eq!(rest.len(), 1, "{rest:?}");
        assert_eq!(rest[0]["error"]["code"], -32600);
        assert!(rest[0]["error"]["message"].as_str().unwrap().contains("4096"), "{rest:?}");
        assert_eq!(client.text("echo", json!({ "text": "short" })).await, "short");
    }
}

#[tokio::test]
async fn output_is_one_line_when_raw_json_has_newlines() {
    // M26-123, M26-124, S-105, S-106
    for case in Case::all() {
        let schema = ferromcp_core::RawJson::parse("{\n  \"type\":\n \"object\",\n\"properties\": {}}").unwrap();
        let tool = Tool::dynamic("raw", schema, |arguments: ferromcp_core::RawJson, _| async move {
            let mut result = ferromcp_core::model::CallToolResult::text(arguments.as_str());
            result.structured_content = ferromcp_core::RawJson::parse("{\n\"a\":\n1}").ok();
            result
        });
        let mut client = Client::connect(Server::new("raw", "0").with_tool(tool), case).await;
        let tools = client.result("tools/list", Value::Null).await;
        assert_eq!(tools["tools"][0]["inputSchema"], json!({ "type": "object", "properties": {} }));
        let result = client.call("raw", json!({ "x": [1, "\n"] })).await;
        let given: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(given, json!({ "x": [1, "\n"] }));
        if case.revision >= Revision::V2025_06_18 {
            assert_eq!(result["structuredContent"], json!({ "a": 1 }));
        }
    }
}

#[tokio::test]
async fn last_line_is_read_when_newline_is_missing() {
    // M26-123
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut near, far) = tokio::net::UnixStream::pair().unwrap();
    let served = tokio::spawn(echo().serve(unix(far)));
    near.write_all(br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await.unwrap();
    near.shutdown().await.unwrap();
    let mut all = String::new();
    near.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn empty_result_is_returned_when_client_pings() {
    // S-188
    for case in Case::legacy() {
        let mut client = Client::connect(echo(), case).await;
        for params in [Value::Null, json!({ "_meta": { "progressToken": 1 } })] {
            assert_eq!(client.result("ping", params).await, json!({}));
        }
    }
}

#[tokio::test]
async fn serving_succeeds_when_client_disconnects() {
    // S-090, M26-134
    for case in Case::eras() {
        let (near, far) = memory();
        let client = Client::with_transport(echo(), case, near, far);
        client.close().await.unwrap();
    }
}
