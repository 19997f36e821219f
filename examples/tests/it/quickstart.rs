//! The quickstart server, and the clients that call it.

use std::process::Command;

use serde_json::json;

use crate::peer::in_both_eras;
use crate::terminal::typed;

#[test]
fn quickstart_serves_tool_resource_and_prompt() {
    in_both_eras(env!("CARGO_BIN_EXE_quickstart"), |peer| {
        assert_eq!(peer.names("tools/list", "tools"), ["add"]);
        assert_eq!(peer.names("resources/templates/list", "resourceTemplates"), ["greeting"]);
        assert_eq!(peer.names("prompts/list", "prompts"), ["review_code"]);

        let sum = peer.call("add", json!({ "a": 2, "b": -5 }));
        assert_eq!(sum["content"], json!([{ "type": "text", "text": "-3" }]));
        assert_eq!(sum["structuredContent"], json!({ "result": -3 }));
        assert_eq!(peer.read("greeting://Ada")["text"], "Hello, Ada!");
        let prompt = peer.ask("prompts/get", json!({ "name": "review_code", "arguments": { "code": "x" } }));
        let message = json!({ "role": "user", "content": { "type": "text", "text": "Please review this code:\n\nx" } });
        assert_eq!(prompt["messages"], json!([message]));
    });
}

// M26-339, S-255
#[test]
fn errors_reach_model_or_client_when_arguments_are_invalid() {
    in_both_eras(env!("CARGO_BIN_EXE_quickstart"), |peer| {
        let words = peer.call_in_vain("add", json!({ "a": "many", "c": 1 }));
        assert!(words.contains("`a` must be an integer, got \"many\""), "{words}");
        assert!(words.contains("unknown argument `c`; known are `a`, `b`"), "{words}");
        assert!(words.contains("`b` is missing"), "{words}");
        let error = peer.fail("tools/call", json!({ "name": "subtract" }));
        assert_eq!(error, json!({ "code": -32602, "message": "Unknown tool: subtract" }));
    });
}

#[test]
fn try_quickstart_succeeds_with_quickstart_server() {
    let shown = typed(env!("CARGO_BIN_EXE_try_quickstart"), &[env!("CARGO_BIN_EXE_quickstart")], &[]);
    let round = [
        "connected to Demo, on revision 2026-07-28",
        "it has the tool `add`: Add two numbers",
        "2 + 3 = 5",
        "greeting://Ada contains: Hello, Ada!",
        "`review_code` returns 1 message",
        "closed",
    ];
    assert_eq!(shown.lines().collect::<Vec<_>>(), round);
}

#[test]
fn first_client_lists_and_calls_tools_when_server_is_quickstart() {
    let shown = typed(env!("CARGO_BIN_EXE_first_client"), &[env!("CARGO_BIN_EXE_quickstart")], &[]);
    assert_eq!(shown.lines().collect::<Vec<_>>(), ["add: Add two numbers", "2 + 3 = 5"]);
}

#[test]
fn try_quickstart_fails_when_server_is_different() {
    let output = Command::new(env!("CARGO_BIN_EXE_try_quickstart"))
        .arg(env!("CARGO_BIN_EXE_orders"))
        .output()
        .expect("the program starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && words.contains("Unknown tool: add"), "{words}");
}
