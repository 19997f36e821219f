//! Checks of the limits of hosts. Each problem is reported once, with all hosts that have it.

use ferromcp_core::text::excerpt;
use serde_json::{Map, Value};

use super::document::Document;
use super::finding::Findings;
use super::profile::{self, Profile};
use super::walk::{Node, has_type, recursive_reference};

/// Number of hosts that must have a limit, unless the user names hosts.
const MIN_HOSTS: usize = 2;

/// Adds a finding if enough hosts have the problem.
fn report(
    selected: &[&'static Profile],
    id: &str,
    item: &str,
    pointer: &str,
    message: &str,
    has_problem: impl Fn(&Profile) -> bool,
    findings: &mut Findings,
) {
    let (names, min): (Vec<&str>, usize) = if selected.is_empty() {
        (profile::all().iter().filter(|it| has_problem(it)).map(|it| it.name.as_str()).collect(), MIN_HOSTS)
    } else {
        (selected.iter().filter(|it| has_problem(it)).map(|it| it.name.as_str()).collect(), 1)
    };
    if names.len() >= min {
        findings.add(id, item, pointer, format!("{message}: {}", names.join(", ")));
    }
}

fn is_allowed(c: char, others: &str) -> bool {
    c.is_ascii_alphanumeric() || others.contains(c)
}

/// Checks the name of a tool.
pub(super) fn check_name(
    server: &str,
    name: &str,
    item: &str,
    pointer: &str,
    hosts: &[&'static Profile],
    findings: &mut Findings,
) {
    let rejects = |it: &Profile| {
        let others = it.name_characters.as_deref();
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        others.is_some_and(|others| name.chars().any(|c| !is_allowed(c, others))) || it.name_start && !starts
    };
    report(hosts, "host-tool-name", item, pointer, "hosts reject the characters of the name", rejects, findings);
    let (length, server) = (name.chars().count(), server.chars().count());
    let is_long = |it: &Profile| {
        let qualified = length + server + it.qualified_extra;
        it.name_length.is_some_and(|max| length > max) || it.qualified_length.is_some_and(|max| qualified > max)
    };
    let message = format!("hosts reject {length} characters, and {server} of the server's name");
    report(hosts, "host-tool-name-length", item, pointer, &message, is_long, findings);
}

/// Checks the number of tools.
pub(super) fn check_count(count: usize, hosts: &[&'static Profile], findings: &mut Findings) {
    let message = format!("hosts do not use all of {count} tools");
    let is_over = |it: &Profile| it.tools.is_some_and(|max| count > max);
    report(hosts, "host-tool-count", "server", "/tools", &message, is_over, findings);
}

/// Checks an input schema.
pub(super) fn check_schema(document: &Document<'_>, hosts: &[&'static Profile], findings: &mut Findings) {
    let Some(root) = document.root.as_object() else { return };
    check_root(document, root, hosts, findings);
    check_totals(document, hosts, findings);
    for node in document.nodes {
        check_node(document, node, hosts, findings);
    }
}

fn check_root(document: &Document<'_>, root: &Map<String, Value>, hosts: &[&'static Profile], findings: &mut Findings) {
    let item = document.item;
    let keywords = ["$ref", "allOf", "anyOf", "enum", "if", "not", "oneOf"];
    for keyword in keywords.into_iter().filter(|keyword| root.contains_key(*keyword)) {
        let place = format!("{}/{keyword}", document.pointer);
        let message = format!("hosts reject `{keyword}` at the root");
        let rejects = |it: &Profile| it.root_keywords.iter().any(|other| other == keyword);
        report(hosts, "host-root-keyword", item, &place, &message, rejects, findings);
    }
    for name in root.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
        let rejects = |it: &Profile| {
            let is_long = it.argument_length.is_some_and(|max| !(1..=max).contains(&name.chars().count()));
            let others = it.argument_characters.as_deref();
            is_long || others.is_some_and(|others| name.chars().any(|c| !is_allowed(c, others)))
        };
        let message = format!("hosts reject the name of the argument `{}`", excerpt(name));
        let place = format!("{}/properties/{}", document.pointer, super::walk::escape(name));
        report(hosts, "host-argument-name", item, &place, &message, rejects, findings);
    }
    let is_open = root.get("additionalProperties").is_some_and(|it| *it == Value::Bool(true) || it.is_object());
    if is_open {
        let place = format!("{}/additionalProperties", document.pointer);
        let message = "hosts do not support arguments of any name";
        report(hosts, "host-open-arguments", item, &place, message, |it| it.open_arguments, findings);
    }
    if let Some(pointer) = recursive_reference(document.root, document.nodes) {
        let place = format!("{}{pointer}/$ref", document.pointer);
        let message = "hosts do not support a recursive `$ref`";
        report(hosts, "host-recursion", item, &place, message, |it| it.recursion, findings);
    }
}

