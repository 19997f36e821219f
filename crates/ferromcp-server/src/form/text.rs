//! String fields.

use ferromcp_core::RawJson;
use ferromcp_core::model::{FieldType, PrimitiveSchema};

use super::field_type::FormField;

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
