//! Finds what a host rejects in the name and the input schema of a tool.

use std::collections::{BTreeMap, BTreeSet};

use ferromcp_core::text::excerpt;
use serde_json::{Map, Value};

use super::rules::Limit;

/// The maximum nesting of a schema that is examined. Deeper schemas break every limit of the nesting anyway.
const MAX_DEPTH: usize = 64;

/// The maximum number of different references that are followed.
const MAX_TARGETS: usize = 256;

/// Returns what breaks the limit, or `None`.
pub(super) fn problem(limit: &Limit, server: &str, name: &str, schema: &Value) -> Option<String> {
    match limit {
        Limit::NameCharacters(others) => {
            let other = name.chars().find(|character| !is_allowed(*character, others))?;
            Some(format!("the name contains `{other}`"))
        }
        Limit::NameStart => {
            let first = name.chars().next().filter(|first| !first.is_ascii_alphabetic() && *first != '_')?;
            Some(format!("the name starts with `{first}`"))
        }
        Limit::NameLength(max) => over("characters of the name", name.chars().count(), *max),
        Limit::QualifiedLength { max, added } => {
            let length = server.chars().count() + name.chars().count() + added;
            over(&format!("characters of the name with the server's name `{}`", excerpt(server)), length, *max)
        }
        Limit::RootKeywords(keywords) => {
            let keyword = keywords.iter().find(|keyword| schema.get(**keyword).is_some())?;
            Some(format!("`{keyword}` at the root of the input schema"))
        }
        Limit::ArgumentNames { max, characters } => argument_name(schema, *max, characters),
        Limit::OpenRoot => {
            let is_open = |others: &Value| others == &Value::Bool(true) || others.is_object();
            let others = schema.get("additionalProperties").filter(|others| is_open(others));
            others.map(|_| "arguments of any name (`additionalProperties` at the root of the input schema)".to_owned())
        }
        Limit::Depth(max) => over("levels of objects and arrays", depth(schema, 0), *max),
        Limit::Properties(max) => over("properties", count(schema, "properties"), *max),
        Limit::EnumValues(max) => over("values of `enum`", count(schema, "enum"), *max),
        Limit::Recursion => {
            recursive_reference(schema).map(|target| format!("`$ref` to `{}` is recursive", excerpt(&target)))
        }
        Limit::Keywords(_) => {
            let below = schema.as_object().into_iter().flat_map(subschemas);
            let mut found = below.filter_map(|(path, schema)| {
                find(schema, &mut |schema| in_schema(limit, schema)).map(|(inner, words)| (path + &inner, words))
            });
            found.next().map(located)
        }
        Limit::Formats(_) | Limit::ArrayItems | Limit::OneType | Limit::EnumStrings => {
            find(schema, &mut |schema| in_schema(limit, schema)).map(located)
        }
    }
}

fn located((path, words): (String, String)) -> String {
    if path.is_empty() { format!("{words} at the root") } else { format!("{words} in `{}`", excerpt(&path)) }
}

fn is_allowed(character: char, others: &str) -> bool {
    character.is_ascii_alphanumeric() || others.contains(character)
}

fn over(what: &str, count: usize, max: usize) -> Option<String> {
    (count > max).then(|| format!("{count} {what} exceed the limit of {max}"))
}

fn argument_name(schema: &Value, max: usize, characters: &str) -> Option<String> {
    let mut names = schema.get("properties")?.as_object()?.keys();
    let is_valid = |name: &str| {
        (1..=max).contains(&name.chars().count()) && name.chars().all(|character| is_allowed(character, characters))
    };
    names.find(|name| !is_valid(name)).map(|name| format!("the name of the argument `{}`", excerpt(name)))
}

/// Returns what breaks the limit in one schema, without its subschemas.
fn in_schema(limit: &Limit, schema: &Map<String, Value>) -> Option<String> {
    match limit {
        Limit::Keywords(keywords) => {
            keywords.iter().find(|keyword| schema.contains_key(**keyword)).map(|keyword| format!("`{keyword}`"))
        }
        Limit::Formats(formats) => {
            let format = schema.get("format")?.as_str().filter(|format| !formats.contains(format))?;
            Some(format!("the format `{}`", excerpt(format)))
        }
        Limit::ArrayItems => {
            let is_array = has_type(schema, "array") && !schema.get("items").is_some_and(Value::is_object);
            is_array.then(|| "an array without `items`".to_owned())
        }
        Limit::OneType => schema.get("type")?.is_array().then(|| "a list of types".to_owned()),
        Limit::EnumStrings => {
            let choices = schema.get("enum")?.as_array()?;
            if choices.is_empty() {
                return Some("an `enum` without values".to_owned());
            }
            let other = choices.iter().find(|choice| choice.as_str().is_none_or(str::is_empty))?;
            Some(format!("the value {} of an `enum`", excerpt(&other.to_string())))
        }
        _ => None,
    }
}

