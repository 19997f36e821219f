//! The MCP client of smolagents, over stdio and Streamable HTTP.
//!
//! The client is described in `crates/ferromcp/tests/interop/README.md`.

use serde_json::{Value, json};

use crate::interop::{run_client, set_up_folder};
use crate::server_process::{EVERYTHING, HTTP, ServerProcess};

/// Asserts the tools and the results that both servers have in common.
#[track_caller]
fn assert_results(seen: &Value, tools_without_arguments: &[&str]) {
    let argument = &seen["tools"]["add"]["a"];
    assert_eq!((&argument["type"], seen["tools"]["add"].as_object().unwrap().len()), (&json!("integer"), 2));
    // The client requires `properties` in every input schema, also of a tool without arguments.
    for tool in tools_without_arguments {
        assert_eq!(seen["tools"][tool], json!({}), "{tool}");
    }
    let results = ["add", "unstructured", "long_task"].map(|name| seen[name].clone());
    assert_eq!(results, [json!({ "result": 5 }), json!("5"), json!("done")]);
}

#[test]
fn smolagents_with_everything_server() {
    let Some(folder) = set_up_folder("smolagents_with_everything_server") else { return };
    let seen = run_client(&folder, "hosts/bin/python", "client_smolagents.py", &[EVERYTHING]);
    assert_results(&seen, &["long_task", "wait", "block", "shout", "fail", "crash"]);
    assert_eq!(seen["tools"]["weather"]["city"]["description"], "The city, by its name");
}

#[test]
fn smolagents_over_http() {
    let Some(folder) = set_up_folder("smolagents_over_http") else { return };
    let server = ServerProcess::start(HTTP, &[]);
    let seen = run_client(&folder, "hosts/bin/python", "client_smolagents.py", &[&server.url()]);
    assert_results(&seen, &["long_task", "slow_task", "slow_task_runs", "wait", "touch"]);
    server.signal("TERM");
    server.wait().assert_clean_exit();
}
