//! Edits YAML: adds and removes the lines of one entry of a block mapping.
//!
//! Entries within flow mappings (`{…}`) are not edited.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::Value;

use super::error::EditError;
use super::place::{Leaf, Place};
use super::splice::{Splice, apply, indent_at, line_end, line_of, line_start, next_line};
use super::toml::collect_leaves;
use super::yaml_tree::{Content, Node, parse, plain};

/// Indentation of one level in new mappings.
const UNIT: &str = "  ";

/// The mapping of servers.
enum Servers<'a> {
    /// Keys of the path that are missing in the root.
    Missing,
    /// An empty mapping, or `null`: the bytes of the key, and of the value.
    Empty { key: &'a Node, value: &'a Node },
    /// A block mapping.
    Block { key: &'a Node, members: &'a [(Node, Node)] },
}

/// Adds or replaces an entry.
pub(super) fn insert(text: &str, place: Place<'_>, value: &Value) -> Result<String, EditError> {
    let root = parse(text)?;
    let end = line_end(text);
    match servers(text, root.as_ref(), place)? {
        Servers::Missing => {
            let mut block = format!("{}:\n", key_text(&place.key[0]));
            render(place.name, value, UNIT, &mut block);
            Ok(append_lines(text, text.len(), &block, end))
        }
        Servers::Empty { key, value: empty } => {
            let mut block = String::new();
            let indent = format!("{}{UNIT}", indent_at(text, key.start));
            render(place.name, value, &indent, &mut block);
            let at = next_line(text, empty.end.max(key.end));
            if empty.start == empty.end {
                return Ok(append_lines(text, at, &block, end));
            }
            let start = text[..empty.start].trim_end_matches([' ', '\t']).len();
            let lines = append_lines(&text[..at], at, &block, end);
            Ok(format!("{}{}{}", &lines[..start], &lines[empty.end..], &text[at..]))
        }
        Servers::Block { members, .. } => {
            let indent = indent_at(text, members[0].0.start).to_owned();
            let mut block = String::new();
            render(place.name, value, &indent, &mut block);
            if let Some((key, existing)) = find(text, members, place)? {
                let lines = lines_of(text, key, existing);
                let block = block.replace('\n', end);
                let has_end = text[lines.clone()].ends_with('\n');
                let block = if has_end { block.as_str() } else { block.trim_end() };
                return Ok(apply(text, vec![Splice { range: lines, text: block.to_owned() }]));
            }
            let (key, last) = &members[members.len() - 1];
            Ok(append_lines(text, lines_of(text, key, last).end, &block, end))
        }
    }
}

/// Removes an entry.
pub(super) fn remove(text: &str, place: Place<'_>) -> Result<String, EditError> {
    let root = parse(text)?;
    let Servers::Block { key: table, members } = servers(text, root.as_ref(), place)? else {
        return Err(EditError::missing(place.name));
    };
    let Some((key, value)) = find(text, members, place)? else { return Err(EditError::missing(place.name)) };
    let mut lines = lines_of(text, key, value);
    if lines.end == text.len() && !text.ends_with('\n') {
        let before = text[..lines.start].strip_suffix('\n').unwrap_or(&text[..lines.start]);
        lines.start = before.strip_suffix('\r').unwrap_or(before).len();
    }
    let mut splices = vec![Splice::delete(lines)];
    if members.len() == 1 {
        let colon = text[table.end..].find(':').map(|at| table.end + at + 1);
        splices.push(Splice::insert(colon.ok_or_else(EditError::lossy)?, " {}"));
    }
    Ok(apply(text, splices))
}

/// Inserts lines at the start of a line. Without a line end at the end of the text, it has none afterwards.
fn append_lines(text: &str, at: usize, block: &str, end: &str) -> String {
    let block = block.replace('\n', end);
    let (before, after) = text.split_at(at);
    if before.is_empty() || before.ends_with('\n') {
        format!("{before}{block}{after}")
    } else {
        format!("{before}{end}{}{after}", block.trim_end())
    }
}

fn servers<'a>(text: &str, root: Option<&'a Node>, place: Place<'_>) -> Result<Servers<'a>, EditError> {
    let [name] = place.key else { return Err(EditError::lossy()) };
    let Some(root) = root.filter(|root| !root.is_null()) else { return Ok(Servers::Missing) };
    let is_block = |node: &Node| !text[node.start..].starts_with('{');
    let line = |node: &Node| Some(line_of(text, node.start));
    let members = root.members().filter(|_| is_block(root) && line_start(text, root.start) == root.start);
    let Some(members) = members else {
        return Err(EditError::structure(line(root), "the file is not a block mapping", "edit it by hand"));
    };
    let Some((key, value)) = find(text, members, Place { key: &[], name })? else { return Ok(Servers::Missing) };
    match &value.content {
        _ if value.is_null() => Ok(Servers::Empty { key, value }),
        Content::Mapping(members) if members.is_empty() => Ok(Servers::Empty { key, value }),
        Content::Mapping(members) if is_block(value) => Ok(Servers::Block { key, members }),
        Content::Mapping(_) => {
            let cause = format!("{} is written in one line with braces", place.describe());
            Err(EditError::structure(line(value), cause, "write each server on separate lines"))
        }
        Content::Sequence(_) => Err(EditError::wrong_type(line(value), &place.describe(), "a sequence", "`{}`")),
        Content::Scalar(..) | Content::Alias(_) => {
            Err(EditError::wrong_type(line(value), &place.describe(), "a scalar", "`{}`"))
        }
    }
}

