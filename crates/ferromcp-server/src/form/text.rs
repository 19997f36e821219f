//! Texts in a form.

use ferromcp_core::RawJson;
use ferromcp_core::model::{FieldType, PrimitiveSchema};

use super::field_type::FormField;

/// A field that holds a text, which may be held to a length or a format.
#[diagnostic::on_unimplemented(
    message = "`length` and `format` are for texts, and `{Self}` is none",
    label = "not a text",
    note = "write `range(…)` for a number and `items(…)` for a list of choices"
)]
pub trait TextField: FormField {}

impl TextField for String {}

impl<T: TextField> TextField for Option<T> {}

impl FormField for String {
    fn field() -> PrimitiveSchema {
        PrimitiveSchema::new(FieldType::String)
    }

    fn from_answer(answer: &RawJson) -> Result<Self, String> {
        answer.decode().map_err(|_| "a text".to_owned())
    }

    fn to_answer(&self) -> RawJson {
        serde_json::Value::from(self.as_str()).into()
    }
}
