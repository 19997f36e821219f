//! Third-party clients over HTTP: each connects, lists, calls, receives progress, log and change notifications, reads
//! resources, gets prompts and closes the connection.
//!
//! The clients are described in `crates/ferromcp/tests/interop/README.md`.

use serde_json::{Value, json};

use crate::interop::{run_client, set_up_folder};
use crate::server_process::{HTTP, ServerProcess};

/// A JSON response.
const JSON_RESPONSE: &str = "POST 200 application/json";
/// An SSE response, with notifications before the result.
const SSE_RESPONSE: &str = "POST 200 text/event-stream";
const GET_STREAM: &str = "GET 200 text/event-stream";
const ACCEPTED: &str = "POST 202 -";
const DELETED: &str = "DELETE 204 -";

/// A third-party client.
#[derive(Clone, Copy)]
enum Client {
    Python1,
    Python2,
    TypeScript1,
    TypeScript2,
}

impl Client {
    /// Returns the interpreter below `FERROMCP_INTEROP` and the script.
    fn command(self) -> (&'static str, &'static str) {
        match self {
            Self::Python1 => ("py1/bin/python", "http_py1.py"),
            Self::Python2 => ("py2/bin/python", "http_py2.py"),
            Self::TypeScript1 => ("node/node_modules/.bin/node", "http_ts1.mjs"),
            Self::TypeScript2 => ("node/node_modules/.bin/node", "http_ts2.mjs"),
        }
    }

    /// Runs the client with a new server, asserts the common results and returns its output.
    fn run(self, test: &str, mode: &str) -> Option<Value> {
        let folder = set_up_folder(test)?;
        let (program, script) = self.command();
        let server = ServerProcess::start(HTTP, &[]);
        let url = if mode == "sse" { sse_url(&server) } else { server.url() };
        let seen = run_client(&folder, program, script, &[mode, &url]);
        assert_common_results(&seen);
        if matches!(self, Self::TypeScript1 | Self::TypeScript2) {
            assert!(seen["wait"].as_str().is_some_and(|why| why.contains("enough")), "{}", seen["wait"]);
            server.wait_for_stderr("wait was dropped\n");
        }
        server.signal("TERM");
        server.wait().assert_clean_exit();
        Some(seen)
    }
}

/// Returns the URL of the HTTP+SSE stream.
fn sse_url(server: &ServerProcess) -> String {
    server.url().replace("/mcp", "/sse")
}

/// Asserts the results that are the same for all clients.
#[track_caller]
fn assert_common_results(seen: &Value) {
    assert_eq!(seen["client_problems"], json!([]));
    assert_eq!(seen["server_info"], json!({ "name": "Over HTTP", "version": "1.0.0" }));
    assert_eq!(seen["tools"], json!(["add", "long_task", "slow_task", "slow_task_runs", "wait", "touch"]));
    assert_eq!(seen["add"], json!({ "result": 5 }));
    assert_eq!(seen["long_task"], "done");
    let step = |n: u8| json!([f64::from(n), 3.0, format!("step {n} of 3")]);
    assert_eq!(as_floats(&seen["progress"]), json!([step(1), step(2), step(3)]));
    assert_eq!(seen["logs"], json!([["info", "begun"], ["debug", "worked through"]]));
    assert_eq!(seen["greeting"], "Hello, Ada!");
    assert_eq!(seen["prompt"], "Please review this code:\n\nx = 1");
    let changes = ["notifications/tools/list_changed", "notifications/resources/updated"];
    assert_eq!(seen["changes"], json!(changes));
}

/// Converts all numbers to floats, because some clients print integers as floats.
pub(crate) fn as_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(as_floats).collect(),
        _ => value.clone(),
    }
}

/// Counts the HTTP exchanges of a kind.
fn count(seen: &Value, exchange: &str) -> usize {
    seen["http"].as_array().unwrap().iter().filter(|seen| *seen == exchange).count()
}

/// Asserts the exchanges of a Streamable HTTP session: the handshake, one GET stream, and DELETE at the end.
#[track_caller]
fn assert_session(seen: &Value) {
    assert_eq!(seen["protocol_version"], "2025-11-25");
    let http = seen["http"].as_array().unwrap();
    assert_eq!((&http[0], &http[1]), (&json!(JSON_RESPONSE), &json!(ACCEPTED)));
    assert_eq!((count(seen, GET_STREAM), count(seen, DELETED)), (1, 1), "{http:?}");
    assert_eq!(http.last(), Some(&json!(DELETED)));
    let known = [JSON_RESPONSE, SSE_RESPONSE, GET_STREAM, ACCEPTED, DELETED];
    assert!(http.iter().all(|exchange| known.contains(&exchange.as_str().unwrap())), "{http:?}");
}

/// Asserts that the client uses no session: no GET stream and no DELETE.
#[track_caller]
fn assert_stateless(seen: &Value) {
    assert_eq!(seen["protocol_version"], "2026-07-28");
    let sent = seen["sent"].as_array().unwrap();
    assert_eq!(sent[0], "server/discover");
    assert!(sent.iter().all(|method| method != "initialize"), "the client fell back to `initialize`: {sent:?}");
    assert_eq!((count(seen, GET_STREAM), count(seen, DELETED)), (0, 0), "{}", seen["http"]);
}

