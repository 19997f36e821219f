//! Describes the values that a schema allows, for error texts.

use serde_json::{Map, Value};

use crate::form::Format;
use crate::schema;

/// The maximum nesting of subschemas. It exceeds the nesting of JSON texts that serde_json accepts.
pub(super) const MAX_DEPTH: usize = 256;

/// A string format with its description.
pub(super) struct StringFormat {
    pub(super) words: &'static str,
    /// Returns false only for texts that are certainly invalid.
    pub(super) matches: fn(&str) -> bool,
}

/// Returns the format with this name in a schema, if it is checked.
pub(super) fn string_format(name: &str) -> Option<StringFormat> {
    let (words, matches): (_, fn(&str) -> bool) = match name {
        "date" => ("a date such as 2026-12-24", |text| Format::Date.matches(text)),
        "date-time" => ("a date and time such as 2026-12-24T18:00:00Z", |text| {
            let text = text.replacen(' ', "T", 1); // accepted by some parsers
            Format::DateTime.matches(&text)
        }),
        "partial-date-time" => ("a date and time without offset such as 2026-12-24T18:00:00", is_local_date_time),
        "time" => ("a time such as 18:00:00Z", starts_with_time),
        "partial-time" => ("a time such as 18:00:00", starts_with_time),
        "duration" => {
            ("a duration such as PT1H30M", |text| text.trim_start_matches(['+', '-']).starts_with(['P', 'p']))
        }
        "uuid" => ("a UUID such as 67e55044-10b1-426f-9247-bb680e5fe0c8", is_uuid),
        "uri" | "url" => ("a URL such as https://example.org/page", has_scheme),
        "email" => ("an email address", |text| Format::Email.matches(text)),
        "ipv4" => ("an IPv4 address such as 192.0.2.1", |text| text.parse::<std::net::Ipv4Addr>().is_ok()),
        "ipv6" => ("an IPv6 address such as 2001:db8::1", |text| text.parse::<std::net::Ipv6Addr>().is_ok()),
        _ => return None,
    };
    Some(StringFormat { words, matches })
}

/// Describes the values that `schema`, a part of `root`, allows: "an integer from 0 to 255".
pub(super) fn expected(root: &Value, schema: &Map<String, Value>) -> String {
    if let Some(format) = schema.get("format").and_then(Value::as_str).and_then(string_format) {
        return format.words.to_owned();
    }
    let words = schema::describe(&Value::Object(schema.clone()));
    let arms = ["anyOf", "oneOf"].into_iter().find_map(|keyword| schema.get(keyword)?.as_array());
    // The alternatives of a flattened enum say more than "an object".
    if words != schema::OTHER && (words != "an object" || arms.is_none()) {
        return words;
    }
    let mut choices: Vec<String> = Vec::new();
    for arm in arms.into_iter().flatten().filter_map(|arm| resolve(root, arm)) {
        let words = describe_arm(arm);
        if !choices.contains(&words) {
            choices.push(words);
        }
    }
    match (choices.is_empty(), schema.get("const")) {
        (true, Some(only)) => only.to_string(),
        (true, None) => schema::OTHER.to_owned(),
        _ => choices.join(" or "),
    }
}

/// Returns the members of a schema, after following its reference. `None` if every value is allowed.
pub(super) fn resolve<'s>(root: &'s Value, schema: &'s Value) -> Option<&'s Map<String, Value>> {
    let mut schema = schema.as_object()?;
    for _ in 0..MAX_DEPTH {
        let Some(target) = schema.get("$ref").and_then(Value::as_str) else { return Some(schema) };
        schema = root.pointer(target.strip_prefix('#')?)?.as_object()?;
    }
    None // references to references without end
}

/// Describes an alternative. An object is recognized by its required properties.
fn describe_arm(arm: &Map<String, Value>) -> String {
    if let Some(only) = arm.get("const") {
        return only.to_string();
    }
    let words = schema::describe(&Value::Object(arm.clone()));
    let names = arm.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if words == "an object" && !names.is_empty() { format!("an object with {}", names.join(", ")) } else { words }
}

fn is_local_date_time(text: &str) -> bool {
    let text = text.replacen(' ', "T", 1);
    Format::DateTime.matches(&format!("{text}Z")) || Format::DateTime.matches(&format!("{text}:00Z"))
}

fn starts_with_time(text: &str) -> bool {
    let mut parts = text.splitn(3, ':').map(|part| part.get(..2).unwrap_or(part));
    let in_range =
        |part: Option<&str>, end: u8| part.and_then(|part| part.parse::<u8>().ok()).is_some_and(|it| it < end);
    in_range(parts.next(), 24) && in_range(parts.next(), 60)
}

fn is_uuid(text: &str) -> bool {
    let text = text.trim_start_matches("urn:uuid:").trim_matches(['{', '}']);
    text.bytes().filter(|byte| *byte != b'-').count() == 32
        && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn has_scheme(text: &str) -> bool {
    text.trim().split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !rest.is_empty()
    })
}
