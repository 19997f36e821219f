//! Checks of the values in a schema: enums, defaults and patterns.

use std::collections::HashSet;

use ferromcp_core::text::{excerpt, reason};
use ferromcp_json_schema::{SchemaErrorKind, ValidationErrorKind, Validator};
use serde_json::{Value, json};

use super::document::Document;
use super::finding::Findings;
use super::walk::Node;

/// Maximum size of a schema whose default is validated, with its definitions, in bytes.
const MAX_DEFAULT_SCHEMA: usize = 256 << 10;

/// Checks the values of a node. `is_valid` is whether the whole schema compiles.
pub(super) fn check(document: &Document<'_>, node: &Node<'_>, is_valid: bool, findings: &mut Findings) {
    enumeration(document, node, findings);
    if is_valid {
        default(document, node, findings);
    }
    if let Some(pattern) = node.object.get("pattern").and_then(Value::as_str) {
        check_pattern(document, pattern, &document.at(node, "pattern"), findings);
    }
    for pattern in node.object.get("patternProperties").and_then(Value::as_object).into_iter().flatten() {
        check_pattern(document, pattern.0, &document.at(node, "patternProperties"), findings);
    }
}

fn enumeration(document: &Document<'_>, node: &Node<'_>, findings: &mut Findings) {
    let Some(values) = node.object.get("enum").and_then(Value::as_array) else { return };
    let kinds: HashSet<&str> = values.iter().map(kind).filter(|kind| *kind != "null").collect();
    let texts: HashSet<String> = values.iter().map(Value::to_string).collect();
    let message = if values.is_empty() {
        "the `enum` is empty"
    } else if kinds.len() > 1 {
        "the `enum` mixes types"
    } else if texts.len() < values.len() {
        "the `enum` repeats a value"
    } else {
        return;
    };
    findings.add("enum-invalid", document.item, &document.at(node, "enum"), message.to_owned());
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn default(document: &Document<'_>, node: &Node<'_>, findings: &mut Findings) {
    let Some(default) = node.object.get("default") else { return };
    let mut schema = node.object.clone();
    // References of the node point to the root.
    for key in ["$defs", "definitions", "$schema"] {
        if let Some(definitions) = document.root.get(key) {
            schema.entry(key).or_insert_with(|| definitions.clone());
        }
    }
    let schema = Value::Object(schema).to_string();
    if schema.len() > MAX_DEFAULT_SCHEMA {
        return;
    }
    let Ok(validator) = Validator::compile(&schema) else { return };
    if let Err(error) = validator.validate(&default.to_string())
        && error.kind() == ValidationErrorKind::Mismatch
    {
        let message = format!("the default is invalid: {}", reason(&error.to_string()));
        findings.add("default-invalid", document.item, &document.at(node, "default"), message);
    }
}

fn check_pattern(document: &Document<'_>, pattern: &str, pointer: &str, findings: &mut Findings) {
    let schema = json!({ "type": "string", "pattern": pattern }).to_string();
    let is_valid = match Validator::compile(&schema) {
        Ok(_) => true,
        Err(error) => error.kind() != SchemaErrorKind::Pattern,
    };
    if is_valid {
        return;
    }
    let shown = excerpt(pattern);
    if has_look_around(pattern) {
        let message = format!("the pattern `{shown}` uses look-around or a back-reference");
        findings.add("pattern-look-around", document.item, pointer, message);
    } else {
        findings.add("pattern-invalid", document.item, pointer, format!("the pattern `{shown}` is invalid"));
    }
}

/// Returns whether a pattern has look-around or a back-reference.
fn has_look_around(pattern: &str) -> bool {
    let mut chars = pattern.char_indices();
    let mut in_class = false;
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => {
                let next = chars.next().map(|(_, c)| c);
                if !in_class && matches!(next, Some('1'..='9' | 'k')) {
                    return true;
                }
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let rest = pattern.get(index + 1..).unwrap_or_default();
                if ["?=", "?!", "?<=", "?<!"].iter().any(|start| rest.starts_with(start)) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}
