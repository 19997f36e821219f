//! The quickstart, and the program that shows it working.

use std::process::Command;

use serde_json::json;

use crate::peer::in_both_eras;
use crate::terminal::typed;

#[test]
fn adds_greets_and_prompts() {
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
fn mistakes_are_told_to_who_can_mend_them() {
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
fn the_round_of_the_readme_works() {
    let shown = typed(env!("CARGO_BIN_EXE_try_quickstart"), &[env!("CARGO_BIN_EXE_quickstart")], &[]);
    let round = [
        "connected to Demo, on revision 2026-07-28",
        "it has the tool `add`: Add two numbers",
        "2 + 3 = 5",
        "greeting://Ada holds: Hello, Ada!",
        "`review_code` makes 1 message for a model",
        "closed",
    ];
    assert_eq!(shown.lines().collect::<Vec<_>>(), round);
}

#[test]
fn a_server_of_another_kind_ends_the_round() {
    let output = Command::new(env!("CARGO_BIN_EXE_try_quickstart"))
        .arg(env!("CARGO_BIN_EXE_orders"))
        .output()
        .expect("the program starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && words.contains("Unknown tool: add"), "{words}");
}
