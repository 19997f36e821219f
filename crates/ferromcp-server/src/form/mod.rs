//! Forms: what a server asks the client's user to fill in, as a Rust type.
//!
//! A form is flat, since every client must be able to show it: texts, numbers, yes or no, and choices. What such a form
//! cannot hold does not compile. Answers are held against the form's own rules before a handler sees them.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema>.

mod answers;
mod check;
pub mod choice;
mod decimal;
mod field;
mod field_type;
mod format;
mod number;
mod text;
mod words;

use ferromcp_core::RawMap;
use ferromcp_core::model::FormSchema;

pub use answers::Answers;
pub use check::check;
pub use choice::{Choices, ListField};
pub use field::Field;
pub use field_type::FormField;
pub use format::Format;
pub use number::NumberField;
pub use text::TextField;

/// The name of the only field of a form that is a single [`FormField`].
pub const VALUE: &str = "value";

/// A flat form that a person fills in.
///
/// Derive it on a struct, each of whose fields is a [`FormField`]; on an enum the derive makes a field of it, of which
/// one variant is chosen. Any field is also a form by itself, of one field called `value`.
///
/// By hand it looks like this; the derive writes the same:
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
///         let mut mistakes = Vec::new();
///         match (name().read(answers, &mut mistakes), seats().read(answers, &mut mistakes)) {
///             (Some(name), Some(seats)) => Ok(Self { name, seats }),
///             _ => Err(mistakes),
///         }
///     }
/// }
///
/// let content: RawMap = serde_json::from_str(r#"{ "name": "Ann" }"#)?;
/// let guest = form::read::<Guest>(&content).unwrap();
/// assert_eq!((guest.name.as_str(), guest.seats), ("Ann", 1));
///
/// let content: RawMap = serde_json::from_str(r#"{ "name": "", "seats": 9 }"#)?;
/// let mistakes = form::read::<Guest>(&content).map(|guest| guest.name).unwrap_err();
/// assert_eq!(
///     mistakes,
///     [
///         "`name` must be a text of 1 to 80 characters, got \"\"",
///         "`seats` must be a whole number from 1 to 8, got 9",
///     ]
/// );
/// # Ok::<_, serde_json::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no form",
    label = "not a form",
    note = "a form is a struct or enum with `#[derive(Form)]`, or one field: `String`, `bool`, a number, or an `Option` of these"
)]
pub trait Form: Sized + Send + 'static {
    /// The form as clients are shown it, without a dialect.
    fn schema() -> FormSchema;

    /// Reads the answers, holding them against every rule of the schema.
    ///
    /// # Errors
    /// Each mistake as a sentence that names the field and says what is expected there.
    fn read(answers: &Answers<'_>) -> Result<Self, Vec<String>>;
}

impl<T: FormField> Form for T {
    fn schema() -> FormSchema {
        let mut schema = FormSchema::new(Vec::new());
        Field::<T>::new(VALUE).add_to(&mut schema);
        schema
    }

    fn read(answers: &Answers<'_>) -> Result<Self, Vec<String>> {
        let mut mistakes = Vec::new();
        Field::<T>::new(VALUE).read(answers, &mut mistakes).ok_or(mistakes)
    }
}

/// Reads the content of an accepted answer as a `T`.
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
/// What is wrong with the answers, a sentence a mistake, and a bounded number of them.
pub fn read<T: Form>(content: &RawMap) -> Result<T, Vec<String>> {
    T::read(&Answers::new(content)).map_err(words::bounded)
}