/// Returns the member with this name. Duplicates are an error.
fn find<'a>(
    text: &str,
    members: &'a [(Node, Node)],
    place: Place<'_>,
) -> Result<Option<(&'a Node, &'a Node)>, EditError> {
    let found: Vec<&(Node, Node)> = members.iter().filter(|(key, _)| key.is_key(place.name)).collect();
    if found.len() > 1 {
        let lines: Vec<usize> = found.iter().map(|(key, _)| line_of(text, key.start)).collect();
        return Err(EditError::duplicate(&lines, place.name));
    }
    Ok(found.first().map(|(key, value)| (key, value)))
}

/// Returns the lines of a member.
fn lines_of(text: &str, key: &Node, value: &Node) -> Range<usize> {
    let end = line_start(text, value.end);
    // A block scalar ends at the next token.
    let ends_line = value.end > key.end && text[end..value.end].trim().is_empty() && end > key.end;
    line_start(text, key.start)..if ends_line { end } else { next_line(text, value.end) }
}

/// Writes a member in block style.
fn render(name: &str, value: &Value, indent: &str, out: &mut String) {
    let name = key_text(name);
    match value {
        Value::Object(members) if !members.is_empty() => {
            let _ = writeln!(out, "{indent}{name}:");
            let inner = format!("{indent}{UNIT}");
            members.iter().for_each(|(key, value)| render(key, value, &inner, out));
        }
        Value::Array(items) if !items.is_empty() => {
            let _ = writeln!(out, "{indent}{name}:");
            for item in items {
                let _ = writeln!(out, "{indent}{UNIT}- {}", scalar(item));
            }
        }
        value => {
            let _ = writeln!(out, "{indent}{name}: {}", scalar(value));
        }
    }
}

fn key_text(name: &str) -> String {
    scalar(&name.into())
}

/// Writes a value on one line. JSON is YAML; simple text has no quotes.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if is_simple(text) => text.clone(),
        value => value.to_string(),
    }
}

/// Returns whether a text without quotes is this text in YAML 1.1 and 1.2.
fn is_simple(text: &str) -> bool {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let is_word = ["yes", "no", "on", "off", "y", "n"].iter().any(|word| text.eq_ignore_ascii_case(word));
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(is_safe)
        && !is_word
        && plain(text).is_string()
}

/// Returns the value at a path; the last one of duplicate keys.
pub(super) fn value_at(text: &str, path: &[String]) -> Result<Option<Value>, EditError> {
    let Some(root) = parse(text)? else { return Ok(None) };
    let found = path.iter().try_fold(&root, |node, key| {
        node.members()?.iter().rfind(|(name, _)| name.is_key(key)).map(|(_, value)| value)
    });
    Ok(found.map(Node::to_json))
}

/// Returns an error for each duplicate key on the way to a table, in the table and in its entries.
pub(super) fn duplicates(text: &str, key: &[String]) -> Result<Vec<EditError>, EditError> {
    let root = parse(text)?;
    let (mut found, mut next, mut keys) = (Vec::new(), root.as_ref(), key.iter());
    while let Some(members) = next.and_then(Node::members) {
        found.extend(EditError::duplicates(lines_of_keys(text, members)));
        let Some(key) = keys.next() else {
            for entry in members.iter().filter_map(|(_, value)| value.members()) {
                found.extend(EditError::duplicates(lines_of_keys(text, entry)));
            }
            break;
        };
        next = members.iter().rfind(|(name, _)| name.is_key(key)).map(|(_, value)| value);
    }
    Ok(found)
}

/// Returns the keys of a mapping that are scalars, with their lines.
fn lines_of_keys<'a>(text: &'a str, members: &'a [(Node, Node)]) -> impl Iterator<Item = (&'a str, usize)> {
    members.iter().filter_map(move |(key, _)| match &key.content {
        Content::Scalar(name, _) => Some((name.as_str(), line_of(text, key.start))),
        _ => None,
    })
}

/// Returns the scalars of a file. An empty table of servers and `null` are equal.
pub(super) fn leaves(text: &str) -> Result<Vec<Leaf>, EditError> {
    let mut found = Vec::new();
    if let Some(root) = parse(text)? {
        collect_leaves(&root.to_json(), &mut Vec::new(), &mut found);
    }
    found.retain(|(path, value)| !(path.len() <= 1 && value == "null"));
    Ok(found)
}
