//! Checks of tools: names, descriptions, annotations, schemas and cost.

use std::collections::{HashMap, HashSet};

use ferromcp_core::Revision;
use ferromcp_core::model::ToolDefinition;
use ferromcp_core::text::{excerpt, reason};
use serde_json::Value;

use super::document::Document;
use super::finding::Findings;
use super::items::is_blank;
use super::profile::Profile;
use super::schema;
use super::text::{self, MAX_DESCRIPTION, MIN_DESCRIPTION, over};
use super::{host_checks, tokens, walk};
use crate::surface::Surface;

/// Maximum length of a name (SEP-986), in characters.
const MAX_NAME: usize = 128;

/// Maximum number of arguments of a tool.
const MAX_ARGUMENTS: usize = 20;

/// Maximum number of estimated tokens of a tool.
const MAX_TOOL_TOKENS: usize = 1_000;

/// Maximum number of estimated tokens of all tools.
const MAX_SERVER_TOKENS: usize = 10_000;

/// Checks all tools. Returns their estimated tokens.
pub(super) fn check(surface: &Surface, hosts: &[&'static Profile], findings: &mut Findings) -> usize {
    names(surface, findings);
    let server = surface.server_info.as_ref().map_or("", |info| info.name.as_str());
    let mut total = 0_usize;
    for (index, tool) in surface.tools.iter().enumerate() {
        let (item, pointer) = (format!("tool `{}`", excerpt(&tool.name)), format!("/tools/{index}"));
        texts(tool, &item, &pointer, findings);
        annotations(tool, &item, &pointer, findings);
        let place = format!("{pointer}/inputSchema");
        let root = parse(tool.input_schema.as_str(), &item, &place, findings);
        if let Some(root) = &root {
            let nodes = walk::nodes(root);
            let text = tool.input_schema.as_str();
            let document = Document { text, root, nodes: &nodes, item: &item, pointer: &place };
            schema::check(&document, findings);
            schema::check_input(&document, MAX_ARGUMENTS, findings);
            host_checks::check_schema(&document, hosts, findings);
        }
        host_checks::check_name(server, &tool.name, &item, &format!("{pointer}/name"), hosts, findings);
        output(surface, tool, &item, &pointer, findings);
        let count = tokens::of_tool(tool, root.as_ref());
        total = total.saturating_add(count);
        if count > MAX_TOOL_TOKENS {
            findings.add("tokens-of-tool", &item, &pointer, format!("the definition has about {count} tokens"));
        }
    }
    if total > MAX_SERVER_TOKENS {
        findings.add("tokens-of-server", "server", "/tools", format!("all tools have about {total} tokens"));
    }
    host_checks::check_count(surface.tools.len(), hosts, findings);
    total
}

/// Parses a schema, whose nesting is bounded.
fn parse(text: &str, item: &str, pointer: &str, findings: &mut Findings) -> Option<Value> {
    match serde_json::from_str(text) {
        Ok(value) => Some(value),
        Err(error) => {
            let error = error.to_string();
            let rule = if error.contains("recursion limit") { "schema-too-deep" } else { "schema-invalid" };
            findings.add(rule, item, pointer, format!("the schema cannot be parsed: {}", reason(&error)));
            None
        }
    }
}

fn names(surface: &Surface, findings: &mut Findings) {
    let mut exact = HashSet::new();
    let mut normalized: HashMap<String, &str> = HashMap::new();
    for (index, tool) in surface.tools.iter().enumerate() {
        let name = tool.name.as_str();
        let (item, pointer) = (format!("tool `{}`", excerpt(name)), format!("/tools/{index}/name"));
        let length = name.chars().count();
        if !(1..=MAX_NAME).contains(&length) {
            findings.add("tool-name-length", &item, &pointer, format!("the name has {length} characters"));
        }
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if let Some(c) = name.chars().find(|c| !is_allowed(*c)) {
            let message = format!("the name contains `{}`", excerpt(&c.to_string()));
            findings.add("tool-name-characters", &item, &pointer, message);
        }
        text::check(name, &item, &pointer, "the name", findings);
        if !exact.insert(name) {
            let message = "another tool has the same name".to_owned();
            findings.add("tool-name-duplicate", &item, &pointer, message);
            continue;
        }
        let key = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
        if let Some(other) = normalized.insert(key, name) {
            let message = format!("the name collides with `{}` when a host replaces characters", excerpt(other));
            findings.add("tool-name-collision", &item, &pointer, message);
        }
    }
}

fn texts(tool: &ToolDefinition, item: &str, pointer: &str, findings: &mut Findings) {
    let title = tool.title.as_deref();
    let old_title = tool.annotations.as_ref().and_then(|annotations| annotations.title.as_deref());
    if is_blank(title) && is_blank(old_title) {
        findings.add("title-missing", item, pointer, "the tool has no title".to_owned());
    }
    for title in [title, old_title].into_iter().flatten() {
        text::check(title, item, &format!("{pointer}/title"), "the title", findings);
    }
    let place = format!("{pointer}/description");
    let Some(description) = tool.description.as_deref().filter(|text| !is_blank(Some(text))) else {
        findings.add("tool-description-missing", item, pointer, "the tool has no description".to_owned());
        return;
    };
    text::check(description, item, &place, "the description", findings);
    let length = description.trim().chars().take(MIN_DESCRIPTION).count();
    if length < MIN_DESCRIPTION {
        findings.add("tool-description-short", item, &place, format!("the description has {length} characters"));
    }
    if let Some(count) = over(description, MAX_DESCRIPTION) {
        findings.add("tool-description-long", item, &place, format!("the description has {count} characters"));
    }
}

fn annotations(tool: &ToolDefinition, item: &str, pointer: &str, findings: &mut Findings) {
    let hints = tool.annotations.as_ref();
    let (read_only, destructive) = hints.map_or((None, None), |hints| (hints.read_only_hint, hints.destructive_hint));
    if read_only.is_none() && destructive.is_none() {
        findings.add(
            "annotations-missing",
            item,
            pointer,
            "`readOnlyHint` and `destructiveHint` are missing".to_owned(),
        );
    }
    if read_only == Some(true) && destructive == Some(true) {
        let message = "`readOnlyHint` and `destructiveHint` are true".to_owned();
        findings.add("annotations-contradictory", item, &format!("{pointer}/annotations"), message);
    }
}

fn output(surface: &Surface, tool: &ToolDefinition, item: &str, pointer: &str, findings: &mut Findings) {
    let Some(schema) = &tool.output_schema else { return };
    let place = format!("{pointer}/outputSchema");
    let Some(root) = parse(schema.as_str(), item, &place, findings) else { return };
    // Only revisions without a handshake allow other types.
    let is_modern = Revision::parse(&surface.protocol_version).is_some_and(Revision::is_modern);
    if !is_modern && root.get("type").and_then(Value::as_str) != Some("object") {
        findings.add("output-schema-root", item, &place, "the type of the root is not `object`".to_owned());
    }
    let nodes = walk::nodes(&root);
    schema::check(&Document { text: schema.as_str(), root: &root, nodes: &nodes, item, pointer: &place }, findings);
}
