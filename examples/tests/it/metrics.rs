//! Metrics of tool calls.

use std::io::Write;
use std::time::{Duration, Instant};

use ferromcp::core::Revision;
use ferromcp::core::meta::key;
use serde_json::json;

use crate::web::{Client, Web};

const METRICS: &str = env!("CARGO_BIN_EXE_metrics");

/// Returns whether the metrics have this line.
fn has(web: &Web, line: &str) -> bool {
    let metrics = web.request("GET", "/metrics", &[], "");
    assert_eq!(metrics.status, 200);
    metrics.body.lines().any(|it| it == line)
}

#[test]
fn calls_are_counted_by_tool_and_outcome() {
    let web = Web::start(METRICS, &[]);
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let client = Client::new(&web, revision);
        client.call("add", &json!({ "a": 2, "b": 3 }));
        client.call("add", &json!({ "a": i64::MAX, "b": 3 }));
        client.call("wait", &json!({ "millis": 20 }));
        client.post("tools/call", json!({ "name": "made_up", "arguments": {} }));
    }
    for line in [
        "# TYPE mcp_tool_call_duration_seconds histogram",
        "mcp_tool_call_duration_seconds_count{tool=\"add\",outcome=\"ok\"} 2",
        "mcp_tool_call_duration_seconds_count{tool=\"add\",outcome=\"tool_error\"} 2",
        "mcp_tool_call_duration_seconds_count{tool=\"unknown\",outcome=\"error\"} 2",
        "mcp_tool_call_duration_seconds_bucket{tool=\"wait\",outcome=\"ok\",le=\"0.01\"} 0",
        "mcp_tool_call_duration_seconds_bucket{tool=\"wait\",outcome=\"ok\",le=\"+Inf\"} 2",
    ] {
        assert!(has(&web, line), "{line}: {}", web.request("GET", "/metrics", &[], "").body);
    }
}

#[test]
fn call_is_counted_when_client_disconnects() {
    let web = Web::start(METRICS, &[]);
    let capabilities = json!({ key::PROTOCOL_VERSION: Revision::LATEST, key::CLIENT_CAPABILITIES: {} });
    let params = json!({ "name": "wait", "arguments": { "millis": 60_000 }, "_meta": capabilities });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    let mut connection = web.connect();
    let (host, length, revision) = (&web.address, body.len(), Revision::LATEST);
    write!(connection, "POST /mcp HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n").expect("it reads");
    write!(connection, "Mcp-Method: tools/call\r\nMcp-Name: wait\r\nMCP-Protocol-Version: {revision}\r\n")
        .expect("it reads");
    write!(connection, "Content-Length: {length}\r\n\r\n{body}").expect("it reads");
    std::thread::sleep(Duration::from_millis(200)); // the call is running
    drop(connection);
    let begin = Instant::now();
    while !has(&web, "mcp_tool_call_duration_seconds_count{tool=\"wait\",outcome=\"cancelled\"} 1") {
        assert!(begin.elapsed() < Duration::from_secs(30), "the call is cancelled");
        std::thread::sleep(Duration::from_millis(20));
    }
}
