//! Checks the definitions of tools.

use std::collections::BTreeSet;

use ferromcp_core::RawJson;
use ferromcp_core::model::ToolDefinition;
use ferromcp_core::text::excerpt;
use ferromcp_json_schema::Validator;
use serde_json::Value;

use super::finding::Finding;
use crate::exit::Exit;

/// Maximum number of findings about tools.
const MAX_FINDINGS: usize = 50;
/// Maximum length of a name in the specification.
const MAX_NAME: usize = 128;

/// Checks the names and schemas of all tools.
pub(super) fn check(tools: &[ToolDefinition]) -> Vec<Finding> {
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    for tool in tools {
        if !names.insert(tool.name.as_str()) {
            found.push(problem(tool, "its name is not unique, so one of the tools cannot be called", "rename it"));
        } else if !is_portable(&tool.name) {
            let text = format!("`{}`: some clients reject the name", excerpt(&tool.name));
            let fix = format!("use 1 to {MAX_NAME} letters, digits, `_`, `-` and `.`");
            found.push(Finding::warning("tool", text, fix));
        }
        found.extend(check_schema(tool, "inputSchema", tool.input_schema.as_str()));
        let output = tool.output_schema.as_ref().map(RawJson::as_str);
        found.extend(output.and_then(|schema| check_schema(tool, "outputSchema", schema)));
        if found.len() >= MAX_FINDINGS {
            found.truncate(MAX_FINDINGS);
            let text = format!("more than {MAX_FINDINGS} findings; the others are omitted");
            found.push(Finding::warning("tool", text, "fix the findings above first"));
            return found;
        }
    }
    if found.is_empty() {
        let count = tools.len();
        let text = if count == 1 { "1 tool, valid".to_owned() } else { format!("{count} tools, all valid") };
        found.push(Finding::ok("tools", text));
    }
    found
}

fn check_schema(tool: &ToolDefinition, key: &str, schema: &str) -> Option<Finding> {
    let document: Value = serde_json::from_str(schema).unwrap_or_default();
    if document.get("type").and_then(Value::as_str) != Some("object") {
        let text = format!("its `{key}` does not have the type `object`, which the protocol requires");
        return Some(problem(tool, &text, &format!("add `\"type\": \"object\"` to `{key}`")));
    }
    let error = Validator::compile(schema).err()?;
    let text = format!(
        "`{}`: clients may not be able to use its `{key}`: {}",
        excerpt(&tool.name),
        excerpt(&error.to_string())
    );
    Some(Finding::warning("tool", text, "correct or simplify the schema"))
}

fn problem(tool: &ToolDefinition, text: &str, fix: &str) -> Finding {
    Finding::problem(Exit::Protocol, "tool", format!("`{}`: {text}", excerpt(&tool.name)), fix)
}

/// Returns whether all clients accept a name.
fn is_portable(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
