//! Compares `anyOf`, `oneOf` and `allOf`, conservatively.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::resolve::is_constraint;
use super::schema::{Comparison, Relation, UNDECIDED};
use crate::surface::canonical::canonical;

/// Maximum number of alternatives that are compared.
const MAX_ALTERNATIVES: usize = 1000;

type Node = Map<String, Value>;

impl Comparison<'_> {
    /// Compares a schema with `anyOf` and one without, such as a type that has become nullable. Returns whether it did.
    pub(super) fn lift_union(&mut self, old: &Node, new: &Node, at: &str, depth: usize) -> bool {
        let is_union = |node: &Node| {
            node.get("anyOf").is_some_and(Value::is_array)
                && !node.keys().any(|key| key != "anyOf" && is_constraint(key))
        };
        let lifted = |node: &Node| {
            let mut lifted: Node = node
                .iter()
                .filter(|(key, _)| !is_constraint(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            let constraints: Node = node
                .iter()
                .filter(|(key, _)| is_constraint(key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            lifted.insert("anyOf".to_owned(), split_types(constraints).into());
            lifted
        };
        match (is_union(old), is_union(new)) {
            (true, false) => self.compare_keywords(old, &lifted(new), at, depth),
            (false, true) => self.compare_keywords(&lifted(old), new, at, depth),
            _ => return false,
        }
        true
    }

    /// Compares the alternatives of a keyword. Those with the same text are compared with each other, because the targets of
    /// their references can differ. One remaining alternative on each side is compared with the other.
    pub(super) fn union(&mut self, keyword: &str, old: &Node, new: &Node, at: &str, depth: usize) {
        let (a, b) = match (old.get(keyword), new.get(keyword)) {
            (None, None) => return,
            (Some(Value::Array(a)), Some(Value::Array(b))) if a.len().max(b.len()) <= MAX_ALTERNATIVES => (a, b),
            (None, Some(Value::Array(_))) => {
                return self.relation(Relation::Narrower, at, &format!("is restricted by {keyword}"));
            }
            (Some(Value::Array(_)), None) => {
                return self.relation(Relation::Wider, at, &format!("is no longer restricted by {keyword}"));
            }
            _ => return self.opaque(keyword, old, new, at),
        };
        let mut unmatched: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
        for part in b {
            unmatched.entry(key(part)).or_default().push(part);
        }
        let mut removed = Vec::new();
        for part in a {
            match unmatched.get_mut(&key(part)).and_then(Vec::pop) {
                Some(same) => self.compare(part, same, at, depth + 1),
                None => removed.push(part),
            }
        }
        let added: Vec<&Value> = unmatched.into_values().flatten().collect();
        // Each value matches at most one of disjoint alternatives, so that `oneOf` is the same as `anyOf`.
        let is_simple = keyword != "oneOf" || are_disjoint(a) && are_disjoint(b);
        let (fewer, more) = match keyword {
            "allOf" => (Relation::Wider, Relation::Narrower),
            _ if is_simple => (Relation::Narrower, Relation::Wider),
            _ => (Relation::Undecided, Relation::Undecided),
        };
        match (removed.as_slice(), added.as_slice()) {
            ([], []) => {}
            ([old], [new]) if is_simple => self.compare(old, new, at, depth + 1),
            (removed, []) => {
                let message = format!("no longer has {} of {keyword}", parts(removed.len()));
                self.relation(fewer, at, &message);
            }
            ([], added) => {
                let message = format!("has {} of {keyword} in addition", parts(added.len()));
                self.relation(more, at, &message);
            }
            _ => {
                self.relation(
                    Relation::Undecided,
                    at,
                    &format!("{UNDECIDED}: several parts of {keyword} have changed"),
                );
            }
        }
    }
}

fn parts(count: usize) -> String {
    if count == 1 { "1 part".to_owned() } else { format!("{count} parts") }
}

/// Returns a text that is the same for alternatives that differ only in annotations.
fn key(part: &Value) -> String {
    match part {
        Value::Object(members) => {
            let members = members.iter().filter(|(key, _)| is_constraint(key));
            canonical(&members.map(|(key, value)| (key.clone(), value.clone())).collect::<Node>().into())
        }
        other => canonical(other),
    }
}

/// Splits a schema with several types into one for each type.
fn split_types(constraints: Node) -> Vec<Value> {
    match constraints.get("type") {
        Some(Value::Array(types)) => {
            let with_type = |name: &Value| {
                let mut part = constraints.clone();
                part.insert("type".to_owned(), name.clone());
                if name == "null" {
                    part.retain(|key, _| matches!(key.as_str(), "type" | "enum" | "const"));
                }
                Value::Object(part)
            };
            types.iter().take(MAX_ALTERNATIVES).map(with_type).collect()
        }
        _ => vec![constraints.into()],
    }
}

/// Returns whether no value matches two alternatives: each has constants, and none occurs twice.
fn are_disjoint(parts: &[Value]) -> bool {
    let mut seen = std::collections::HashSet::new();
    parts.iter().all(|part| {
        let constants: Vec<&Value> = match (part.get("const"), part.get("enum")) {
            (Some(value), None) => vec![value],
            (None, Some(Value::Array(values))) => values.iter().collect(),
            _ => return false,
        };
        constants.into_iter().all(|value| seen.insert(canonical(value)))
    })
}
