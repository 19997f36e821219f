//! The subschemas of a JSON Schema, with their JSON pointers.

use serde_json::{Map, Value};

/// Maximum number of subschemas of one schema that are checked.
const MAX_NODES: usize = 10_000;

/// Maximum number of references that are followed to find a cycle.
const MAX_REFERENCES: usize = 1_000;

/// A subschema.
#[derive(Debug)]
pub(super) struct Node<'a> {
    /// The JSON pointer within the schema; empty for the root.
    pub(super) pointer: String,
    pub(super) object: &'a Map<String, Value>,
    /// The number of objects and arrays around this one, and itself.
    pub(super) depth: usize,
}

impl Node<'_> {
    /// Returns the name, if the node is a property of the root.
    pub(super) fn argument(&self) -> Option<String> {
        let name = self.pointer.strip_prefix("/properties/").filter(|name| !name.contains('/'))?;
        Some(name.replace("~1", "/").replace("~0", "~"))
    }
}

/// Returns the root and all subschemas that are objects, each before its own subschemas. The nesting is bounded by that of
/// parsed JSON.
pub(super) fn nodes(root: &Value) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    let mut stack: Vec<(String, &Value, usize)> = vec![(String::new(), root, 0)];
    while let Some((pointer, value, depth)) = stack.pop() {
        let Some(object) = value.as_object() else { continue };
        if found.len() >= MAX_NODES {
            break;
        }
        let depth = depth + usize::from(has_type(object, "object") || has_type(object, "array"));
        let start = stack.len();
        for (keyword, value) in object {
            push(&mut stack, &pointer, keyword, value, depth);
        }
        if let Some(children) = stack.get_mut(start..) {
            children.reverse();
        }
        found.push(Node { pointer, object, depth });
    }
    found
}

/// Adds the subschemas of a keyword.
fn push<'a>(stack: &mut Vec<(String, &'a Value, usize)>, pointer: &str, keyword: &str, value: &'a Value, depth: usize) {
    match (keyword, value) {
        // Definitions are used in other places, so their depth starts at 0.
        ("$defs" | "definitions", Value::Object(named)) => {
            stack.extend(named.iter().map(|(name, it)| (join(pointer, keyword, name), it, 0)));
        }
        ("properties" | "patternProperties" | "dependentSchemas", Value::Object(named)) => {
            stack.extend(named.iter().map(|(name, it)| (join(pointer, keyword, name), it, depth)));
        }
        ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Value::Array(list)) => {
            let list = list.iter().enumerate();
            stack.extend(list.map(|(index, it)| (join(pointer, keyword, &index.to_string()), it, depth)));
        }
        (
            "additionalProperties"
            | "contains"
            | "else"
            | "if"
            | "items"
            | "not"
            | "propertyNames"
            | "then"
            | "unevaluatedItems"
            | "unevaluatedProperties",
            _,
        ) => stack.push((format!("{pointer}/{keyword}"), value, depth)),
        _ => {}
    }
}

fn join(pointer: &str, keyword: &str, name: &str) -> String {
    format!("{pointer}/{keyword}/{}", escape(name))
}

/// Escapes a name in a JSON pointer.
pub(super) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Returns whether a schema has this type.
pub(super) fn has_type(schema: &Map<String, Value>, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|it| it == name),
        Some(one) => one == name,
        None => false,
    }
}

/// Returns the target of a reference within the schema: `#`, `#/…` or an anchor.
pub(super) fn target<'a>(root: &'a Value, nodes: &[Node<'a>], reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    let decoded = percent_decode(fragment);
    if decoded.is_empty() || decoded.starts_with('/') {
        return root.pointer(&decoded).map(|_| decoded);
    }
    let has_anchor = |node: &&Node<'_>| {
        ["$anchor", "$dynamicAnchor"].iter().any(|key| node.object.get(*key).and_then(Value::as_str) == Some(&decoded))
    };
    nodes.iter().find(has_anchor).map(|node| node.pointer.clone())
}

/// Decodes `%XX`, which a fragment may contain.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Returns the pointer of the first reference that leads back to a schema around it.
pub(super) fn recursive_reference<'a>(root: &'a Value, nodes: &[Node<'a>]) -> Option<String> {
    let references: Vec<(&str, String)> = nodes
        .iter()
        .filter_map(|node| {
            let reference = node.object.get("$ref")?.as_str()?;
            Some((node.pointer.as_str(), target(root, nodes, reference)?))
        })
        .take(MAX_REFERENCES)
        .collect();
    let is_inside = |pointer: &str, outer: &str| {
        pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // Peels off references whose targets contain no remaining reference. The rest forms cycles, or leads to one.
    let mut open: Vec<&(&str, String)> = references.iter().collect();
    loop {
        let count = open.len();
        let snapshot = open.clone();
        open.retain(|(_, target)| snapshot.iter().any(|(pointer, _)| is_inside(pointer, target)));
        if open.len() == count {
            break;
        }
    }
    open.first().map(|(pointer, _)| (*pointer).to_owned())
}
