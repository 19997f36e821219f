//! Tools: their lists, their failures, and the ways their functions run.

use ferromcp_core::model::Icon;
use ferromcp_core::{Error, ErrorCode, Revision};
use ferromcp_server::{Arg, Server, Tool, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{Case, Client, only_text};

#[derive(Debug)]
struct Outer(std::num::ParseIntError);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("reading the number failed")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn panics() -> &'static str {
    panic!("secret of the tool")
}

fn failing() -> Server {
    let parse = |text: &str| text.parse::<i64>();
    Server::new("failing", "0")
        .with_tool(Tool::sync("words", || Err::<String, _>(ToolError::new("there is no more cheese"))))
        .with_tool(Tool::new(
            "source",
            move || async move { Ok::<_, ToolError>(parse("x").map_err(Outer)?.to_string()) },
        ))
        .with_tool(Tool::sync("protocol", || {
            Err::<String, ToolError>(Error::new(ErrorCode(7), "seven").with_data(&json!([7])).into())
        }))
        .with_tool(Tool::sync("refused", || Err::<String, ToolError>(Error::invalid_params("no such account").into())))
        .with_tool(Tool::sync("sync_panic", || -> String { panic!("secret of the sync tool") }))
        .with_tool(Tool::new("async_panic", || async { panics() }))
        .with_tool(Tool::new("late_panic", || async {
            tokio::task::yield_now().await;
            panics()
        }))
        .with_tool(Tool::blocking("blocking_panic", || -> String { panic!("secret of the blocking tool") }))
        .with_tool(Tool::sync("fine", || "fine"))
}