fn has_type(schema: &Map<String, Value>, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|it| it == name),
        Some(one) => one == name,
        None => false,
    }
}

/// Iterates over the direct subschemas, each with its path below `schema`.
fn subschemas(schema: &Map<String, Value>) -> impl Iterator<Item = (String, &Value)> {
    schema.iter().flat_map(|(keyword, value)| -> Vec<(String, &Value)> {
        match (keyword.as_str(), value) {
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(named),
            ) => named.iter().map(|(name, schema)| (format!("/{keyword}/{name}"), schema)).collect(),
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(list)) => {
                list.iter().enumerate().map(|(index, schema)| (format!("/{keyword}/{index}"), schema)).collect()
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
                schema,
            ) => vec![(format!("/{keyword}"), schema)],
            _ => Vec::new(),
        }
    })
}

/// Returns the first schema for which `test` returns a value, with its path.
fn find<R>(root: &Value, test: &mut impl FnMut(&Map<String, Value>) -> Option<R>) -> Option<(String, R)> {
    fn visit<R>(
        path: &str,
        schema: &Value,
        depth: usize,
        test: &mut impl FnMut(&Map<String, Value>) -> Option<R>,
    ) -> Option<(String, R)> {
        let schema = schema.as_object().filter(|_| depth < MAX_DEPTH)?;
        if let Some(found) = test(schema) {
            return Some((path.to_owned(), found));
        }
        subschemas(schema).find_map(|(name, inner)| visit(&format!("{path}{name}"), inner, depth + 1, test))
    }
    visit("", root, 0, test)
}

/// Counts the members of a keyword in all schemas.
fn count(root: &Value, keyword: &str) -> usize {
    let mut count = 0;
    find(root, &mut |schema| -> Option<()> {
        count += match schema.get(keyword) {
            Some(Value::Object(members)) => members.len(),
            Some(Value::Array(members)) => members.len(),
            _ => 0,
        };
        None
    });
    count
}

/// Returns the number of nested objects and arrays, without the targets of references.
fn depth(schema: &Value, level: usize) -> usize {
    let Some(object) = schema.as_object().filter(|_| level < MAX_DEPTH) else { return 0 };
    let own = usize::from(has_type(object, "object") || has_type(object, "array"));
    let is_definition = |path: &str| path.starts_with("/$defs") || path.starts_with("/definitions");
    let inner = subschemas(object).filter(|(path, _)| !is_definition(path));
    own + inner.map(|(_, schema)| depth(schema, level + 1)).max().unwrap_or(0)
}

/// Returns the target of a reference whose target contains the reference, directly or through other references.
fn recursive_reference(root: &Value) -> Option<String> {
    let mut targets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut new = references(root);
    while let Some(target) = new.pop_first() {
        let schema = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        let inner = schema.map(references).unwrap_or_default();
        new.extend(inner.iter().filter(|reference| !targets.contains_key(*reference)).cloned());
        targets.insert(target, inner);
        if targets.len() > MAX_TARGETS {
            return None;
        }
    }
    // After targets that lead to an end are removed, the others form cycles or lead to one.
    loop {
        let count = targets.len();
        let names: BTreeSet<String> = targets.keys().cloned().collect();
        targets.retain(|_, inner| !inner.is_disjoint(&names));
        if targets.len() == count {
            break;
        }
    }
    let mut on_path = BTreeSet::new();
    let mut target = targets.keys().next()?;
    while on_path.insert(target) {
        target = targets.get(target)?.iter().find(|inner| targets.contains_key(*inner))?;
    }
    Some(target.clone())
}

/// Returns the references of a schema and its subschemas.
fn references(schema: &Value) -> BTreeSet<String> {
    let mut references = BTreeSet::new();
    find(schema, &mut |schema| -> Option<()> {
        references.extend(schema.get("$ref").and_then(Value::as_str).map(str::to_owned));
        None
    });
    references
}
