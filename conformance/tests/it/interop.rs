//! Third-party clients with the quickstart server and the `everything` server, over stdio.
//!
//! The clients are described in `crates/ferromcp/tests/interop/README.md`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::server_process::{EVERYTHING, QUICKSTART, report_skipped};

/// Returns the folder of third-party clients; reports a skipped test and returns `None` when it is not set.
pub(crate) fn set_up_folder(test: &str) -> Option<PathBuf> {
    if let Some(folder) = env::var_os("FERROMCP_INTEROP").filter(|folder| !folder.is_empty()) {
        return Some(folder.into());
    }
    assert!(
        env::var_os("CI").is_none_or(|ci| ci != "true"),
        "{test}: FERROMCP_INTEROP is not set, but CI requires it; run `cargo xtask interop`"
    );
    report_skipped(&format!(
        "{test}: FERROMCP_INTEROP is not set; run `cargo xtask interop`, or run all tests with `cargo xtask test`"
    ));
    None
}

/// Runs a client, asserts that it succeeds, and returns its JSON output.
pub(crate) fn run_client(folder: &Path, program: &str, script: &str, args: &[&str]) -> Value {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/ferromcp/tests/interop");
    let bin = folder.join("node/node_modules/.bin");
    let path = env::join_paths([bin].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())));
    let mut command = Command::new(folder.join(program));
    let output = command.arg(scripts.join(script)).args(args).env("PATH", path.unwrap()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {}\n{stdout}\n{stderr}", output.status);
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{script}: {error}\n{stdout}\n{stderr}"))
}

fn python(test: &str, version: &str, server: &str) -> Option<Value> {
    let folder = set_up_folder(test)?;
    let seen = run_client(&folder, &format!("{version}/bin/python"), &format!("client_{version}.py"), &[server]);
    assert_eq!(seen["client_problems"], json!([]));
    assert_eq!(seen["shutdown"]["exit_code"], 0);
    assert!(seen["shutdown"]["seconds"].as_f64().unwrap() < 1.0, "{}", seen["shutdown"]);
    Some(seen)
}

fn inspector(test: &str, era: &str, server: &str) -> Option<Value> {
    let seen = run_client(&set_up_folder(test)?, "node/node_modules/.bin/node", "inspector.mjs", &[era, server]);
    assert_eq!(seen["failures"], json!([]));
    Some(seen)
}

/// Asserts that `seen` contains all fields of `expected`; ignores other fields.
#[track_caller]
fn assert_contains(seen: &Value, expected: &Value) {
    match (seen, expected) {
        (Value::Object(fields), Value::Object(expected)) => {
            for (name, expected) in expected {
                assert_contains(fields.get(name).unwrap_or(&Value::Null), expected);
            }
        }
        _ => assert_eq!(seen, expected),
    }
}

fn add() -> Value {
    json!([{
        "name": "add",
        "description": "Add two numbers",
        "inputSchema": {
            "type": "object",
            "properties": { "a": { "type": "integer" }, "b": { "type": "integer" } },
            "required": ["a", "b"],
            "additionalProperties": false,
        },
        "outputSchema": {
            "type": "object",
            "properties": { "result": { "type": "integer" } },
            "required": ["result"],
        },
    }])
}

fn greetings() -> Value {
    json!([{ "name": "greeting", "uriTemplate": "greeting://{name}", "description": "Get a personalized greeting" }])
}

fn review_code() -> Value {
    json!([{
        "name": "review_code",
        "description": "Ask for a review of some code",
        "arguments": [{ "name": "code", "required": true }],
    }])
}

/// Asserts the results of both Python clients with the quickstart server.
fn assert_python_quickstart(seen: &Value, unknown_resource: i32) {
    let fields = |name: &str| seen[name].clone();
    assert_eq!(fields("tools"), add());
    assert_eq!(fields("resources"), json!([]));
    assert_eq!(fields("resource_templates"), greetings());
    assert_eq!(fields("prompts"), review_code());
    assert_eq!(fields("server_info"), json!({ "name": "Demo", "version": "1.0.0" }));
    assert_contains(seen, &calls());
    assert_contains(
        seen,
        &json!({ "call_unknown": { "error": { "code": -32602, "message": "Unknown tool: no_such_tool" } } }),
    );
    let nowhere = json!({
        "code": unknown_resource,
        "message": "Resource not found: nowhere://nothing",
        "data": { "uri": "nowhere://nothing" },
    });
    assert_eq!(seen["read_unknown"]["error"], nowhere);
    assert_contains(
        seen,
        &json!({ "get_unknown": { "error": { "code": -32602, "message": "Unknown prompt: no_such_prompt" } } }),
    );
}

/// Returns the expected results of requests to the quickstart server.
fn calls() -> Value {
    let text = |text: &str| json!([{ "type": "text", "text": text }]);
    let wrong = "Invalid arguments for tool `add`: `a` must be an integer, got \"two\"";
    json!({
        "call_add": { "content": text("5"), "structuredContent": { "result": 5 } },
        "call_add_wrong": { "isError": true, "content": text(wrong) },
        "read_greeting": {
            "contents": [{ "uri": "greeting://Ada", "mimeType": "text/plain", "text": "Hello, Ada!" }],
        },
        "get_review_code": {
            "messages": [{
                "role": "user",
                "content": { "type": "text", "text": "Please review this code:\n\nx = 1" },
            }],
        },
    })
}

#[test]
fn python_1_with_quickstart_server() {
    // S-063, S-070, S-188, S-229, S-232, S-252, S-254, S-255, S-257, S-269, S-280, S-292, S-298
    let Some(seen) = python("python_1_with_quickstart_server", "py1", QUICKSTART) else { return };
    assert_eq!(seen["protocol_version"], "2025-11-25");
    assert_eq!(seen["ping"], json!({}));
    assert_python_quickstart(&seen, -32002);
}

