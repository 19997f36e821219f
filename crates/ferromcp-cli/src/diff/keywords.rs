//! Compares the keywords of two JSON Schemas.

use std::collections::{BTreeMap, BTreeSet};

use ferromcp_core::text::excerpt;
use serde_json::{Map, Value};

use super::Severity;
use super::resolve::{ANNOTATIONS, is_constraint};
use super::schema::{Comparison, Direction, Relation, UNDECIDED, property_path};
use crate::surface::canonical::canonical;

/// Keywords whose value is a limit, and whether it is a lower one.
const LIMITS: [(&str, bool); 10] = [
    ("minimum", true),
    ("exclusiveMinimum", true),
    ("minLength", true),
    ("minItems", true),
    ("minProperties", true),
    ("maximum", false),
    ("exclusiveMaximum", false),
    ("maxLength", false),
    ("maxItems", false),
    ("maxProperties", false),
];

/// Keywords with methods of their comparison.
const COMPARED: [&str; 11] = [
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "uniqueItems",
    "anyOf",
    "oneOf",
    "allOf",
];

/// Maximum number of values in a message.
const MAX_VALUES: usize = 8;

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

type Node = Map<String, Value>;

impl Comparison<'_> {
    /// Compares two schemas after their references.
    pub(super) fn compare_keywords(&mut self, old: &Node, new: &Node, at: &str, depth: usize) {
        if self.lift_union(old, new, at, depth) {
            return;
        }
        self.types(old, new, at);
        self.values(old, new, at);
        self.limits(old, new, at);
        self.unique_items(old, new, at);
        self.properties(old, new, at, depth);
        self.items(old, new, at, depth);
        for keyword in ["anyOf", "oneOf", "allOf"] {
            self.union(keyword, old, new, at, depth);
        }
        self.default(old, new, at);
        self.others(old, new, at);
    }

    fn types(&mut self, old: &Node, new: &Node, at: &str) {
        let (Some(a), Some(b)) = (types(old), types(new)) else { return self.opaque("type", old, new, at) };
        let shown = |node: &Node| match node.get("type") {
            None => "any".to_owned(),
            Some(value) => excerpt(&value.to_string()).to_string(),
        };
        let message = format!("has the type {} instead of {}", shown(new), shown(old));
        self.sets(&a, &b, at, &message);
    }

    /// Adds a change if the sets of allowed values differ.
    fn sets<T: Ord>(&mut self, old: &BTreeSet<T>, new: &BTreeSet<T>, at: &str, message: &str) {
        match (new.is_subset(old), old.is_subset(new)) {
            (true, true) => {}
            (true, false) => self.relation(Relation::Narrower, at, message),
            (false, true) => self.relation(Relation::Wider, at, message),
            (false, false) => self.relation(Relation::Undecided, at, message),
        }
    }

    fn values(&mut self, old: &Node, new: &Node, at: &str) {
        for (keyword, text) in [("enum", "the values"), ("const", "the constant")] {
            let (Ok(a), Ok(b)) = (values(old, keyword), values(new, keyword)) else {
                self.opaque(keyword, old, new, at);
                continue;
            };
            match (a, b) {
                (None, None) => {}
                (None, Some(b)) => {
                    self.relation(Relation::Narrower, at, &format!("is restricted to {text} {}", list(b.iter())));
                }
                (Some(a), None) => {
                    self.relation(
                        Relation::Wider,
                        at,
                        &format!("is no longer restricted to {text} {}", list(a.iter())),
                    );
                }
                (Some(a), Some(b)) => {
                    let removed: Vec<_> = a.difference(&b).collect();
                    let added: Vec<_> = b.difference(&a).collect();
                    if !removed.is_empty() {
                        let message = format!("no longer has {text} {}", list(removed.into_iter()));
                        self.relation(Relation::Narrower, at, &message);
                    }
                    if !added.is_empty() {
                        self.relation(
                            Relation::Wider,
                            at,
                            &format!("has {text} {} in addition", list(added.into_iter())),
                        );
                    }
                }
            }
        }
    }

    fn limits(&mut self, old: &Node, new: &Node, at: &str) {
        for (keyword, is_lower) in LIMITS {
            let (a, b) = (old.get(keyword), new.get(keyword));
            if is_same(a, b) {
                continue;
            }
            let shown = |value: &Value| excerpt(&value.to_string()).to_string();
            match (a, b) {
                (None, Some(b)) => {
                    self.relation(Relation::Narrower, at, &format!("has the {keyword} {}", shown(b)));
                }
                (Some(a), None) => {
                    self.relation(Relation::Wider, at, &format!("no longer has the {keyword} {}", shown(a)));
                }
                (Some(a), Some(b)) => {
                    let relation = match (a.as_f64(), b.as_f64()) {
                        (Some(a), Some(b)) if (b > a) == is_lower => Relation::Narrower,
                        (Some(_), Some(_)) => Relation::Wider,
                        _ => Relation::Undecided,
                    };
                    let message = format!("has the {keyword} {} instead of {}", shown(b), shown(a));
                    self.relation(relation, at, &message);
                }
                (None, None) => {}
            }
        }
    }

    fn unique_items(&mut self, old: &Node, new: &Node, at: &str) {
        let is_unique = |node: &Node| match node.get("uniqueItems") {
            None => Some(false),
            Some(value) => value.as_bool(),
        };
        match (is_unique(old), is_unique(new)) {
            (Some(false), Some(true)) => self.relation(Relation::Narrower, at, "requires unique items"),
            (Some(true), Some(false)) => self.relation(Relation::Wider, at, "no longer requires unique items"),
            (Some(_), Some(_)) => {}
            _ => self.opaque("uniqueItems", old, new, at),
        }
    }

    fn properties(&mut self, old: &Node, new: &Node, at: &str, depth: usize) {
        self.additional_properties(old, new, at, depth);
        let (Some(old_required), Some(new_required)) = (required(old), required(new)) else {
            return self.opaque("required", old, new, at);
        };
        let (Some(a), Some(b)) = (properties(old), properties(new)) else {
            return self.opaque("properties", old, new, at);
        };
        let names: BTreeSet<&str> =
            a.keys().chain(b.keys()).chain(&old_required).chain(&new_required).copied().collect();
        for name in names {
            let path = property_path(at, name);
            let (was_required, is_required) = (old_required.contains(name), new_required.contains(name));
            match (a.get(name), b.get(name)) {
                (None, Some(_)) => self.added(&path, is_required),
                (Some(_), None) => self.removed(&path, new),
                (a, b) => {
                    match (was_required, is_required) {
                        (false, true) => self.relation(Relation::Narrower, &path, "is required now"),
                        (true, false) => self.relation(Relation::Wider, &path, "is optional now"),
                        _ => {}
                    }
                    if let (Some(a), Some(b)) = (a, b) {
                        self.compare(a, b, &path, depth + 1);
                    }
                }
            }
        }
    }

    fn added(&mut self, path: &str, is_required: bool) {
        if is_required && self.direction == Direction::Input {
            self.change(Severity::Breaking, path, "was added and is required");
        } else {
            self.change(Severity::Compatible, path, "was added");
        }
    }

    fn removed(&mut self, path: &str, new: &Node) {
        let is_rejected = new.get("additionalProperties") == Some(&Value::Bool(false));
        let message = match self.direction {
            Direction::Input if is_rejected => "was removed and is rejected",
            Direction::Input => "was removed and has no effect",
            Direction::Output => "was removed",
        };
        self.change(Severity::Breaking, path, message);
    }

    fn additional_properties(&mut self, old: &Node, new: &Node, at: &str, depth: usize) {
        let (a, b) = (old.get("additionalProperties"), new.get("additionalProperties"));
        if !is_same(a, b) {
            let any = Value::Bool(true);
            self.compare(a.unwrap_or(&any), b.unwrap_or(&any), &property_path(at, "*"), depth + 1);
        } else if let (Some(a), Some(b)) = (a, b) {
            // The text is the same, but the targets of references may differ.
            self.compare(a, b, &property_path(at, "*"), depth + 1);
        }
    }

    fn items(&mut self, old: &Node, new: &Node, at: &str, depth: usize) {
        let (a, b) = (old.get("items"), new.get("items"));
        if a.is_some_and(Value::is_array) || b.is_some_and(Value::is_array) {
            return self.opaque("items", old, new, at);
        }
        let any = Value::Bool(true);
        if a.is_some() || b.is_some() {
            self.compare(a.unwrap_or(&any), b.unwrap_or(&any), &format!("{at}[]"), depth + 1);
        }
    }

    fn default(&mut self, old: &Node, new: &Node, at: &str) {
        let (a, b) = (old.get("default"), new.get("default"));
        if is_same(a, b) {
            return;
        }
        let shown =
            |value: Option<&Value>| value.map_or("none".to_owned(), |value| excerpt(&value.to_string()).to_string());
        // A call without the argument has another effect.
        let is_breaking = a.is_some() && self.direction == Direction::Input;
        let severity = if is_breaking { Severity::Breaking } else { Severity::Informational };
        self.change(severity, at, &format!("has the default {} instead of {}", shown(b), shown(a)));
    }

    /// Compares annotations, and keywords without a method.
    fn others(&mut self, old: &Node, new: &Node, at: &str) {
        let keywords: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for keyword in keywords {
            let keyword = keyword.as_str();
            if is_same(old.get(keyword), new.get(keyword)) {
                self.check_references(keyword, old, at);
                continue;
            }
            let shown = excerpt(keyword);
            match keyword {
                "default" => {}
                "title" | "description" | "$comment" => self.text(at, keyword, old, new),
                _ if ANNOTATIONS.contains(&keyword) || keyword.starts_with("x-") => {
                    self.change(Severity::Informational, at, &format!("has another {shown}"));
                }
                "pattern" | "format" | "multipleOf" | "contentEncoding" | "contentMediaType" => {
                    self.restriction(keyword, old, new, at);
                }
                _ if !is_constraint(keyword) => {}
                _ if COMPARED.contains(&keyword) || LIMITS.iter().any(|(limit, _)| *limit == keyword) => {}
                _ => self.opaque(keyword, old, new, at),
            }
        }
    }

    /// Reports a keyword without a method that contains references: the targets may differ.
    fn check_references(&mut self, keyword: &str, node: &Node, at: &str) {
        let is_compared = !is_constraint(keyword) || COMPARED.contains(&keyword);
        let contains = |value: &Value| value.to_string().contains("\"$ref\":");
        if !is_compared && keyword != "$ref" && node.get(keyword).is_some_and(contains) && self.has_other_definitions {
            self.relation(Relation::Undecided, at, &format!("{UNDECIDED}: `{}` has references", excerpt(keyword)));
        }
    }

    /// Compares a keyword that restricts values in a way that is not analyzed.
    fn restriction(&mut self, keyword: &str, old: &Node, new: &Node, at: &str) {
        let shown = |value: &Value| excerpt(&value.to_string()).to_string();
        match (old.get(keyword), new.get(keyword)) {
            (None, Some(new)) => self.relation(Relation::Narrower, at, &format!("has the {keyword} {}", shown(new))),
            (Some(old), None) => {
                self.relation(Relation::Wider, at, &format!("no longer has the {keyword} {}", shown(old)));
            }
            (Some(old), Some(new)) => {
                let message = format!("{UNDECIDED}: it has the {keyword} {} instead of {}", shown(new), shown(old));
                self.relation(Relation::Undecided, at, &message);
            }
            (None, None) => {}
        }
    }

    /// Reports a keyword that has changed and is not analyzed.
    pub(super) fn opaque(&mut self, keyword: &str, old: &Node, new: &Node, at: &str) {
        if !is_same(old.get(keyword), new.get(keyword)) {
            let keyword = excerpt(keyword);
            self.relation(Relation::Undecided, at, &format!("{UNDECIDED}: `{keyword}` has changed"));
        }
    }
}

