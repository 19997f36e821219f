//! The input schemas of Rust types in agent frameworks, compared with the table of the guide. // S1, S2, S3
//!
//! The frameworks convert the tools of a server as they do for a model; nothing is sent to a model. The results must match
//! the table in `docs/guide/host-types.md`; `FERROMCP_WRITE_MATRIX=1` updates the table.

use std::fs;
use std::path::Path;

use ferromcp::server::HostWarning;
use ferromcp_conformance::host_types::{server, tools};
use serde_json::Value;

use crate::interop::{run_client, set_up_folder};
use crate::result_table::compare_with_page;
use crate::server_process::HOST_TYPES;

/// A column: the key of the results of the scripts, the heading, and the pinned package.
struct Framework(&'static str, &'static str, &'static str);

const PYTHON: [Framework; 3] = [
    Framework("openai_agents", "OpenAI Agents SDK", "openai-agents"),
    Framework("google_genai", "Google GenAI SDK", "google-genai"),
    Framework("langchain", "LangChain", "langchain-mcp-adapters"),
];

const NODE: [Framework; 2] = [
    Framework("ai_sdk_openai", "AI SDK with OpenAI", "@ai-sdk/openai"),
    Framework("ai_sdk_google", "AI SDK with Google", "@ai-sdk/google"),
];

#[test]
fn table_matches_conversions_of_agent_frameworks() {
    let Some(folder) = set_up_folder("table_matches_conversions_of_agent_frameworks") else { return };
    let python = run_client(&folder, "hosts/bin/python", "host_types.py", &[HOST_TYPES]);
    let node = run_client(&folder, "node/node_modules/.bin/node", "host_types.mjs", &[HOST_TYPES]);
    let mut rows = vec![header(&folder), format!("|{}", "---|".repeat(PYTHON.len() + NODE.len() + 2))];
    for (rust, tool) in tools() {
        let cell = |results: &Value, Framework(key, ..): &Framework| {
            results[*key][tool.name()].as_str().unwrap_or("no: the tool is missing").replace('|', "/")
        };
        let mut cells = vec![rust.to_owned()];
        cells.extend(PYTHON.iter().map(|framework| cell(&python, framework)));
        cells.extend(NODE.iter().map(|framework| cell(&node, framework)));
        cells.push(rejected_by(tool.name()));
        rows.push(format!("| {} |", cells.join(" | ")));
    }
    compare_with_page("guide/host-types.md", "host types", &rows.join("\n"));
}

/// Returns the heading row with the pinned versions.
fn header(folder: &Path) -> String {
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("the stamp file exists");
    let (python, node) = (read("hosts.stamp"), read("node.stamp"));
    let node: Value = serde_json::from_str(&node).expect("the stamp of Node is its lock file");
    let mut cells = vec!["parameter".to_owned()];
    for Framework(_, title, package) in PYTHON {
        let version = python.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix("=="));
        cells.push(format!("{title} {}", version.expect("the package is pinned")));
    }
    for Framework(_, title, package) in NODE {
        let version = node["packages"][format!("node_modules/{package}")]["version"].as_str();
        cells.push(format!("{title} {}", version.expect("the package is pinned")));
    }
    cells.push("startup warning for".to_owned());
    format!("| {} |", cells.join(" | "))
}

/// Returns the hosts of the warnings about a tool.
fn rejected_by(tool: &str) -> String {
    let warnings = server().host_warnings();
    let mut hosts: Vec<&str> = Vec::new();
    for host in warnings.iter().filter(|warning| warning.tool() == tool).flat_map(HostWarning::hosts) {
        if !hosts.contains(host) {
            hosts.push(host);
        }
    }
    if hosts.is_empty() { "–".to_owned() } else { hosts.join(", ") }
}