/// Asserts the exchanges of HTTP+SSE: one GET stream, and POST requests with status 202.
#[track_caller]
fn assert_http_sse(seen: &Value) {
    assert_eq!(seen["protocol_version"], "2025-11-25");
    let http = seen["http"].as_array().unwrap();
    assert_eq!(http[0], GET_STREAM);
    assert!(http[1..].iter().all(|exchange| exchange == ACCEPTED), "{http:?}");
}

#[test]
fn python_1_over_http() {
    // S-125, S-135, S-138, S-145, S-146, S-156, S-157, S-173, S-231, S-272
    let Some(seen) = Client::Python1.run("python_1_over_http", "streamable") else { return };
    assert_session(&seen);
    assert_eq!((count(&seen, JSON_RESPONSE), count(&seen, SSE_RESPONSE)), (8, 1), "{}", seen["http"]);
}

#[test]
fn python_1_over_http_and_sse() {
    // S-116, S-117, S-119, S-120, S-231, S-272
    let Some(seen) = Client::Python1.run("python_1_over_http_and_sse", "sse") else { return };
    assert_http_sse(&seen);
}

#[test]
fn python_2_over_http() {
    // M26-156, M26-158, M26-269, M26-271, M26-272, M26-318
    let Some(seen) = Client::Python2.run("python_2_over_http", "auto") else { return };
    assert_stateless(&seen);
    assert_eq!(seen["events"], json!(["ToolsListChanged", "ResourceUpdated"]));
    assert_eq!((count(&seen, JSON_RESPONSE), count(&seen, SSE_RESPONSE)), (6, 2), "{}", seen["http"]);
}

#[test]
fn python_2_legacy_over_http() {
    // S-125, S-135, S-138, S-145, S-146, S-156, S-157, S-173, S-231, S-272
    let Some(seen) = Client::Python2.run("python_2_legacy_over_http", "legacy") else { return };
    assert_session(&seen);
}

#[test]
fn typescript_1_over_http() {
    // S-125, S-135, S-138, S-145, S-146, S-151, S-156, S-157, S-173, S-231, S-272
    let Some(seen) = Client::TypeScript1.run("typescript_1_over_http", "streamable") else { return };
    assert_session(&seen);
}

#[test]
fn typescript_1_over_http_and_sse() {
    // S-116, S-117, S-119, S-120, S-231, S-272
    let Some(seen) = Client::TypeScript1.run("typescript_1_over_http_and_sse", "sse") else { return };
    assert_http_sse(&seen);
}

#[test]
fn typescript_2_over_http() {
    // M26-156, M26-158, M26-168, M26-169, M26-269, M26-271, M26-272, M26-318
    let Some(seen) = Client::TypeScript2.run("typescript_2_over_http", "2026-07-28") else { return };
    assert_stateless(&seen);
    assert_eq!(seen["closed"], "local");
}

#[test]
fn typescript_2_legacy_over_http() {
    // S-125, S-135, S-138, S-145, S-146, S-151, S-156, S-157, S-173, S-231, S-272
    let Some(seen) = Client::TypeScript2.run("typescript_2_legacy_over_http", "legacy") else { return };
    assert_session(&seen);
}

/// Runs the Inspector, which opens a connection for each request, and asserts its results.
fn run_inspector(test: &str, era: &str, place: impl Fn(&ServerProcess) -> String, version: &str) {
    let Some(folder) = set_up_folder(test) else { return };
    let server = ServerProcess::start(HTTP, &[]);
    let seen = run_client(&folder, "node/node_modules/.bin/node", "inspector.mjs", &[era, &place(&server)]);
    assert_eq!(seen["failures"], json!([]));
    assert_eq!(seen["protocol_version"], version);
    let result = |name: &str| &seen[name]["answer"]["result"];
    assert_eq!(result("tools")["tools"].as_array().map(Vec::len), Some(6));
    assert_eq!(result("call_add")["structuredContent"], json!({ "result": 5 }));
    assert_eq!(result("call_long_task")["content"][0]["text"], "done");
    assert_eq!(result("read_greeting")["contents"][0]["text"], "Hello, Ada!");
    let review = &result("get_review_code")["messages"][0]["content"]["text"];
    assert_eq!(review, "Please review this code:\n\nx = 1");
    server.signal("TERM");
    server.wait().assert_clean_exit();
}

#[test]
fn inspector_over_http() {
    // M26-070, M26-084, M26-156
    run_inspector("inspector_over_http", "modern", ServerProcess::url, "2026-07-28");
}

#[test]
fn inspector_legacy_over_http() {
    // S-063, S-125, S-138
    run_inspector("inspector_legacy_over_http", "legacy", ServerProcess::url, "2025-11-25");
}

#[test]
fn inspector_over_http_and_sse() {
    // S-116, S-117, S-119, S-120
    run_inspector("inspector_over_http_and_sse", "legacy", sse_url, "2025-11-25");
}
