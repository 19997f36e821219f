//! JSON-RPC itself: ids, notifications, what is no message, and messages of any size and depth.

use ferromcp_core::Revision;
use ferromcp_server::{Server, Tool};
use ferromcp_transport::{memory, unix};
use serde_json::{Value, json};

use crate::client::{Case, Client};

fn echo() -> Server {
    Server::new("echo", "0").with_tool(Tool::sync("echo", |text: String| text).args(["text"]))
}

#[tokio::test]
async fn ids_come_back_as_they_were() {
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
            let bad = client.request_of(id.clone(), "nobody/knows", Value::Null);
            client.send(&bad);
            let answer = client.recv().await;
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(-32601)));
        }
    }
}

#[tokio::test]
async fn bad_ids_are_invalid_requests() {
    // M26-014, S-005, S-009, S-021
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        for id in [json!(null), json!(1.5), json!(true), json!([1]), json!({})] {
            let mut request = client.request_of(1, "tools/list", Value::Null);
            request["id"] = id.clone();
            client.send(&request);
            let fence = client.fence().await;
            if case.revision < Revision::LATEST_LEGACY {
                assert!(fence.is_empty(), "these revisions have no error without an id: {fence:?}");
                continue;
            }
            assert_eq!(fence.len(), 1, "{id}: {fence:?}");
            assert_eq!(fence[0]["error"]["code"], -32600, "{id}");
            assert!(fence[0].get("id").is_none(), "{fence:?}");
        }
    }
}

#[tokio::test]
async fn notifications_are_never_answered() {
    // M26-019, S-014
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        for method in [
            "notifications/initialized",
            "notifications/cancelled",
            "notifications/progress",
            "notifications/roots/list_changed",
            "notifications/unheard",
            "tools/list",
            "tools/call",
            "initialize",
            "nobody/knows",
        ] {
            client.send(&json!({ "jsonrpc": "2.0", "method": method }));
            client.notify(method, json!({}));
            client.notify(method, json!({ "requestId": {}, "progressToken": [], "name": 7 }));
            client.notify(method, json!([1, 2]));
        }
        client.lives().await;
    }
}

#[tokio::test]
async fn responses_to_nothing_are_let_be() {
    // S-219, M26-022
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        client.send(&json!({ "jsonrpc": "2.0", "id": 77, "result": {} }));
        client.send(&json!({ "jsonrpc": "2.0", "id": "x", "error": { "code": 1, "message": "no" } }));
        client.send(&json!({ "jsonrpc": "2.0", "id": "x", "error": 7 }));
        client.send(&json!({ "jsonrpc": "2.0", "id": "x", "result": {}, "error": { "code": 1, "message": "both" } }));
        client.lives().await;
    }
}

#[tokio::test]
async fn unknown_methods_are_not_found() {
    // M26-015, M26-018, M26-033, S-018, S-020, S-021, M26-024, M26-025
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        for method in ["nobody/knows", "", "tools/list ", "TOOLS/LIST", "rpc.x", "tools\u{0}"] {
            let error = client.error(method, json!({ "x": 1 })).await;
            assert_eq!(error["code"], -32601, "{method}");
            assert!(error["message"].as_str().unwrap().contains(method), "{error}");
        }
    }
}

#[tokio::test]
async fn what_is_no_json_is_a_parse_error_and_the_pipe_lives_on() {
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
async fn what_is_no_request_is_an_invalid_request() {
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
                assert!(!has_id && case.revision < Revision::LATEST_LEGACY, "{line} has no answer");
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
async fn parameters_of_a_wrong_shape_are_invalid() {
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
        client.lives().await;
    }
}

#[tokio::test]
async fn members_may_come_in_any_order_and_foreign_ones_are_let_be() {
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
async fn depth_is_bounded() {
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
        client.lives().await;
    }
}

#[tokio::test]
async fn a_mebibyte_goes_through_in_both_directions() {
    // M26-123, S-105
    for case in Case::all() {
        let mut client = Client::connect(echo(), case).await;
        let text = "\u{e9}\n\"".repeat(1 << 18);
        assert_eq!(client.text("echo", json!({ "text": text })).await, text);
        client.lives().await;
    }
}

#[tokio::test]
async fn lines_are_bounded() {
    // M26-123, S-105
    for case in Case::eras() {
        let (near, far) = tokio::net::UnixStream::pair().unwrap();
        let mut client = Client::over(echo(), case, unix(near), unix(far).max_line(4096));
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
async fn what_is_written_is_one_line_even_when_built_of_many() {
    // M26-123, M26-124, S-105, S-106
    for case in Case::all() {
        let schema = ferromcp_core::RawJson::parse("{\n  \"type\":\n \"object\"\n}").unwrap();
        let tool = Tool::dynamic("raw", schema, |arguments: ferromcp_core::RawJson, _| async move {
            let mut result = ferromcp_core::model::CallToolResult::text(arguments.as_str());
            result.structured_content = ferromcp_core::RawJson::parse("{\n\"a\":\n1}").ok();
            result
        });
        let mut client = Client::connect(Server::new("raw", "0").with_tool(tool), case).await;
        let tools = client.result("tools/list", Value::Null).await;
        assert_eq!(tools["tools"][0]["inputSchema"], json!({ "type": "object" }));
        let result = client.call("raw", json!({ "x": [1, "\n"] })).await;
        let given: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(given, json!({ "x": [1, "\n"] }));
        if case.revision >= Revision::V2025_06_18 {
            assert_eq!(result["structuredContent"], json!({ "a": 1 }));
        }
    }
}

#[tokio::test]
async fn a_last_line_without_its_end_is_read() {
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
async fn pings_are_answered_with_nothing() {
    // S-188
    for case in Case::legacy() {
        let mut client = Client::connect(echo(), case).await;
        for params in [Value::Null, json!({ "_meta": { "progressToken": 1 } })] {
            assert_eq!(client.result("ping", params).await, json!({}));
        }
    }
}

#[tokio::test]
async fn a_peer_that_vanishes_is_no_failure() {
    // S-090, M26-134
    for case in Case::eras() {
        let (near, far) = memory();
        let client = Client::over(echo(), case, near, far);
        client.close().await.unwrap();
    }
}
