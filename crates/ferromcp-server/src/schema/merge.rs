//! Merges schemas into one that accepts what any of them accepts.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::plain::texts;

/// Keywords that describe a value without restricting it.
const ANNOTATIONS: [&str; 4] = ["default", "description", "examples", "title"];

/// Returns a schema that accepts what either schema accepts.
pub(super) fn either(one: Option<Value>, other: Option<Value>) -> Option<Value> {
    match (one, other) {
        (Some(one), Some(other)) => Some(merge(vec![one, other])),
        (one, other) => one.or(other),
    }
}

/// Returns a schema that accepts what any of the schemas accepts.
pub(super) fn merge(schemas: Vec<Value>) -> Value {
    let mut distinct: Vec<Value> = Vec::new();
    for schema in schemas {
        let parts = match pure_union(&schema) {
            Some(parts) => parts.clone(),
            None => vec![schema],
        };
        for part in parts {
            if !distinct.contains(&part) {
                distinct.push(part);
            }
        }
    }
    if let [only] = distinct.as_slice() {
        return only.clone();
    }
    let texts: Option<Vec<Vec<&str>>> = distinct.iter().map(|schema| texts(schema.as_object()?)).collect();
    if let Some(texts) = texts {
        let mut choices: Vec<&str> = texts.concat();
        let mut seen = HashSet::new();
        choices.retain(|choice| seen.insert(*choice));
        return described(json!({ "type": "string", "enum": choices }), &distinct);
    }
    let cores: Vec<Value> = distinct.iter().map(without_annotations).collect();
    if cores.iter().any(|core| *core == Value::Bool(true) || *core == json!({})) {
        return described(json!({}), &distinct);
    }
    if cores.iter().all(|core| *core == cores[0]) {
        return described(cores[0].clone(), &distinct);
    }
    json!({ "anyOf": distinct })
}

/// Returns the branches of a schema that is only a union.
fn pure_union(schema: &Value) -> Option<&Vec<Value>> {
    let schema = schema.as_object()?;
    if schema.len() == 1 { schema.get("anyOf")?.as_array() } else { None }
}

fn without_annotations(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(object) = schema.as_object_mut() {
        object.retain(|keyword, _| !ANNOTATIONS.contains(&keyword.as_str()));
    }
    schema
}

/// Adds the distinct descriptions of `sources` to a schema.
fn described(mut schema: Value, sources: &[Value]) -> Value {
    let mut lines: Vec<&str> = Vec::new();
    for line in sources.iter().filter_map(|source| source.get("description")?.as_str()) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if let (false, Some(object)) = (lines.is_empty(), schema.as_object_mut()) {
        object.insert("description".into(), lines.join("\n").into());
    }
    schema
}