#[test]
fn python_2_with_quickstart_server() {
    // M26-070, M26-076, M26-084, M26-086, M26-134, M26-312, M26-339, M26-340, M26-353, M26-366, M26-379, M26-389
    let Some(seen) = python("python_2_with_quickstart_server", "py2", QUICKSTART) else { return };
    assert_eq!(seen["protocol_version"], "2026-07-28");
    assert_eq!(seen["fell_back_to_initialize"], false);
    assert_eq!(seen["sent"].as_array().unwrap().iter().filter(|method| *method == "initialize").count(), 0);
    let supported = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
    assert_eq!(seen["discover"]["supportedVersions"], json!(supported));
    assert_python_quickstart(&seen, -32602);
}

/// Asserts the results of both Python clients with the `everything` server.
fn assert_python_everything(seen: &Value) {
    assert_contains(
        seen,
        &json!({ "instructions": "Use `add` for sums.", "server_info": { "title": "Everything at once" } }),
    );
    let changes = json!({ "listChanged": true });
    let resources = json!({ "listChanged": true, "subscribe": true });
    let capabilities =
        json!({ "completions": {}, "logging": {}, "prompts": changes, "resources": resources, "tools": changes });
    assert_eq!(seen["capabilities"], capabilities);
    let step = |n: u8| json!({ "progress": f64::from(n), "total": 3.0, "message": format!("step {n} of 3") });
    assert_eq!(seen["progress"], json!([step(1), step(2), step(3)]));
    let logs = [json!({ "level": "info", "data": "begun" }), json!({ "level": "debug", "data": "worked through" })];
    assert_eq!(seen["logs"], json!(logs));
    assert_contains(seen, &json!({ "call_long_task": { "content": [{ "type": "text", "text": "done" }] } }));
    let languages = json!({ "values": ["ruby", "rust"], "total": 2, "hasMore": false });
    assert_eq!(seen["complete_language"]["completion"], languages);
    let names = |list: &str| -> Vec<String> {
        let items = seen[list].as_array().unwrap();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("tools"), ["add", "weather", "long_task", "wait", "block", "shout", "fail", "crash"]);
    assert_eq!(names("resources"), ["config", "few_bytes"]);
    let arguments = &seen["prompts"][0]["arguments"];
    assert_contains(&arguments[0], &json!({ "name": "code", "description": "The code to look at", "required": true }));
    assert_contains(&arguments[1], &json!({ "name": "language", "required": false }));
}

#[test]
fn python_1_with_everything_server() {
    // S-086, S-199, S-200, S-209, S-305, S-324, S-326
    let Some(seen) = python("python_1_with_everything_server", "py1", EVERYTHING) else { return };
    assert_eq!(seen["protocol_version"], "2025-11-25");
    assert_eq!(seen["set_log_level"], json!({}));
    assert_python_everything(&seen);
}

#[test]
fn python_2_with_everything_server() {
    // M26-088, M26-282, M26-285, M26-396, M26-415, M26-417
    let Some(seen) = python("python_2_with_everything_server", "py2", EVERYTHING) else { return };
    assert_eq!((&seen["protocol_version"], &seen["fell_back_to_initialize"]), (&json!("2026-07-28"), &json!(false)));
    assert_python_everything(&seen);
}

/// Asserts the results of the Inspector with the quickstart server.
fn assert_inspector_quickstart(era: &str, version: &str) {
    let Some(seen) = inspector(&format!("the Inspector, {era}"), era, QUICKSTART) else { return };
    assert_eq!(seen["protocol_version"], version);
    let result = |name: &str| seen[name]["answer"]["result"].clone();
    assert_eq!(result("hello")["serverInfo"], json!({ "name": "Demo", "version": "1.0.0" }));
    assert_eq!(result("tools")["tools"], add());
    assert_eq!(result("resources")["resources"], json!([]));
    assert_eq!(result("resource_templates")["resourceTemplates"], greetings());
    assert_eq!(result("prompts")["prompts"], review_code());
    let mut calls = calls();
    // The Inspector converts arguments to the types of the schema.
    calls["call_add_wrong"]["content"][0]["text"] =
        json!("Invalid arguments for tool `add`: `a` must be an integer, got null");
    for (name, expected) in calls.as_object().unwrap() {
        assert_contains(&result(name), expected);
    }
    let error_message = |name: &str| seen[name]["answer"]["error"]["message"].clone();
    assert_eq!(error_message("read_unknown"), "Resource not found: nowhere://nothing");
    assert_eq!(error_message("get_unknown"), "Unknown prompt: no_such_prompt");
}

#[test]
fn inspector_modern_with_quickstart_server() {
    // M26-070, M26-084, M26-312
    assert_inspector_quickstart("modern", "2026-07-28");
}

#[test]
fn inspector_auto_with_quickstart_server() {
    // M26-070, M26-076
    assert_inspector_quickstart("auto", "2026-07-28");
}

#[test]
fn inspector_legacy_with_quickstart_server() {
    // S-063, S-070
    assert_inspector_quickstart("legacy", "2025-11-25");
}

#[test]
fn inspector_with_everything_server() {
    // M26-088, M26-417
    let Some(seen) = inspector("inspector_with_everything_server", "modern", EVERYTHING) else { return };
    assert_eq!(seen["protocol_version"], "2026-07-28");
    let answer = &seen["call_long_task"]["answer"]["result"];
    assert_contains(answer, &json!({ "content": [{ "type": "text", "text": "done" }] }));
    let tools = seen["tools"]["answer"]["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 8);
}
