//! Choices in a form: an enum of which one variant is taken, or several.

use ferromcp_core::RawJson;
use ferromcp_core::model::{Choice, ChoiceItems, FieldType, PrimitiveSchema};

use super::field_type::FormField;

/// An enum whose variants a person chooses from. `#[derive(Form)]` makes one of an enum of plain variants.
#[diagnostic::on_unimplemented(
    message = "a form's list is for choices, and `{Self}` has none",
    label = "not an enum of choices",
    note = "write a `Vec` of an enum with `#[derive(Form)]`; for a list of other things ask for a `String`, and split it"
)]
pub trait Choices: FormField {
    /// Every choice in order: its value, and what people read instead if it has a title.
    const CHOICES: &'static [(&'static str, Option<&'static str>)];

    /// The choice of this value.
    fn of(value: &str) -> Option<Self>;

    /// The value of this choice.
    fn value(&self) -> &'static str;
}

/// A field that holds a list, which may be held to a number of items.
#[diagnostic::on_unimplemented(
    message = "`items` is for lists of choices, and `{Self}` is none",
    label = "not a list",
    note = "write `length(…)` for a text and `range(…)` for a number"
)]
pub trait ListField: FormField {
    /// Whether a list left out is the empty one, and so too short where some item is needed.
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
        let mut items = ChoiceItems::default();
        if let Some(choices) = titled::<T>() {
            items.any_of = Some(choices);
        } else {
            items.r#type = Some(FieldType::String);
            items.choices = Some(values::<T>());
        }
        let mut schema = PrimitiveSchema::new(FieldType::Array);
        schema.items = Some(items);
        schema
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

/// [`FormField::field`] of an enum.
pub fn field<T: Choices>() -> PrimitiveSchema {
    let mut schema = PrimitiveSchema::new(FieldType::String);
    match titled::<T>() {
        Some(choices) => schema.one_of = Some(choices),
        None => schema.choices = Some(values::<T>()),
    }
    schema
}

/// [`FormField::from_answer`] of an enum.
///
/// # Errors
/// When the answer is none of the choices.
pub fn from_answer<T: Choices>(answer: &RawJson) -> Result<T, String> {
    let value: Option<String> = answer.decode().ok();
    value.and_then(|value| T::of(&value)).ok_or_else(|| format!("one of `{}`", values::<T>().join("`, `")))
}

/// [`FormField::to_answer`] of an enum.
pub fn to_answer<T: Choices>(choice: &T) -> RawJson {
    serde_json::Value::from(choice.value()).into()
}

fn values<T: Choices>() -> Vec<String> {
    T::CHOICES.iter().map(|(value, _)| (*value).to_owned()).collect()
}

/// The choices with titles, if any has one; a choice without is shown by its value.
fn titled<T: Choices>() -> Option<Vec<Choice>> {
    let any = T::CHOICES.iter().any(|(_, title)| title.is_some());
    any.then(|| T::CHOICES.iter().map(|(value, title)| Choice::new(*value, title.unwrap_or(value))).collect())
}
