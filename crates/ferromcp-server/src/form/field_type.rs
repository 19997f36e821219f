//! The types of form fields.

use ferromcp_core::RawJson;
use ferromcp_core::model::{FieldType, PrimitiveSchema};

/// The type of one field of a form.
///
/// Implemented for `String`, `bool`, the integers, `f32`, `f64`, enums that derive `Form`, a `Vec` of such an enum
/// (multi-select), and an `Option` of any of these. Implement it for your own type by delegating to one of these:
///
/// ```
/// use ferromcp_core::RawJson;
/// use ferromcp_core::model::PrimitiveSchema;
/// use ferromcp_server::form::FormField;
///
/// struct Celsius(f64);
///
/// impl FormField for Celsius {
///     fn field() -> PrimitiveSchema {
///         f64::field()
///     }
///
///     fn from_answer(answer: &RawJson) -> Result<Self, String> {
///         f64::from_answer(answer).map(Self)
///     }
///
///     fn to_answer(&self) -> RawJson {
///         self.0.to_answer()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a form cannot contain a field of type `{Self}`",
    label = "not a form field",
    note = "a field is a `String`, `bool`, integer, `f32` or `f64`, an enum with `#[derive(Form)]`, a `Vec` of such an enum, or an `Option` of these",
    note = "forms are flat: add the fields of a struct to the form itself; parse other types from a `String`"
)]
pub trait FormField: Sized + Send + 'static {
    /// Returns the schema of the field: its type and choices.
    fn field() -> PrimitiveSchema;

    /// Parses an answer that satisfies the schema.
    ///
    /// # Errors
    /// Returns a description of the expected value, such as "a whole number from 0 to 255".
    fn from_answer(answer: &RawJson) -> Result<Self, String>;

    /// Serializes a default value in the format of an answer.
    fn to_answer(&self) -> RawJson;

    /// Returns the value of an omitted field; `None` if the field is required.
    fn absent() -> Option<Self> {
        None
    }
}

/// A string field, whose length and format can be restricted.
#[diagnostic::on_unimplemented(
    message = "`length` and `format` require a string, and `{Self}` is not one",
    label = "not a string",
    note = "use `range(…)` for a number and `items(…)` for a list of choices"
)]
pub trait TextField: FormField {}

impl TextField for String {}

impl<T: TextField> TextField for Option<T> {}

impl FormField for String {
    fn field() -> PrimitiveSchema {
        PrimitiveSchema::new(FieldType::String)
    }

    fn from_answer(answer: &RawJson) -> Result<Self, String> {
        answer.decode().map_err(|_| "a string".to_owned())
    }

    fn to_answer(&self) -> RawJson {
        serde_json::Value::from(self.as_str()).into()
    }
}

impl FormField for bool {
    fn field() -> PrimitiveSchema {
        PrimitiveSchema::new(FieldType::Boolean)
    }

    fn from_answer(answer: &RawJson) -> Result<Self, String> {
        answer.decode().map_err(|_| "true or false".to_owned())
    }

    fn to_answer(&self) -> RawJson {
        serde_json::Value::from(*self).into()
    }
}

impl<T: FormField> FormField for Option<T> {
    fn field() -> PrimitiveSchema {
        T::field()
    }

    fn from_answer(answer: &RawJson) -> Result<Self, String> {
        T::from_answer(answer).map(Some)
    }

    fn to_answer(&self) -> RawJson {
        self.as_ref().map_or_else(RawJson::null, T::to_answer)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}
