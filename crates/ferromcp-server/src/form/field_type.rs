//! What one field of a form can hold.

use ferromcp_core::RawJson;
use ferromcp_core::model::{FieldType, PrimitiveSchema};

/// The type of one field of a form.
///
/// These are `String`, `bool`, the integers, `f32` and `f64`, an enum that derives `Form`, a `Vec` of such an enum (several
/// choices), and an `Option` of any. A type of your own can be one by passing on to one of these:
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
    message = "a form cannot hold a `{Self}`",
    label = "not a field of a form",
    note = "a field is a `String`, `bool`, integer, `f32` or `f64`, an enum with `#[derive(Form)]`, a `Vec` of such an enum, or an `Option` of these",
    note = "a form is flat: write the fields of a struct into the form itself; read other types from a `String`"
)]
pub trait FormField: Sized + Send + 'static {
    /// What clients are told of it: its type, and its choices.
    fn field() -> PrimitiveSchema;

    /// Reads an answer that keeps to the schema.
    ///
    /// # Errors
    /// What is expected instead, as in "a whole number from 0 to 255".
    fn from_answer(answer: &RawJson) -> Result<Self, String>;

    /// Writes a default as an answer would be written.
    fn to_answer(&self) -> RawJson;

    /// Its value when the field is left out; `None` where an answer is needed.
    fn absent() -> Option<Self> {
        None
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