fn check_totals(document: &Document<'_>, hosts: &[&'static Profile], findings: &mut Findings) {
    let (item, pointer) = (document.item, document.pointer);
    let count = |keyword: &str| -> usize {
        let members = document.nodes.iter().filter_map(|node| node.object.get(keyword));
        members.map(|it| it.as_object().map_or(0, Map::len) + it.as_array().map_or(0, Vec::len)).sum()
    };
    let depth = document.nodes.iter().map(|node| node.depth).max().unwrap_or(0);
    let is_deep = |it: &Profile| it.depth.is_some_and(|max| depth > max);
    report(hosts, "host-depth", item, pointer, &format!("hosts reject {depth} nested levels"), is_deep, findings);
    let properties = count("properties");
    let is_over = |it: &Profile| it.properties.is_some_and(|max| properties > max);
    let message = format!("hosts reject {properties} properties");
    report(hosts, "host-properties", item, pointer, &message, is_over, findings);
    let values = count("enum");
    let is_over = |it: &Profile| it.enum_values.is_some_and(|max| values > max);
    let message = format!("hosts reject {values} values of `enum`");
    report(hosts, "host-enum-values", item, pointer, &message, is_over, findings);
}

fn check_node(document: &Document<'_>, node: &Node<'_>, hosts: &[&'static Profile], findings: &mut Findings) {
    let (item, object) = (document.item, node.object);
    let at = |keyword: &str| document.at(node, keyword);
    if !node.pointer.is_empty() {
        for keyword in object.keys() {
            let rejects = |it: &Profile| it.keywords.contains(keyword);
            let place = format!("{}/{}", at(""), super::walk::escape(keyword));
            let message = format!("hosts reject `{}`", excerpt(keyword));
            report(hosts, "host-keyword", item, &place, &message, rejects, findings);
        }
    }
    if let Some(format) = object.get("format").and_then(Value::as_str) {
        let rejects = |it: &Profile| !it.formats.is_empty() && !it.formats.iter().any(|other| other == format);
        let message = format!("hosts reject the format `{}`", excerpt(format));
        report(hosts, "host-format", item, &at("format"), &message, rejects, findings);
    }
    if has_type(object, "array") && !object.get("items").is_some_and(Value::is_object) {
        let message = "hosts reject an array without `items`";
        report(hosts, "host-array-items", item, &at(""), message, |it| it.array_items, findings);
    }
    if object.get("type").is_some_and(Value::is_array) {
        let message = "hosts reject a list of types";
        report(hosts, "host-type-list", item, &at("type"), message, |it| it.one_type, findings);
    }
    if let Some(values) = object.get("enum").and_then(Value::as_array)
        && (values.is_empty() || values.iter().any(|value| value.as_str().is_none_or(str::is_empty)))
    {
        let message = "hosts reject values of an `enum` that are not text, or empty";
        report(hosts, "host-enum-values", item, &at("enum"), message, |it| it.enum_strings, findings);
    }
    if has_type(object, "object") {
        check_object(document, node, hosts, findings);
    }
}

/// Checks the restrictions of strict modes.
fn check_object(document: &Document<'_>, node: &Node<'_>, hosts: &[&'static Profile], findings: &mut Findings) {
    let (item, object) = (document.item, node.object);
    if object.get("additionalProperties") != Some(&Value::Bool(false)) {
        let message = "hosts require `additionalProperties` to be `false`";
        report(hosts, "host-closed-objects", item, &document.at(node, ""), message, |it| it.closed_objects, findings);
    }
    let required = object.get("required").and_then(Value::as_array);
    let names = object.get("properties").and_then(Value::as_object);
    let is_missing = |name: &&String| !required.is_some_and(|required| required.iter().any(|it| it == name.as_str()));
    if let Some(name) = names.into_iter().flat_map(Map::keys).find(is_missing) {
        let message = format!("hosts require `{}` in `required`", excerpt(name));
        report(hosts, "host-required", item, &document.at(node, "required"), &message, |it| it.all_required, findings);
    }
}