#[tokio::test]
async fn protocol_error_is_returned_when_tool_is_unknown() {
    // M26-325, M26-339, S-236, S-255
    for case in Case::all() {
        let mut client = Client::connect(failing(), case).await;
        for name in ["nobody", "", "FINE", "fine ", "../fine"] {
            let error = client.error("tools/call", json!({ "name": name, "arguments": {} })).await;
            assert_eq!(error["code"], -32602, "{error}");
            assert!(error["message"].as_str().unwrap().contains(name), "{error}");
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn error_result_is_returned_when_tool_fails() {
    // M26-340, S-243, S-254
    for case in Case::all() {
        let mut client = Client::connect(failing(), case).await;
        assert_eq!(client.tool_error("words", json!({})).await, "there is no more cheese");
        let complaint = client.tool_error("source", json!({})).await;
        assert_eq!(complaint, "reading the number failed: invalid digit found in string");
    }
}

#[tokio::test]
async fn protocol_error_is_returned_when_tool_returns_protocol_error() {
    // M26-016, M26-017, M26-031, M26-339, S-019, S-255
    for case in Case::all() {
        let mut client = Client::connect(failing(), case).await;
        let error = client.error("tools/call", json!({ "name": "protocol" })).await;
        assert_eq!(error, json!({ "code": 7, "message": "seven", "data": [7] }));
        assert_eq!(client.error("tools/call", json!({ "name": "refused" })).await["code"], -32602);
    }
}

#[tokio::test]
async fn internal_error_without_panic_message_is_returned_when_tool_panics() {
    // M26-339, M26-428, S-338, S-255
    for case in Case::all() {
        let mut client = Client::connect(failing(), case).await;
        for tool in ["sync_panic", "async_panic", "late_panic", "blocking_panic"] {
            let error = client.error("tools/call", json!({ "name": tool })).await;
            assert_eq!(error["code"], -32603, "{tool}");
            assert!(!error.to_string().contains("secret"), "{error}");
            assert_eq!(client.text("fine", json!({})).await, "fine");
        }
    }
}

#[tokio::test]
async fn results_are_equal_when_tool_is_sync_async_or_blocking() {
    // M26-006, S-007
    for case in Case::all() {
        let server = Server::new("kinds", "0")
            .with_tool(Tool::sync("sync", |n: i64| format!("{n}")).args(["n"]))
            .with_tool(Tool::new("ready", |n: i64| async move { format!("{n}") }).args(["n"]))
            .with_tool(
                Tool::new("waiting", |n: i64| async move {
                    tokio::task::yield_now().await;
                    format!("{n}")
                })
                .args(["n"]),
            )
            .with_tool(Tool::blocking("blocking", |n: i64| format!("{n}")).args(["n"]));
        let mut client = Client::connect(server, case).await;
        for tool in ["sync", "ready", "waiting", "blocking"] {
            assert_eq!(client.text(tool, json!({ "n": 5 })).await, "5");
        }
    }
}

#[tokio::test]
async fn full_definition_is_returned_when_tools_are_listed() {
    // M26-313, M26-317, S-048, S-060, S-232, S-038
    for case in Case::all() {
        let tool = Tool::sync("wipe", |disk: String| disk)
            .args(["disk"])
            .title("Wipe a disk")
            .describe("Wipes a disk.")
            .read_only(false)
            .destructive(true)
            .idempotent(true)
            .open_world(false)
            .icon(Icon::new("https://example.com/wipe.svg").mime_type("image/svg+xml").size("any"))
            .meta("com.example/cost", &3);
        let mut client = Client::connect(Server::new("list", "0").with_tool(tool), case).await;
        let listed = client.result("tools/list", Value::Null).await["tools"][0].clone();
        assert_eq!((&listed["name"], &listed["description"]), (&json!("wipe"), &json!("Wipes a disk.")));
        let titled = case.revision >= Revision::V2025_06_18;
        assert_eq!(listed["title"], if titled { json!("Wipe a disk") } else { Value::Null });
        assert_eq!(listed["_meta"]["com.example/cost"], if titled { json!(3) } else { Value::Null });
        let mut hints =
            json!({ "readOnlyHint": false, "destructiveHint": true, "idempotentHint": true, "openWorldHint": false });
        match case.revision {
            Revision::V2024_11_05 => hints = Value::Null,
            Revision::V2025_03_26 => hints["title"] = json!("Wipe a disk"),
            _ => {}
        }
        assert_eq!(listed["annotations"], hints);
        let icons = json!([{ "src": "https://example.com/wipe.svg", "mimeType": "image/svg+xml", "sizes": ["any"] }]);
        assert_eq!(listed["icons"], if case.revision >= Revision::V2025_11_25 { icons } else { Value::Null });
    }
}

#[tokio::test]
async fn list_order_is_stable_when_registry_changes() {
    // M26-314, M26-315, M26-317, M26-355, M26-381
    for case in Case::all() {
        let tool = |name: &str| Tool::sync(name, || "");
        let server = ["d", "b", "a", "c"]
            .into_iter()
            .fold(Server::new("order", "0"), |server, name| server.with_tool(tool(name)));
        let registry = server.registry().clone();
        let mut client = Client::connect(server.clone(), case).await;
        let mut other = Client::connect(server, case).await;
        let names = async |client: &mut Client| -> Vec<String> {
            let list = client.result("tools/list", Value::Null).await;
            list["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&mut client).await, ["d", "b", "a", "c"]);
        client.call("a", json!({})).await;
        assert_eq!(names(&mut client).await, ["d", "b", "a", "c"], "earlier calls change nothing");
        registry.add_tool(tool("e")).unwrap();
        assert!(registry.remove_tool("b") && !registry.remove_tool("b"));
        assert_eq!(names(&mut client).await, ["d", "a", "c", "e"]);
        assert_eq!(names(&mut other).await, ["d", "a", "c", "e"], "every connection sees the same");
        assert_eq!(client.error("tools/call", json!({ "name": "b" })).await["code"], -32602);
        client.call("c", json!({})).await;
        client.call("e", json!({})).await;
        let duplicate = registry.add_tool(tool("e")).unwrap_err().to_string();
        assert!(duplicate.contains("`e`"), "{duplicate}");
        registry.add_tool(tool("b")).unwrap();
        assert_eq!(names(&mut client).await, ["d", "a", "c", "e", "b"]);
    }
}

#[tokio::test]
async fn running_call_completes_when_its_tool_is_removed() {
    // M26-315, M26-314
    for case in Case::all() {
        let go = std::sync::Arc::new(tokio::sync::Notify::new());
        let waits = std::sync::Arc::clone(&go);
        let server = Server::new("gone", "0")
            .with_tool(Tool::new("slow", move || {
                let waits = std::sync::Arc::clone(&waits);
                async move {
                    waits.notified().await;
                    "done"
                }
            }))
            .with_tool(Tool::sync("other", || ""));
        let registry = server.registry().clone();
        let mut client = Client::connect(server, case).await;
        let id = client.start_call("slow", json!({}));
        client.assert_alive().await;
        registry.remove_tool("slow");
        assert_eq!(client.error("tools/call", json!({ "name": "slow" })).await["code"], -32602);
        go.notify_one();
        assert_eq!(only_text(&client.answer(id).await["result"]), "done");
    }
}

#[tokio::test]
async fn tool_is_callable_when_name_has_any_allowed_character() {
    // M26-324, M26-325, M26-326, M26-328, S-235, S-236, S-237
    for case in Case::eras() {
        let long = "n".repeat(128);
        let names = ["a", "A", "0", "_", "-", ".", "admin.tools-list_2", &long];
        let server = names.iter().fold(Server::new("names", "0"), |server, name| {
            let own = (*name).to_owned();
            server.with_tool(Tool::sync(*name, move || own.clone()))
        });
        let mut client = Client::connect(server, case).await;
        for name in names {
            assert_eq!(client.text(name, json!({})).await, name);
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
enum Order {
    /// Small ones first
    Rising,
    /// Large ones first
    Falling,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Node {
    label: Option<String>,
    inner: Vec<Node>,
}

#[tokio::test]
async fn null_is_accepted_for_optional_argument_when_arguments_are_lenient() {
    // M26-343, S-260
    let sorted = Tool::sync("sorted", |order: Order, count: u8| format!("{order:?} {count}"));
    let count = || Arg::new("count").default::<u8>(3).range::<u8>(1..);
    let sorted = sorted.args([Arg::new("order").describe("In which order"), count()]);
    for case in Case::eras() {
        let mut client = Client::connect(Server::new("nulls", "0").with_tool(sorted.clone()), case).await;
        assert_eq!(client.text("sorted", json!({ "order": "Rising", "count": null })).await, "Rising 3");
        let refused = client.call("sorted", json!({ "order": null })).await;
        assert_eq!(refused["isError"], true, "{refused}");
        let strict = Server::new("nulls", "0").lenient_arguments(false).with_tool(sorted.clone());
        let mut client = Client::connect(strict, case).await;
        let refused = client.call("sorted", json!({ "order": "Rising", "count": null })).await;
        assert_eq!(refused["isError"], true, "{refused}");
    }
}

#[tokio::test]
async fn schema_has_enum_descriptions_and_optional_fields_when_tools_are_listed() {
    // M26-319, S-232
    let case = Case::eras()[1];
    let server = Server::new("schemas", "0")
        .with_tool(Tool::sync("sort", |_: Order| ()).args([Arg::new("order").describe("In which order")]))
        .with_tool(Tool::sync("walk", |_: Node| ()).args(["node"]));
    let mut client = Client::connect(server, case).await;
    let list = client.result("tools/list", json!({})).await;
    let order = &list["tools"][0]["inputSchema"]["properties"]["order"];
    assert_eq!(order["enum"].as_array().map(Vec::len), Some(2), "{order}");
    assert_eq!(order["description"], "In which order\n- `Rising`: Small ones first\n- `Falling`: Large ones first");
    let inner = &list["tools"][1]["inputSchema"]["$defs"]["Node"]["properties"]["label"];
    assert_eq!(inner, &json!({ "type": "string" }));
}
