//! References within a schema.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// Maximum number of references that are followed in a row.
const MAX_REFERENCES: usize = 16;

/// Keywords that do not restrict values.
pub(super) const ANNOTATIONS: [&str; 12] = [
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "$schema",
    "$id",
    "$anchor",
];

/// Keywords with definitions, which are compared where they are referenced.
pub(super) const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// Returns whether a keyword restricts values.
pub(super) fn is_constraint(keyword: &str) -> bool {
    !ANNOTATIONS.contains(&keyword) && !DEFINITIONS.contains(&keyword) && !keyword.starts_with("x-")
}

/// A schema within its document, after references.
#[derive(Debug, Clone)]
pub(super) enum Node<'a> {
    /// An object. `true` is an object without keywords.
    Object(Cow<'a, Map<String, Value>>),
    /// `false`, which no value matches.
    Nothing,
    /// A value that is not a schema.
    Invalid,
}

/// Returns the reference of a schema.
pub(super) fn reference(node: &Value) -> Option<&str> {
    node.get("$ref")?.as_str()
}

/// Follows the references of a schema within its document. A reference that cannot be followed remains as the keyword `$ref`.
pub(super) fn resolve<'a>(node: &'a Value, document: &'a Value) -> Node<'a> {
    let mut node = match node {
        Value::Object(members) => Cow::Borrowed(members),
        Value::Bool(true) => Cow::Owned(Map::new()),
        Value::Bool(false) => return Node::Nothing,
        _ => return Node::Invalid,
    };
    for _ in 0..MAX_REFERENCES {
        let target = match node.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#')) {
            Some(pointer) => document.pointer(pointer).cloned(),
            None => only_part(&node),
        };
        let Some(Value::Object(target)) = target else { break };
        node = Cow::Owned(merge(&node, target));
    }
    Node::Object(node)
}

/// Returns the only schema of `allOf`, which is the same as the schema alone.
fn only_part(node: &Map<String, Value>) -> Option<Value> {
    match node.get("allOf")?.as_array()?.as_slice() {
        [only] if !node.keys().any(|key| key != "allOf" && is_constraint(key)) => Some(only.clone()),
        _ => None,
    }
}

/// Replaces a reference, or the only schema of `allOf`, by its target. If both restrict values, the target is one of `allOf`.
fn merge(node: &Map<String, Value>, target: Map<String, Value>) -> Map<String, Value> {
    let mut siblings = node.clone();
    let is_reference = siblings.remove("$ref").is_some();
    if !is_reference {
        siblings.remove("allOf");
    }
    if siblings.keys().any(|key| is_constraint(key)) {
        let mut parts = match siblings.remove("allOf") {
            Some(Value::Array(parts)) => parts,
            _ => Vec::new(),
        };
        parts.push(target.into());
        siblings.insert("allOf".to_owned(), parts.into());
        return siblings;
    }
    let mut merged = target;
    merged.extend(siblings);
    merged
}
