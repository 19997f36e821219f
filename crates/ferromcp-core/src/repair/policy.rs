//! The parts of a message that may be repaired. What decides the effect of a request stays strict.

use super::edit::string;
use super::path::Segment;
use crate::meta::key;

/// The rules for one message.
pub(crate) struct Policy<'p> {
    /// Whether the value at a path may be ignored or replaced.
    pub(crate) allows: &'p dyn Fn(&[Segment]) -> bool,
    /// Whether a `null` at a path may be treated as absent.
    pub(crate) allows_null: &'p dyn Fn(&[Segment]) -> bool,
    /// The length of the path that is removed once a message has had too many repairs.
    pub(crate) coarse: usize,
}

impl Policy<'static> {
    /// Allows all repairs.
    pub(crate) const ANY: Self = Self { allows: &|_| true, allows_null: &|_| true, coarse: 1 };
}

/// Returns the member names of a path. An index is an empty name.
fn keys(path: &[Segment]) -> Vec<&str> {
    path.iter().map(|segment| segment.as_key().unwrap_or_default()).collect()
}

/// Returns whether a server may repair the value at `path` of a client's message.
///
/// Descriptions of the client, its capabilities and notifications are repaired. The other parameters decide what a request
/// does, so they are rejected with an error.
pub(crate) fn allows_from_client(method: Option<&str>, path: &[Segment]) -> bool {
    let Some(method) = method else { return is_error(path) };
    match *keys(path).as_slice() {
        ["params", "capabilities" | "clientInfo", _, ..] => method == "initialize",
        ["params", "_meta", key::CLIENT_CAPABILITIES, _, ..] => true,
        ["params", _, ..] => method.starts_with("notifications/"),
        _ => false,
    }
}

/// Returns whether a client may repair the value at `path` of a server's message.
pub(crate) fn allows_from_server(method: Option<&str>, path: &[Segment]) -> bool {
    match (method, path.split_first()) {
        (None, _) => is_error(path),
        (Some("elicitation/create"), Some((_, rest))) => allows_in_elicitation(rest),
        (Some(_), Some((_, [_, ..]))) => true,
        _ => false,
    }
}

/// Returns whether `null` at `path` is the same as an absent member: in an error, and in parameters.
pub(crate) fn allows_null(path: &[Segment]) -> bool {
    matches!(*keys(path).as_slice(), ["params", _, ..]) || is_error(path)
}

fn is_error(path: &[Segment]) -> bool {
    path.first().and_then(Segment::as_key) == Some("error")
}

/// Returns whether the value at `path` of elicitation parameters may be repaired. The fields of a form and their types decide
/// what the user is asked.
pub(crate) fn allows_in_elicitation(path: &[Segment]) -> bool {
    match *keys(path).as_slice() {
        ["requestedSchema", "properties", _, field, ..] => !matches!(field, "type" | "enum" | "oneOf" | "items"),
        ["requestedSchema", "$schema"] => true,
        [] | ["requestedSchema", ..] => false,
        _ => true,
    }
}

/// Returns the value of a missing member, if there is an obvious one. `object` is at `path`.
pub(crate) fn default_of(name: &str, path: &[Segment], object: &str, cause: &str) -> Option<String> {
    let parent = path.last().and_then(Segment::as_key);
    let is_info = matches!(parent, Some("serverInfo" | "clientInfo" | key::SERVER_INFO | key::CLIENT_INFO) | None);
    Some(match name {
        "inputSchema" => r#"{"type":"object"}"#.into(),
        "version" if is_info => r#""""#.into(),
        "name" => match uri_of(object) {
            Some(uri) => uri,
            None if is_info && parent.is_some() => r#""""#.into(),
            None => return None,
        },
        "serverInfo" => r#"{"name":"","version":""}"#.into(),
        "input" => "{}".into(),
        "content" if cause.contains("tool_result") => "[]".into(),
        "level" => r#""info""#.into(),
        "message" if parent == Some("error") => r#""no message""#.into(),
        "code" if parent == Some("error") => "-32603".into(),
        _ => return None,
    })
}

/// Returns the URI of a resource or template, which also serves as its name.
fn uri_of(object: &str) -> Option<String> {
    let members = super::edit::Members::of(object)?;
    let uri = members.get("uriTemplate").or_else(|| members.get("uri"))?;
    uri.starts_with('"').then(|| uri.to_owned())
}

/// Returns the replacement of a value of another type whose meaning is clear.
pub(crate) fn replacement_of(value: &str, path: &[Segment], cause: &str) -> Option<String> {
    let path = keys(path);
    let in_capabilities =
        path.iter().rev().skip(1).any(|key| matches!(*key, "capabilities" | key::CLIENT_CAPABILITIES));
    match value {
        "true" if in_capabilities && is_object_expected(cause) => Some("{}".into()),
        // Some languages do not distinguish an empty array from an empty object.
        _ if is_empty_array(value) && is_object_expected(cause) => Some("{}".into()),
        _ if path == ["error"] && value.starts_with('"') => Some(format!(r#"{{"code":-32603,"message":{value}}}"#)),
        _ if path == ["error"] && !is_blank(value) && is_object_expected(cause) => {
            Some(format!(r#"{{"code":-32603,"message":{}}}"#, string(value)))
        }
        _ if path == ["error", "code"] => integer_of(value),
        _ if path == ["error", "message"] && value != "null" => Some(string(value)),
        // Servers with offsets or page numbers. A cursor is opaque, so the server gets back what it sent.
        _ if path == ["nextCursor"] && is_number(value) => Some(string(value)),
        // An error must not be read as a success.
        _ if path.last() == Some(&"isError") && !is_falsy(value) => Some("true".into()),
        _ => None,
    }
}

fn is_number(value: &str) -> bool {
    value.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// Returns the integer that a number such as `-32601.0`, or a string such as `"-32601"`, denotes.
fn integer_of(value: &str) -> Option<String> {
    let text = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let integer = text.parse::<i64>().ok().map(|integer| integer.to_string());
    integer.or_else(|| crate::id::integral_float(text).map(str::to_owned))
}

/// Returns whether a value stands for an absent one, in languages that do not distinguish `false` or an empty value from
/// `null`.
pub(crate) fn is_blank(value: &str) -> bool {
    matches!(value, "null" | "false" | "0" | r#""""#) || is_empty_array(value) || is_empty_object(value)
}

/// Returns whether a value, or the text in a string, means `false`.
fn is_falsy(value: &str) -> bool {
    let text = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value).trim();
    is_blank(value) || ["", "0", "0.0", "false", "no"].iter().any(|falsy| text.eq_ignore_ascii_case(falsy))
}

fn is_empty_object(value: &str) -> bool {
    value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some_and(|inner| inner.trim().is_empty())
}

fn is_empty_array(value: &str) -> bool {
    value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|inner| inner.trim().is_empty())
}

fn is_object_expected(cause: &str) -> bool {
    ["expected struct", "expected a map", "expected an object"].iter().any(|expected| cause.contains(expected))
}
