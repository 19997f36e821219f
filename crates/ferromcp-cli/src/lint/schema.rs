//! Checks of a JSON Schema as a whole: dialect, references, nesting and the properties that it requires.

use ferromcp_core::text::{excerpt, reason};
use ferromcp_json_schema::{SchemaErrorKind, Validator};
use serde_json::{Map, Value};

use super::document::Document;
use super::finding::Findings;
use super::walk::{Node, recursive_reference, target};
use super::{items::is_blank, text, values};

/// Maximum nesting of objects and arrays.
const MAX_DEPTH: usize = 5;

/// The dialect of MCP, without the empty fragment.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Checks an input or output schema.
pub(super) fn check(document: &Document<'_>, findings: &mut Findings) {
    let is_ok = compile(document, findings);
    for node in document.nodes {
        dialect(document, node, findings);
        reference(document, node, findings);
        required(document, node, findings);
        values::check(document, node, is_ok, findings);
        descriptions(document, node, findings);
    }
    if let Some(pointer) = recursive_reference(document.root, document.nodes) {
        let message = "`$ref` is recursive".to_owned();
        findings.add("ref-recursive", document.item, &format!("{}{pointer}/$ref", document.pointer), message);
    }
    if let Some(node) = document.nodes.iter().max_by_key(|node| node.depth).filter(|node| node.depth > MAX_DEPTH) {
        let message = format!("objects and arrays are nested {} levels deep", node.depth);
        findings.add("nesting-depth", document.item, &document.at(node, ""), message);
    }
}

/// Compiles the schema. Returns whether that succeeded.
fn compile(document: &Document<'_>, findings: &mut Findings) -> bool {
    let Err(error) = Validator::compile(document.text) else { return true };
    // Other rules find dialects, references and patterns, with their places.
    if matches!(error.kind(), SchemaErrorKind::Invalid | SchemaErrorKind::TooLarge) && !has_draft_04(document) {
        let message = format!("the schema is invalid: {}", reason(&error.to_string()));
        findings.add("schema-invalid", document.item, document.pointer, message);
    }
    false
}

fn has_draft_04(document: &Document<'_>) -> bool {
    document.nodes.iter().any(|node| draft_04_keyword(node.object).is_some())
}

fn draft_04_keyword(object: &Map<String, Value>) -> Option<&'static str> {
    let keywords = ["exclusiveMinimum", "exclusiveMaximum"];
    keywords.into_iter().find(|keyword| object.get(*keyword).is_some_and(Value::is_boolean))
}

fn dialect(document: &Document<'_>, node: &Node<'_>, findings: &mut Findings) {
    if let Some(dialect) = node.object.get("$schema")
        && dialect.as_str().map(|name| name.trim_end_matches('#')) != Some(DIALECT)
    {
        let message = format!("`$schema` is {}", excerpt(&dialect.to_string()));
        findings.add("schema-dialect", document.item, &document.at(node, "$schema"), message);
    }
    if let Some(keyword) = draft_04_keyword(node.object) {
        let message = format!("`{keyword}` is a boolean");
        findings.add("schema-draft-04", document.item, &document.at(node, keyword), message);
    }
    if node.object.get("definitions").is_some_and(Value::is_object) {
        let message = "the schema has `definitions`".to_owned();
        findings.add("schema-definitions", document.item, &document.at(node, "definitions"), message);
    }
}

fn reference(document: &Document<'_>, node: &Node<'_>, findings: &mut Findings) {
    let Some(reference) = node.object.get("$ref").and_then(Value::as_str) else { return };
    let (place, shown) = (document.at(node, "$ref"), excerpt(reference));
    if !reference.starts_with('#') {
        // A reference by `$id` stays within the schema.
        let has_id = |node: &Node<'_>| node.object.get("$id").and_then(Value::as_str) == Some(reference);
        if !document.nodes.iter().any(has_id) {
            let message = format!("`$ref` points to `{shown}`, outside of the schema");
            findings.add("ref-external", document.item, &place, message);
        }
    } else if target(document.root, document.nodes, reference).is_none() {
        let message = format!("the target `{shown}` of `$ref` does not exist");
        findings.add("ref-unresolved", document.item, &place, message);
    }
}

