//! Clients that others wrote, over HTTP: each says hello, lists, calls, hears progress, logs and changes, reads, gets,
//! and leaves in good order.
//!
//! The clients are described in `crates/ferromcp/tests/interop/README.md`.

use serde_json::{Value, json};

use crate::interop::{folder, run};
use crate::peer::{HTTP, Peer};

/// How the answer to a single message looks, from the client's side.
const ANSWER: &str = "POST 200 application/json";
/// How it looks when something is said before the result.
const STREAM: &str = "POST 200 text/event-stream";
const LISTENING: &str = "GET 200 text/event-stream";
const TAKEN: &str = "POST 202 -";
const GOODBYE: &str = "DELETE 204 -";

/// The clients, and how to find and start them.
#[derive(Clone, Copy)]
enum Client {
    Python1,
    Python2,
    TypeScript1,
    TypeScript2,
}

impl Client {
    /// Its interpreter in the set-up, and its script.
    fn command(self) -> (&'static str, &'static str) {
        match self {
            Self::Python1 => ("py1/bin/python", "http_py1.py"),
            Self::Python2 => ("py2/bin/python", "http_py2.py"),
            Self::TypeScript1 => ("node/node_modules/.bin/node", "http_ts1.mjs"),
            Self::TypeScript2 => ("node/node_modules/.bin/node", "http_ts2.mjs"),
        }
    }

    /// Runs it against a fresh server, insists on all that is the same for everybody, and gives what it saw.
    fn visits(self, test: &str, mode: &str) -> Option<Value> {
        let folder = folder(test)?;
        let (program, script) = self.command();
        let server = Peer::start(HTTP, &[]);
        let url = if mode == "sse" { pipe_of(&server) } else { server.url() };
        let seen = run(&folder, program, script, &[mode, &url]);
        everything(&seen);
        if matches!(self, Self::TypeScript1 | Self::TypeScript2) {
            assert!(seen["wait"].as_str().is_some_and(|why| why.contains("enough")), "{}", seen["wait"]);
            server.complains("wait was dropped\n");
        }
        server.signal("TERM");
        server.end().is_clean();
        Some(seen)
    }
}

/// Where the stream of HTTP+SSE is.
fn pipe_of(server: &Peer) -> String {
    server.url().replace("/mcp", "/sse")
}

/// What every client sees.
#[track_caller]
fn everything(seen: &Value) {
    assert_eq!(seen["client_problems"], json!([]));
    assert_eq!(seen["server_info"], json!({ "name": "Over HTTP", "version": "1.0.0" }));
    assert_eq!(seen["tools"], json!(["add", "long_task", "slow_task", "slow_task_runs", "wait", "touch"]));
    assert_eq!(seen["add"], json!({ "result": 5 }));
    assert_eq!(seen["long_task"], "done");
    let step = |n: u8| json!([f64::from(n), 3.0, format!("step {n} of 3")]);
    assert_eq!(numbers(&seen["progress"]), json!([step(1), step(2), step(3)]));
    assert_eq!(seen["logs"], json!([["info", "begun"], ["debug", "worked through"]]));
    assert_eq!(seen["greeting"], "Hello, Ada!");
    assert_eq!(seen["prompt"], "Please review this code:\n\nx = 1");
    let changes = ["notifications/tools/list_changed", "notifications/resources/updated"];
    assert_eq!(seen["heard"], json!(changes));
}

/// The same with all numbers as decimals, which is how some clients print them.
pub(crate) fn numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(numbers).collect(),
        _ => value.clone(),
    }
}

/// How often an exchange of this kind was seen.
fn count(seen: &Value, exchange: &str) -> usize {
    seen["http"].as_array().unwrap().iter().filter(|seen| *seen == exchange).count()
}

/// A session of Streamable HTTP: a greeting, one stream for what the server says by itself, a goodbye at the very end.
#[track_caller]
fn is_session(seen: &Value) {
    assert_eq!(seen["protocol_version"], "2025-11-25");
    let http = seen["http"].as_array().unwrap();
    assert_eq!((&http[0], &http[1]), (&json!(ANSWER), &json!(TAKEN)));
    assert_eq!((count(seen, LISTENING), count(seen, GOODBYE)), (1, 1), "{http:?}");
    assert_eq!(http.last(), Some(&json!(GOODBYE)));
    let known = [ANSWER, STREAM, LISTENING, TAKEN, GOODBYE];
    assert!(http.iter().all(|exchange| known.contains(&exchange.as_str().unwrap())), "{http:?}");
}