/// Returns whether two keywords have the same canonical text.
fn is_same(old: Option<&Value>, new: Option<&Value>) -> bool {
    old == new || old.map(canonical) == new.map(canonical)
}

/// Returns the types of a schema. `number` includes `integer`. `None` if the keyword is invalid.
fn types(node: &Node) -> Option<BTreeSet<&str>> {
    let mut types: BTreeSet<&str> = match node.get("type") {
        None => TYPES.into(),
        Some(Value::String(name)) => [name.as_str()].into(),
        Some(Value::Array(names)) => names.iter().map(Value::as_str).collect::<Option<_>>()?,
        Some(_) => return None,
    };
    if types.contains("number") {
        types.insert("integer");
    }
    Some(types)
}

/// Returns the canonical texts of the allowed values. `None` if there is no restriction.
fn values(node: &Node, keyword: &str) -> Result<Option<BTreeSet<String>>, ()> {
    match (keyword, node.get(keyword)) {
        (_, None) => Ok(None),
        ("const", Some(value)) => Ok(Some([canonical(value)].into())),
        (_, Some(Value::Array(values))) => Ok(Some(values.iter().map(canonical).collect())),
        _ => Err(()),
    }
}

fn list<'a>(values: impl ExactSizeIterator<Item = &'a String>) -> String {
    let rest = values.len().saturating_sub(MAX_VALUES);
    let mut shown: Vec<String> = values.take(MAX_VALUES).map(|value| excerpt(value).to_string()).collect();
    if rest > 0 {
        shown.push(format!("and {rest} more"));
    }
    shown.join(", ")
}

fn required(node: &Node) -> Option<BTreeSet<&str>> {
    match node.get("required") {
        None => Some(BTreeSet::new()),
        Some(Value::Array(names)) => names.iter().map(Value::as_str).collect(),
        Some(_) => None,
    }
}

fn properties(node: &Node) -> Option<BTreeMap<&str, &Value>> {
    match node.get("properties") {
        None => Some(BTreeMap::new()),
        Some(Value::Object(members)) => Some(members.iter().map(|(name, node)| (name.as_str(), node)).collect()),
        Some(_) => None,
    }
}