fn required(document: &Document<'_>, node: &Node<'_>, findings: &mut Findings) {
    let Some(names) = node.object.get("required").and_then(Value::as_array) else { return };
    // The properties may be in another schema for the same value.
    let elsewhere = ["$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties", "not"];
    let is_partial = node.object.get("properties").is_none() && !node.pointer.is_empty();
    if is_partial || elsewhere.iter().any(|keyword| node.object.contains_key(*keyword)) {
        return;
    }
    // A map of values of one type has no list of properties.
    if node.object.get("additionalProperties").is_some_and(Value::is_object) {
        return;
    }
    let properties = node.object.get("properties").and_then(Value::as_object);
    let is_known = |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
    for name in names.iter().filter_map(Value::as_str).filter(|name| !is_known(name)) {
        let message = format!("`required` names the unknown property `{}`", excerpt(name));
        findings.add("required-unknown", document.item, &document.at(node, "required"), message);
    }
}

/// Checks the texts of a node, which models read.
fn descriptions(document: &Document<'_>, node: &Node<'_>, findings: &mut Findings) {
    let argument = node.argument();
    let description = node.object.get("description").and_then(Value::as_str);
    let what = match &argument {
        Some(name) => format!("the description of the argument `{}`", excerpt(name)),
        None => format!("the description in `{}`", excerpt(&node.pointer)),
    };
    if let Some(description) = description {
        let place = document.at(node, "description");
        text::check(description, document.item, &place, &what, findings);
        if let Some(count) = text::over(description, text::MAX_ARGUMENT_DESCRIPTION) {
            let message = format!("{what} has {count} characters");
            findings.add("argument-description-long", document.item, &place, message);
        }
    }
    for (keyword, value) in
        ["title", "default", "$comment"].iter().filter_map(|key| Some((key, node.object.get(*key)?)))
    {
        if let Some(value) = value.as_str() {
            let place = document.at(node, keyword);
            text::check(value, document.item, &place, &format!("`{keyword}`"), findings);
        }
    }
    if let Some(name) = argument {
        text::check(&name, document.item, &document.at(node, ""), "the name of an argument", findings);
    }
}

/// Checks what is specific to an input schema: the root and the arguments.
pub(super) fn check_input(document: &Document<'_>, max_arguments: usize, findings: &mut Findings) {
    let (item, pointer) = (document.item, document.pointer);
    if document.root.get("type").and_then(Value::as_str) != Some("object") {
        findings.add("schema-root-type", item, pointer, "the type of the root is not `object`".to_owned());
    }
    let properties = document.root.get("properties").and_then(Value::as_object);
    let others = document.root.get("additionalProperties").or_else(|| document.root.get("unevaluatedProperties"));
    if others.is_none_or(|others| *others == Value::Bool(true)) && properties.is_some_and(|it| !it.is_empty()) {
        let message = "arguments that are not in the schema are accepted".to_owned();
        findings.add("additional-properties", item, pointer, message);
    }
    let count = properties.map_or(0, Map::len);
    if count > max_arguments {
        let message = format!("the tool has {count} arguments");
        findings.add("argument-count", item, &format!("{pointer}/properties"), message);
    }
    for node in document.nodes {
        let Some(name) = node.argument() else { continue };
        // A reference has the description of its target.
        let is_described = node.object.contains_key("$ref") || !is_blank(described(node.object));
        if !is_described {
            let message = format!("the argument `{}` has no description", excerpt(&name));
            findings.add("argument-description-missing", item, &document.at(node, ""), message);
        }
        let unions = ["anyOf", "oneOf"].into_iter().filter_map(|key| Some((key, node.object.get(key)?.as_array()?)));
        for (keyword, members) in unions {
            let is_null = |member: &&Value| member.get("type").and_then(Value::as_str) == Some("null");
            let count = members.iter().filter(|member| !is_null(member)).count();
            if count > 1 {
                let message = format!("the argument `{}` has {count} alternatives", excerpt(&name));
                findings.add("union-argument", item, &document.at(node, keyword), message);
            }
        }
    }
}

fn described(object: &Map<String, Value>) -> Option<&str> {
    object.get("description").and_then(Value::as_str)
}