/// No sessions: nothing but answers, the stream of `long_task` and the one that was listened to.
#[track_caller]
fn is_stateless(seen: &Value) {
    assert_eq!(seen["protocol_version"], "2026-07-28");
    let sent = seen["sent"].as_array().unwrap();
    assert_eq!(sent[0], "server/discover");
    assert!(sent.iter().all(|method| method != "initialize"), "it fell back: {sent:?}");
    assert_eq!((count(seen, LISTENING), count(seen, GOODBYE)), (0, 0), "{}", seen["http"]);
}

/// HTTP+SSE: one stream for everything, and messages that are only taken.
#[track_caller]
fn is_pipe(seen: &Value) {
    assert_eq!(seen["protocol_version"], "2025-11-25");
    let http = seen["http"].as_array().unwrap();
    assert_eq!(http[0], LISTENING);
    assert!(http[1..].iter().all(|exchange| exchange == TAKEN), "{http:?}");
}

#[test]
fn python_1_over_http() {
    // S-125, S-135, S-138, S-145, S-146, S-156, S-157, S-173, S-231, S-272
    let Some(seen) = Client::Python1.visits("python_1_over_http", "streamable") else { return };
    is_session(&seen);
    assert_eq!((count(&seen, ANSWER), count(&seen, STREAM)), (8, 1), "{}", seen["http"]);
}

#[test]
fn python_1_over_http_and_sse() {
    // S-116, S-117, S-119, S-120, S-231, S-272
    let Some(seen) = Client::Python1.visits("python_1_over_http_and_sse", "sse") else { return };
    is_pipe(&seen);
}

#[test]
fn python_2_over_http() {
    // M26-156, M26-158, M26-269, M26-271, M26-272, M26-318
    let Some(seen) = Client::Python2.visits("python_2_over_http", "auto") else { return };
    is_stateless(&seen);
    assert_eq!(seen["events"], json!(["ToolsListChanged", "ResourceUpdated"]));
    assert_eq!((count(&seen, ANSWER), count(&seen, STREAM)), (6, 2), "{}", seen["http"]);
}

#[test]
fn python_2_as_of_old_over_http() {
    // S-125, S-135, S-138, S-145, S-146, S-156, S-157, S-173, S-231, S-272
    let Some(seen) = Client::Python2.visits("python_2_as_of_old_over_http", "legacy") else { return };
    is_session(&seen);
}

#[test]
fn typescript_1_over_http() {
    // S-125, S-135, S-138, S-145, S-146, S-151, S-156, S-157, S-173, S-231, S-272
    let Some(seen) = Client::TypeScript1.visits("typescript_1_over_http", "streamable") else { return };
    is_session(&seen);
}

#[test]
fn typescript_1_over_http_and_sse() {
    // S-116, S-117, S-119, S-120, S-231, S-272
    let Some(seen) = Client::TypeScript1.visits("typescript_1_over_http_and_sse", "sse") else { return };
    is_pipe(&seen);
}

#[test]
fn typescript_2_over_http() {
    // M26-156, M26-158, M26-168, M26-169, M26-269, M26-271, M26-272, M26-318
    let Some(seen) = Client::TypeScript2.visits("typescript_2_over_http", "2026-07-28") else { return };
    is_stateless(&seen);
    assert_eq!(seen["closed"], "local");
}

#[test]
fn typescript_2_as_of_old_over_http() {
    // S-125, S-135, S-138, S-145, S-146, S-151, S-156, S-157, S-173, S-231, S-272
    let Some(seen) = Client::TypeScript2.visits("typescript_2_as_of_old_over_http", "legacy") else { return };
    is_session(&seen);
}

/// What the Inspector sees, with a connection for each of its calls.
fn by_inspector(test: &str, era: &str, place: impl Fn(&Peer) -> String, version: &str) {
    let Some(folder) = folder(test) else { return };
    let server = Peer::start(HTTP, &[]);
    let seen = run(&folder, "node/node_modules/.bin/node", "inspector.mjs", &[era, &place(&server)]);
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
    server.end().is_clean();
}

#[test]
fn inspector_over_http() {
    // M26-070, M26-084, M26-156
    by_inspector("inspector_over_http", "modern", Peer::url, "2026-07-28");
}

#[test]
fn inspector_as_of_old_over_http() {
    // S-063, S-125, S-138
    by_inspector("inspector_as_of_old_over_http", "legacy", Peer::url, "2025-11-25");
}

#[test]
fn inspector_over_http_and_sse() {
    // S-116, S-117, S-119, S-120
    by_inspector("inspector_over_http_and_sse", "legacy", pipe_of, "2025-11-25");
}
