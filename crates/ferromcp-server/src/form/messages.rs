//! Validation messages of forms: the field name, the expected value and the received one.

use std::fmt::Write as _;

use ferromcp_core::RawJson;
use ferromcp_core::model::{FieldType, PrimitiveSchema};

use super::format::Format;

/// Maximum number of messages.
const MAX_ERRORS: usize = 20;

/// Maximum number of characters of an invalid value in its message.
const EXCERPT: usize = 80;

/// Maximum number of choices in a message.
const MAX_CHOICES: usize = 20;

/// Returns the message for an invalid value: "`age` must be a whole number from 1 to 99, got 100".
pub(super) fn invalid_value(name: &str, expected: &str, answer: &RawJson) -> String {
    format!("`{name}` must be {expected}, got {}", excerpt(answer.as_str()))
}

pub(super) fn missing(name: &str) -> String {
    format!("`{name}` is missing")
}

/// Truncates the list of messages, and appends the number of omitted ones.
pub(super) fn truncate_list(mut errors: Vec<String>) -> Vec<String> {
    let more = errors.len().saturating_sub(MAX_ERRORS);
    if more > 0 {
        errors.truncate(MAX_ERRORS);
        errors.push(format!("and {more} more"));
    }
    errors
}

/// Returns a description of the expected value, such as "a string of 1 to 80 characters".
pub(super) fn expected(field: &PrimitiveSchema) -> String {
    match field.r#type {
        FieldType::String => text(field),
        FieldType::Number => format!("a number{}", within(field)),
        FieldType::Integer => format!("a whole number{}", within(field)),
        FieldType::Boolean => "true or false".to_owned(),
        FieldType::Array => list(field),
        _ => "a value".to_owned(), // types of later revisions
    }
}

fn text(field: &PrimitiveSchema) -> String {
    let choices = choices(field);
    if !choices.is_empty() {
        return format!("one of {}", join_choices(&choices));
    }
    let format = field.format.as_deref().and_then(Format::from_name);
    let mut message = format.map_or("a string", Format::description).to_owned();
    if let Some(count) = count(field.min_length, field.max_length) {
        let _ = write!(message, " of {count} characters"); // writing to a string cannot fail
    }
    if let Some(example) = format.and_then(Format::example) {
        let _ = write!(message, ", as `{example}`");
    }
    message
}

fn list(field: &PrimitiveSchema) -> String {
    let choices = choices(field);
    let of = if choices.is_empty() { "strings".to_owned() } else { join_choices(&choices) };
    match count(field.min_items, field.max_items) {
        Some(count) => format!("a list with {count} of {of}"),
        None => format!("a list of any of {of}"),
    }
}

fn within(field: &PrimitiveSchema) -> String {
    match (&field.minimum, &field.maximum) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" of at least {min}"),
        (None, Some(max)) => format!(" of at most {max}"),
        (None, None) => String::new(),
    }
}

fn count(min: Option<u64>, max: Option<u64>) -> Option<String> {
    Some(match (min.filter(|min| *min > 0), max) {
        (Some(min), Some(max)) if min == max => format!("{min}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => return None,
    })
}

/// Returns the allowed values, from the schema keyword of any revision.
fn choices(field: &PrimitiveSchema) -> Vec<&str> {
    let items = field.items.as_ref();
    let plain = field.choices.as_ref().or_else(|| items?.choices.as_ref());
    let titled = field.one_of.as_ref().or_else(|| items?.any_of.as_ref());
    match (plain, titled) {
        (Some(plain), _) => plain.iter().map(String::as_str).collect(),
        (None, Some(titled)) => titled.iter().map(|choice| choice.r#const.as_str()).collect(),
        (None, None) => Vec::new(),
    }
}

fn join_choices(choices: &[&str]) -> String {
    let shown: Vec<&str> = choices.iter().copied().take(MAX_CHOICES).collect();
    let more = if choices.len() > MAX_CHOICES { " and more" } else { "" };
    format!("`{}`{more}", shown.join("`, `"))
}

fn excerpt(json: &str) -> String {
    match json.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &json[..end]),
        None => json.to_owned(),
    }
}
