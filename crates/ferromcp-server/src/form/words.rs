//! Mistakes in a form, as sentences: which field, what is expected there, and what came.

use std::fmt::Write as _;

use ferromcp_core::RawJson;
use ferromcp_core::model::{FieldType, PrimitiveSchema};

use super::format::Format;

/// The most mistakes that are told one by one.
const MAX_MISTAKES: usize = 20;

/// The most characters of a wrong value that its mistake repeats.
const EXCERPT: usize = 80;

/// The most choices that a mistake lists.
const MAX_CHOICES: usize = 20;

/// "`age` must be a whole number from 1 to 99, got 100"
pub(super) fn wrong(name: &str, expected: &str, answer: &RawJson) -> String {
    format!("`{name}` must be {expected}, got {}", excerpt(answer.as_str()))
}

pub(super) fn missing(name: &str) -> String {
    format!("`{name}` is missing")
}

/// The mistakes, and a word on those there was no room for.
pub(super) fn bounded(mut mistakes: Vec<String>) -> Vec<String> {
    let more = mistakes.len().saturating_sub(MAX_MISTAKES);
    if more > 0 {
        mistakes.truncate(MAX_MISTAKES);
        mistakes.push(format!("and {more} more"));
    }
    mistakes
}

/// What a field wants, as in "a text of 1 to 80 characters".
pub(super) fn expected(field: &PrimitiveSchema) -> String {
    match field.r#type {
        FieldType::String => text(field),
        FieldType::Number => format!("a number{}", within(field)),
        FieldType::Integer => format!("a whole number{}", within(field)),
        FieldType::Boolean => "true or false".to_owned(),
        FieldType::Array => list(field),
    }
}

fn text(field: &PrimitiveSchema) -> String {
    let choices = choices(field);
    if !choices.is_empty() {
        return format!("one of {}", listed(&choices));
    }
    let format = field.format.as_deref().and_then(Format::named);
    let mut words = format.map_or("a text", Format::in_words).to_owned();
    if let Some(count) = count(field.min_length, field.max_length) {
        let _ = write!(words, " of {count} characters"); // a string takes all
    }
    if let Some(example) = format.and_then(Format::example) {
        let _ = write!(words, ", as `{example}`");
    }
    words
}

fn list(field: &PrimitiveSchema) -> String {
    let choices = choices(field);
    let of = if choices.is_empty() { "texts".to_owned() } else { listed(&choices) };
    match count(field.min_items, field.max_items) {
        Some(count) => format!("a list with {count} of {of}"),
        None => format!("a list of any of {of}"),
    }
}

fn within(field: &PrimitiveSchema) -> String {
    match (&field.minimum, &field.maximum) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" of at least {least}"),
        (None, Some(most)) => format!(" of at most {most}"),
        (None, None) => String::new(),
    }
}

fn count(least: Option<u64>, most: Option<u64>) -> Option<String> {
    Some(match (least.filter(|least| *least > 0), most) {
        (Some(least), Some(most)) if least == most => format!("{least}"),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => return None,
    })
}

/// The values that may be chosen, wherever the revision put them.
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

fn listed(choices: &[&str]) -> String {
    let told: Vec<&str> = choices.iter().copied().take(MAX_CHOICES).collect();
    let more = if choices.len() > MAX_CHOICES { " and more" } else { "" };
    format!("`{}`{more}", told.join("`, `"))
}

fn excerpt(json: &str) -> String {
    match json.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &json[..end]),
        None => json.to_owned(),
    }
}
