//! Single-choice and multi-select fields.

use ferromcp_core::RawJson;
use ferromcp_core::model::{Choice, ChoiceItems, FieldType, PrimitiveSchema};

use super::field_type::FormField;

/// An enum whose variants are the choices of a field. `#[derive(Form)]` implements it for an enum of unit variants.
#[diagnostic::on_unimplemented(
    message = "a list in a form requires an enum of choices, and `{Self}` is not one",
    label = "not an enum of choices",
    note = "use a `Vec` of an enum with `#[derive(Form)]`; for other lists, use a `String` and split it"
)]
pub trait Choices: FormField {
    /// All choices in order: the value, and the title if there is one.
    const CHOICES: &'static [(&'static str, Option<&'static str>)];

    /// Returns the choice with this value.
    fn of(value: &str) -> Option<Self>;

    /// Returns the value of this choice.
    fn value(&self) -> &'static str;
}

/// A list field, whose number of items can be limited.
#[diagnostic::on_unimplemented(
    message = "`items` requires a list of choices, and `{Self}` is not one",
    label = "not a list",
    note = "use `length(…)` for a string and `range(…)` for a number"
)]
pub trait ListField: FormField {
    /// Whether an omitted list equals an empty one, and so violates a minimum number of items.
    #[doc(hidden)]
    const ABSENT_IS_EMPTY: bool;
}

impl<T: Choices> ListField for Vec<T> {
    const ABSENT_IS_EMPTY: bool = true;
}

impl<T: ListField> ListField for Option<T> {
    const ABSENT_IS_EMPTY: bool = false;
}

impl<T: Choices> FormField for Vec<T> {
    fn field() -> PrimitiveSchema {
        let items = titled::<T>().map_or_else(|| ChoiceItems::untitled(values::<T>()), ChoiceItems::titled);
        PrimitiveSchema::new(FieldType::Array).items(items)
    }

    fn from_answer(answer: &RawJson) -> Result<Self, String> {
        let list: Option<Vec<String>> = answer.decode().ok();
        let chosen = list.and_then(|list| list.iter().map(|value| T::of(value)).collect());
        chosen.ok_or_else(|| format!("a list of any of `{}`", values::<T>().join("`, `")))
    }

    fn to_answer(&self) -> RawJson {
        self.iter().map(T::value).collect::<serde_json::Value>().into()
    }

    fn absent() -> Option<Self> {
        Some(Vec::new())
    }
}

/// Implements [`FormField::field`] for an enum.
pub fn choice_field<T: Choices>() -> PrimitiveSchema {
    let schema = PrimitiveSchema::new(FieldType::String);
    match titled::<T>() {
        Some(choices) => schema.one_of(choices),
        None => schema.choices(values::<T>()),
    }
}

/// Implements [`FormField::from_answer`] for an enum.
///
/// # Errors
/// Fails if the answer is not one of the choices.
pub fn choice_from_answer<T: Choices>(answer: &RawJson) -> Result<T, String> {
    let value: Option<String> = answer.decode().ok();
    value.and_then(|value| T::of(&value)).ok_or_else(|| format!("one of `{}`", values::<T>().join("`, `")))
}

/// Implements [`FormField::to_answer`] for an enum.
pub fn choice_to_answer<T: Choices>(choice: &T) -> RawJson {
    serde_json::Value::from(choice.value()).into()
}

fn values<T: Choices>() -> Vec<String> {
    T::CHOICES.iter().map(|(value, _)| (*value).to_owned()).collect()
}

/// Returns the titled choices, if any choice has a title. A choice without a title uses its value.
fn titled<T: Choices>() -> Option<Vec<Choice>> {
    let any = T::CHOICES.iter().any(|(_, title)| title.is_some());
    any.then(|| T::CHOICES.iter().map(|(value, title)| Choice::new(*value, title.unwrap_or(value))).collect())
}
