//! Compares two JSON Schemas.

use std::collections::HashSet;

use ferromcp_core::text::excerpt;
use serde_json::{Map, Value};

use super::Severity;
use super::resolve::{DEFINITIONS, Node, reference, resolve};
use super::text::difference;
use crate::surface::canonical::canonical;

/// Maximum nesting that is compared.
const MAX_DEPTH: usize = 64;

/// Maximum number of compared pairs of schemas.
const MAX_PAIRS: usize = 20_000;

/// Message of changes that cannot be classified.
pub(super) const UNDECIDED: &str = "cannot be compared";

/// Whether a schema describes arguments or results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Arguments: accepting less is breaking.
    Input,
    /// Results: returning more is breaking.
    Output,
}

/// How the set of values has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// Fewer values match.
    Narrower,
    /// More values match.
    Wider,
    /// Neither is known.
    Undecided,
}

/// A change of a schema.
#[derive(Debug)]
pub(super) struct SchemaChange {
    pub(super) severity: Severity,
    pub(super) location: String,
    pub(super) message: String,
    pub(super) diff: Option<String>,
}

/// Compares two schemas.
pub(super) fn compare_schemas(old: &Value, new: &Value, direction: Direction) -> Vec<SchemaChange> {
    if canonical(old) == canonical(new) {
        return Vec::new();
    }
    let mut comparison = Comparison {
        old,
        new,
        direction,
        changes: Vec::new(),
        pairs: 0,
        references: HashSet::new(),
        has_other_definitions: DEFINITIONS.iter().any(|key| old.get(key) != new.get(key)),
    };
    comparison.compare(old, new, "", 0);
    if comparison.changes.is_empty() {
        // For example the order of `required`, or a definition that is not referenced.
        comparison.change(Severity::Informational, "", "is written differently");
    }
    comparison.changes
}

/// A comparison in progress.
pub(super) struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    pub(super) direction: Direction,
    changes: Vec<SchemaChange>,
    pairs: usize,
    /// The pairs of references that were followed. It ends recursion.
    references: HashSet<(String, String)>,
    /// Whether the definitions of the documents differ, so that the same reference can have another meaning.
    pub(super) has_other_definitions: bool,
}

impl Comparison<'_> {
    /// Compares two schemas of the documents. `at` is the path of the value, such as `place.city`.
    pub(super) fn compare(&mut self, old: &Value, new: &Value, at: &str, depth: usize) {
        self.pairs += 1;
        if self.pairs >= MAX_PAIRS || depth >= MAX_DEPTH {
            let is_first = self.pairs <= MAX_PAIRS;
            if is_first && canonical(old) != canonical(new) {
                self.relation(Relation::Undecided, at, &format!("{UNDECIDED}: the schema is too complex"));
            }
            return;
        }
        if let (Some(a), Some(b)) = (reference(old), reference(new))
            && !self.references.insert((a.to_owned(), b.to_owned()))
        {
            // The targets were compared before; only the other keywords can differ.
            let others = |node: &Value| {
                let mut members = node.as_object().cloned().unwrap_or_default();
                members.remove("$ref");
                Value::Object(members)
            };
            return self.compare(&others(old), &others(new), at, depth + 1);
        }
        let (old_document, new_document) = (self.old, self.new);
        match (resolve(old, old_document), resolve(new, new_document)) {
            (Node::Object(a), Node::Object(b)) => self.compare_keywords(&a, &b, at, depth),
            (Node::Nothing, Node::Nothing) => {}
            (Node::Nothing, Node::Object(_)) => self.relation(Relation::Wider, at, "is no longer rejected"),
            (Node::Object(_), Node::Nothing) => self.relation(Relation::Narrower, at, "is rejected now"),
            _ if old == new => {}
            _ => self.relation(Relation::Undecided, at, &format!("{UNDECIDED}: it is not a schema")),
        }
    }

    /// Adds a change of the set of values.
    pub(super) fn relation(&mut self, relation: Relation, at: &str, message: &str) {
        let severity = match (relation, self.direction) {
            (Relation::Undecided, _)
            | (Relation::Narrower, Direction::Input)
            | (Relation::Wider, Direction::Output) => Severity::Breaking,
            _ => Severity::Compatible,
        };
        self.change(severity, at, message);
    }

    /// Adds a change.
    pub(super) fn change(&mut self, severity: Severity, at: &str, message: &str) {
        let location = self.location(at);
        self.changes.push(SchemaChange { severity, location, message: message.to_owned(), diff: None });
    }

    /// Adds a changed text.
    pub(super) fn text(&mut self, at: &str, keyword: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let text = |node: &Map<String, Value>| match node.get(keyword) {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let location = self.location(at);
        let diff = Some(difference(&text(old), &text(new)));
        let message = format!("has another {keyword}");
        self.changes.push(SchemaChange { severity: Severity::Informational, location, message, diff });
    }

    fn location(&self, at: &str) -> String {
        match (self.direction, at) {
            (Direction::Input, "") => "the input schema".to_owned(),
            (Direction::Output, "") => "the output schema".to_owned(),
            (Direction::Input, at) => format!("argument `{at}`"),
            (Direction::Output, at) => format!("result `{at}`"),
        }
    }
}

/// Returns the path of a property.
pub(super) fn property_path(at: &str, name: &str) -> String {
    let name = excerpt(name);
    if at.is_empty() { name.to_string() } else { format!("{at}.{name}") }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
