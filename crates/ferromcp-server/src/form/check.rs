//! Answers against a form's schema, whoever wrote the schema.

use ferromcp_core::model::{Choice, FieldType, FormSchema, PrimitiveSchema};
use ferromcp_core::{RawJson, RawMap};

use super::answers::Answers;
use super::decimal::Decimal;
use super::format::Format;
use super::words;

/// Holds the content of an accepted answer against the form that was asked.
///
/// Fields the form does not have are passed over. To JSON Schema, `5.0` is a whole number, and so it is here; a `null` is
/// a field left out.
///
/// ```
/// use ferromcp_core::RawMap;
/// use ferromcp_core::model::{FieldType, FormSchema, PrimitiveSchema};
/// use ferromcp_server::form;
///
/// let mut age = PrimitiveSchema::new(FieldType::Integer);
/// age.minimum = Some(18.into());
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
/// What is wrong, a sentence a mistake, and a bounded number of them.
pub fn check(schema: &FormSchema, content: &RawMap) -> Result<(), Vec<String>> {
    let answers = Answers::new(content);
    let required = schema.required.as_deref().unwrap_or_default();
    let missing = required.iter().filter(|name| answers.get(name).is_none()).map(|name| words::missing(name));
    let wrong = schema.properties.iter().filter_map(|(name, field)| {
        let answer = answers.get(name).filter(|answer| !keeps(field, answer))?;
        Some(words::wrong(name, &words::expected(field), answer))
    });
    let mistakes: Vec<String> = missing.chain(wrong).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(words::bounded(mistakes)) }
}

/// Whether an answer keeps to a field's rules.
pub(super) fn keeps(field: &PrimitiveSchema, answer: &RawJson) -> bool {
    match field.r#type {
        FieldType::String => answer.decode().is_ok_and(|text: String| keeps_text(field, &text)),
        FieldType::Number => Decimal::parse(answer.as_str()).is_some_and(|number| is_within(field, number)),
        FieldType::Integer => {
            Decimal::parse(answer.as_str()).is_some_and(|number| number.whole().is_some() && is_within(field, number))
        }
        FieldType::Boolean => answer.decode::<bool>().is_ok(),
        FieldType::Array => answer.decode().is_ok_and(|list: Vec<String>| keeps_list(field, &list)),
    }
}

fn keeps_text(field: &PrimitiveSchema, text: &str) -> bool {
    is_counted(text.chars().count(), field.min_length, field.max_length)
        && field.format.as_deref().and_then(Format::named).is_none_or(|format| format.holds(text))
        && is_chosen(field.choices.as_deref(), field.one_of.as_deref(), text)
}

fn keeps_list(field: &PrimitiveSchema, list: &[String]) -> bool {
    let chosen = |text: &String| {
        field.items.as_ref().is_none_or(|items| is_chosen(items.choices.as_deref(), items.any_of.as_deref(), text))
    };
    is_counted(list.len(), field.min_items, field.max_items) && list.iter().all(chosen)
}

fn is_counted(count: usize, least: Option<u64>, most: Option<u64>) -> bool {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    least.is_none_or(|least| count >= least) && most.is_none_or(|most| count <= most)
}

/// Whether a text is among the choices, where there are any.
fn is_chosen(plain: Option<&[String]>, titled: Option<&[Choice]>, text: &str) -> bool {
    plain.is_none_or(|values| values.iter().any(|value| value == text))
        && titled.is_none_or(|choices| choices.iter().any(|choice| choice.r#const == text))
}

fn is_within(field: &PrimitiveSchema, number: Decimal) -> bool {
    let limit = |limit: &Option<serde_json::Number>| Decimal::parse(&limit.as_ref()?.to_string());
    limit(&field.minimum).is_none_or(|least| number >= least) && limit(&field.maximum).is_none_or(|most| number <= most)
}
