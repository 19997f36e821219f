//! The answers of a form, and their validation against its schema.

use std::fmt;

use ferromcp_core::model::{Choice, FieldType, FormSchema, PrimitiveSchema};
use ferromcp_core::{RawJson, RawMap};

use super::decimal::Decimal;
use super::format::Format;
use super::messages;

/// The content of an accepted form, by field name.
#[derive(Clone, Copy)]
pub struct Answers<'a>(&'a RawMap);

impl<'a> Answers<'a> {
    /// Wraps the content of an accepted answer.
    pub fn new(content: &'a RawMap) -> Self {
        Self(content)
    }

    /// Returns the answer of one field. `null` counts as absent, because some clients send it for omitted fields.
    pub fn get(&self, field: &str) -> Option<&'a RawJson> {
        self.0.get(field).filter(|answer| !answer.is_null())
    }
}

/// Formats the field names only, because the values are user input.
impl fmt::Debug for Answers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Validates the content of an accepted answer against the schema of its form.
///
/// Unknown fields are ignored. As in JSON Schema, `5.0` is an integer. `null` counts as an omitted field.
///
/// ```
/// use ferromcp_core::RawMap;
/// use ferromcp_core::model::{FieldType, FormSchema, PrimitiveSchema};
/// use ferromcp_server::form;
///
/// let age = PrimitiveSchema::new(FieldType::Integer).minimum(18);
/// let schema = FormSchema::new(vec![("age".to_owned(), age)]).required(["age"]);
///
/// let content: RawMap = serde_json::from_str(r#"{ "age": 17 }"#)?;
/// assert_eq!(
///     form::check(&schema, &content),
///     Err(vec!["`age` must be a whole number of at least 18, got 17".to_owned()])
/// );
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// # Errors
/// Returns one message per invalid field, up to a fixed number of messages.
pub fn check(schema: &FormSchema, content: &RawMap) -> Result<(), Vec<String>> {
    let answers = Answers::new(content);
    let required = schema.required.as_deref().unwrap_or_default();
    let missing = required.iter().filter(|name| answers.get(name).is_none()).map(|name| messages::missing(name));
    let invalid = schema.properties.iter().filter_map(|(name, field)| {
        let answer = answers.get(name).filter(|answer| !satisfies(field, answer))?;
        Some(messages::invalid_value(name, &messages::expected(field), answer))
    });
    let errors: Vec<String> = missing.chain(invalid).collect();
    if errors.is_empty() { Ok(()) } else { Err(messages::truncate_list(errors)) }
}

/// Returns whether an answer satisfies the schema of a field.
pub(super) fn satisfies(field: &PrimitiveSchema, answer: &RawJson) -> bool {
    match field.r#type {
        FieldType::String => answer.decode().is_ok_and(|text: String| satisfies_text(field, &text)),
        FieldType::Number => Decimal::parse(answer.as_str()).is_some_and(|number| is_within(field, number)),
        FieldType::Integer => {
            Decimal::parse(answer.as_str()).is_some_and(|number| number.integer().is_some() && is_within(field, number))
        }
        FieldType::Boolean => answer.decode::<bool>().is_ok(),
        FieldType::Array => answer.decode().is_ok_and(|list: Vec<String>| satisfies_list(field, &list)),
        _ => false, // types of later revisions
    }
}

fn satisfies_text(field: &PrimitiveSchema, text: &str) -> bool {
    is_count_allowed(text.chars().count(), field.min_length, field.max_length)
        && field.format.as_deref().and_then(Format::from_name).is_none_or(|format| format.matches(text))
        && is_choice(field.choices.as_deref(), field.one_of.as_deref(), text)
}

fn satisfies_list(field: &PrimitiveSchema, list: &[String]) -> bool {
    let chosen = |text: &String| {
        field.items.as_ref().is_none_or(|items| is_choice(items.choices.as_deref(), items.any_of.as_deref(), text))
    };
    is_count_allowed(list.len(), field.min_items, field.max_items) && list.iter().all(chosen)
}

fn is_count_allowed(count: usize, min: Option<u64>, max: Option<u64>) -> bool {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    min.is_none_or(|min| count >= min) && max.is_none_or(|max| count <= max)
}

/// Returns whether a text is one of the choices, or there are no choices.
fn is_choice(plain: Option<&[String]>, titled: Option<&[Choice]>, text: &str) -> bool {
    plain.is_none_or(|values| values.iter().any(|value| value == text))
        && titled.is_none_or(|choices| choices.iter().any(|choice| choice.r#const == text))
}

fn is_within(field: &PrimitiveSchema, number: Decimal) -> bool {
    let limit = |limit: &Option<serde_json::Number>| Decimal::parse(&limit.as_ref()?.to_string());
    limit(&field.minimum).is_none_or(|min| number >= min) && limit(&field.maximum).is_none_or(|max| number <= max)
}
