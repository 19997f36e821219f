//! Access control over HTTP.

use ferromcp::core::Revision;
use serde_json::{Value, json};

use crate::web::{Client, Web};

const ACCESS: &str = env!("CARGO_BIN_EXE_access");

/// Sends a request of 2026-07-28 with a key.
fn post(web: &Web, key: Option<&str>, method: &str, params: Value) -> crate::web::Response {
    let client = Client::new(web, Revision::LATEST);
    let value = key.map(|key| format!("Bearer {key}"));
    let headers: Vec<_> = value.iter().map(|value| ("Authorization", value.as_str())).collect();
    client.post_with(method, params, &headers)
}

fn call(web: &Web, key: &str, tool: &str) -> Value {
    let params = json!({ "name": tool, "arguments": { "title": "May" } });
    post(web, Some(key), "tools/call", params).json()
}

#[test]
fn request_is_rejected_when_key_is_missing_or_unknown() {
    let web = Web::start(ACCESS, &[]);
    for key in [None, Some("key-of-eve")] {
        let response = post(&web, key, "tools/list", json!({}));
        assert_eq!((response.status, response.header("www-authenticate")), (401, Some("Bearer")));
    }
}

#[test]
fn tool_is_hidden_when_principal_may_not_use_it() {
    let web = Web::start(ACCESS, &[]);
    let names = |key: &str| -> Vec<Value> {
        let listed = post(&web, Some(key), "tools/list", json!({})).json();
        listed["result"]["tools"].as_array().expect("a list").iter().map(|tool| tool["name"].clone()).collect()
    };
    assert_eq!(names("key-of-ada"), ["send_report", "delete_report"]);
    assert_eq!(names("key-of-bob"), ["send_report"]);
    assert_eq!(call(&web, "key-of-ada", "delete_report")["result"]["content"][0]["text"], "deleted \"May\"");
    let error = &call(&web, "key-of-bob", "delete_report")["error"];
    assert_eq!(error["message"], "Unknown tool: delete_report");
}

#[test]
fn session_is_not_found_when_principal_differs() {
    let web = Web::start(ACCESS, &[]);
    let revision = Revision::LATEST_LEGACY;
    let info = json!({ "name": "tests", "version": "1.0.0" });
    let params = json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": info });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }).to_string();
    let common = [("Accept", "application/json, text/event-stream"), ("Content-Type", "application/json")];
    let ada = ("Authorization", "Bearer key-of-ada");
    let opened = web.request("POST", "/mcp", &[common[0], common[1], ada], &body);
    let session = ("Mcp-Session-Id", opened.header("mcp-session-id").expect("a session"));
    let ping = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" }).to_string();
    for (key, status) in [("Bearer key-of-ada", 200), ("Bearer key-of-bob", 404)] {
        let version = ("MCP-Protocol-Version", revision.as_str());
        let headers = [common[0], common[1], session, version, ("Authorization", key)];
        assert_eq!(web.request("POST", "/mcp", &headers, &ping).status, status, "{key}");
    }
}

#[test]
fn calls_are_limited_per_principal_and_audited() {
    let web = Web::start(ACCESS, &[]);
    for _ in 0..2 {
        let sent = call(&web, "key-of-ada", "send_report");
        assert_eq!(sent["result"]["content"][0]["text"], "sent \"May\" in the name of ada");
    }
    let limited = call(&web, "key-of-ada", "send_report");
    assert_eq!(limited["result"]["isError"], true);
    assert!(limited["result"]["content"][0]["text"].as_str().is_some_and(|text| text.contains("Too many calls")));
    assert!(call(&web, "key-of-bob", "send_report")["result"]["isError"].is_null());
    call(&web, "key-of-bob", "delete_report");

    let records: Vec<String> =
        std::iter::repeat_with(|| web.says()).filter(|line| line.contains("audit")).take(10).collect();
    let has = |record: usize, texts: [&str; 3]| texts.iter().all(|text| records[record].contains(text));
    assert!(has(0, ["call", "principal=\"ada\"", "tool=\"send_report\""]), "{records:?}");
    assert!(has(1, ["outcome", "principal=\"ada\"", "outcome=\"ok\""]), "{records:?}");
    assert!(has(5, ["principal=\"ada\"", "outcome=\"tool error\"", "send_report"]), "{records:?}");
    assert!(has(9, ["principal=\"bob\"", "outcome=\"rejected\"", "delete_report"]), "{records:?}");
}
