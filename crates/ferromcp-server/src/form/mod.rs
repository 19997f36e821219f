//! Forms of elicitation requests, as Rust types.
//!
//! The specification allows only flat forms with strings, numbers, booleans and choices. Unsupported types are compile
//! errors. Answers are validated against the schema of the form before the handler receives them.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema>.

mod check;
mod choice;
mod decimal;
mod field;
mod field_type;
mod format;
mod messages;
mod number;

use ferromcp_core::RawMap;
use ferromcp_core::model::FormSchema;

pub use check::{Answers, check};
pub use choice::{Choices, ListField, choice_field, choice_from_answer, choice_to_answer};
pub use field::Field;
pub use field_type::{FormField, TextField};
pub use format::Format;
pub use number::NumberField;

/// The field name of a form that consists of a single [`FormField`].
pub const VALUE: &str = "value";

/// A flat form that the user fills in.
///
/// Derive it on a struct whose fields implement [`FormField`]. On an enum, the derive implements a single-choice field.
/// Every [`FormField`] is also a form with one field named `value`.
///
/// A manual implementation, equal to the derived one:
///
/// ```
/// use ferromcp_core::RawMap;
/// use ferromcp_core::model::FormSchema;
/// use ferromcp_server::form::{self, Answers, Field, Form};
///
/// struct Guest {
///     name: String,
///     seats: u8,
/// }
///
/// fn name() -> Field<String> {
///     Field::new("name").title("Your name").length(1..=80)
/// }
///
/// fn seats() -> Field<u8> {
///     Field::new("seats").range(1..=8).default(1)
/// }
///
/// impl Form for Guest {
///     fn schema() -> FormSchema {
///         let mut schema = FormSchema::new(vec![]);
///         name().add_to(&mut schema);
///         seats().add_to(&mut schema);
///         schema
///     }
///
///     fn read(answers: &Answers<'_>) -> Result<Self, Vec<String>> {
///         let mut errors = Vec::new();
///         match (name().read(answers, &mut errors), seats().read(answers, &mut errors)) {
///             (Some(name), Some(seats)) => Ok(Self { name, seats }),
///             _ => Err(errors),
///         }
///     }
/// }
///
/// let content: RawMap = serde_json::from_str(r#"{ "name": "Ann" }"#)?;
/// let guest = form::read::<Guest>(&content).unwrap();
/// assert_eq!((guest.name.as_str(), guest.seats), ("Ann", 1));
///
/// let content: RawMap = serde_json::from_str(r#"{ "name": "", "seats": 9 }"#)?;
/// let errors = form::read::<Guest>(&content).map(|guest| guest.name).unwrap_err();
/// assert_eq!(
///     errors,
///     [
///         "`name` must be a string of 1 to 80 characters, got \"\"",
///         "`seats` must be a whole number from 1 to 8, got 9",
///     ]
/// );
/// # Ok::<_, serde_json::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a form",
    label = "not a form",
    note = "a form is a struct or enum with `#[derive(Form)]`, or one field: `String`, `bool`, a number, or an `Option` of these"
)]
pub trait Form: Sized + Send + 'static {
    /// Returns the schema that is sent to the client, without `$schema`.
    fn schema() -> FormSchema;

    /// Parses the answers, and validates them against the schema.
    ///
    /// # Errors
    /// Returns one message per invalid field, with the field name and the expected value.
    fn read(answers: &Answers<'_>) -> Result<Self, Vec<String>>;
}

impl<T: FormField> Form for T {
    fn schema() -> FormSchema {
        let mut schema = FormSchema::new(Vec::new());
        Field::<T>::new(VALUE).add_to(&mut schema);
        schema
    }

    fn read(answers: &Answers<'_>) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        Field::<T>::new(VALUE).read(answers, &mut errors).ok_or(errors)
    }
}

/// Parses the content of an accepted answer as a `T`.
///
/// ```
/// use ferromcp_core::RawMap;
/// use ferromcp_server::form;
///
/// let content: RawMap = serde_json::from_str(r#"{ "value": true }"#)?;
/// assert_eq!(form::read::<bool>(&content), Ok(true));
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// # Errors
/// Returns one message per invalid field, up to a fixed number of messages.
pub fn read<T: Form>(content: &RawMap) -> Result<T, Vec<String>> {
    T::read(&Answers::new(content)).map_err(messages::truncate_list)
}
