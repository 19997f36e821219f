//! Health checks, and settings from the environment.

use std::fs;
use std::path::PathBuf;

use ferromcp::core::Revision;
use serde_json::json;

use crate::web::{Client, Web};

const DEPLOYED: &str = env!("CARGO_BIN_EXE_deployed");

/// Returns a new folder with one file.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("the folder is created");
    fs::write(folder.join("may.txt"), "May").expect("the file is written");
    folder
}

#[test]
fn health_checks_follow_the_state_of_the_server() {
    let folder = folder("reports-health");
    let web = Web::start_with(DEPLOYED, &[], &[("MCP_REPORTS", folder.to_str().expect("a path in UTF-8"))]);
    let status = |path: &str| web.request("GET", path, &[("Host", "10.1.2.3:8000")], "").status;
    assert_eq!((status("/livez"), status("/readyz")), (200, 200), "probes use the address of the pod");
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let counted = Client::new(&web, revision).call("count_reports", &json!({}));
        assert_eq!(counted["content"][0]["text"], "1");
    }
    fs::remove_dir_all(&folder).expect("the folder is removed");
    assert_eq!((status("/livez"), status("/readyz")), (200, 503));
}

#[test]
fn public_host_is_allowed_when_set_in_environment() {
    let web = Web::start_with(DEPLOYED, &[], &[("MCP_HOST", "mcp.example.com"), ("MCP_PROXY", "127.0.0.1")]);
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let status = |headers: &[(&str, &str)]| Client::new(&web, Revision::LATEST).send("POST", headers, &list).status;
    assert_ne!(status(&[("Host", "mcp.example.com")]), 403);
    assert_eq!(status(&[("Host", "evil.example.com")]), 403);
    // The proxy sends its own `Host`, and the host that the client requested.
    assert_ne!(status(&[("X-Forwarded-Host", "mcp.example.com")]), 403);
    assert_eq!(status(&[("X-Forwarded-Host", "evil.example.com")]), 403);
}

#[test]
fn initialize_starts_no_session_when_stateless() {
    let key = "0a".repeat(32);
    let web = Web::start_with(DEPLOYED, &[], &[("MCP_STATELESS", "1"), ("MCP_STATE_KEY", &key)]);
    let info = json!({ "name": "tests", "version": "1.0.0" });
    let params = json!({ "protocolVersion": Revision::LATEST_LEGACY, "capabilities": {}, "clientInfo": info });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }).to_string();
    let headers = [("Accept", "application/json, text/event-stream"), ("Content-Type", "application/json")];
    let opened = web.request("POST", "/mcp", &headers, &body);
    assert_eq!((opened.status, opened.header("mcp-session-id")), (200, None));
}

#[cfg(unix)]
#[test]
fn server_exits_when_interrupted() {
    let web = Web::start(DEPLOYED, &[]);
    assert_eq!(web.request("GET", "/livez", &[], "").body, "ok");
    assert_eq!(web.interrupt(), [] as [&str; 0]);
}
