//! What a tool may return.

use ferromcp_core::RawJson;
use ferromcp_core::model::{CallToolResult, ContentBlock};
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::content::IntoContent;
use crate::schema;
use crate::tool_error::ToolError;

/// What a tool may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a tool's result",
    note = "return text, a number, `Json<T>` (where `T: Serialize + JsonSchema`), content like `Image`, a `CallToolResult`, or a `Result` of these",
    note = "lists, maps and optional values of data go into it whole: `Json<Vec<T>>`, `Json<Option<T>>`",
    note = "the error of a `Result` is whatever turns into `ToolError`: text, and each `std::error::Error`"
)]
pub trait ToolOutput: Send + 'static {
    /// The result, structured as `shape` says.
    ///
    /// # Errors
    /// What the tool itself failed with.
    fn into_result(self, shape: OutputShape) -> Result<CallToolResult, ToolError>;

    /// The schema of what is returned, where it is structured.
    fn schema() -> Option<Schema> {
        None
    }
}

/// How structured content is laid out; settled once, from the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputShape {
    /// There is none.
    Text,
    /// The value is an object and stands for itself.
    Object,
    /// The value stands in `{"result": …}`, since older revisions want an object.
    Wrapped,
}

impl OutputShape {
    /// The shape of what `T` returns, with its output schema.
    pub(crate) fn of<T: ToolOutput>() -> (Self, Option<Schema>) {
        match T::schema() {
            None => (Self::Text, None),
            Some(object) if schema::describes_object(&object) => (Self::Object, Some(object)),
            Some(other) => (Self::Wrapped, Some(schema::wrapped(other))),
        }
    }
}

impl<T: IntoContent> ToolOutput for T {
    fn into_result(self, _: OutputShape) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::new(self.into_content()))
    }
}

impl ToolOutput for CallToolResult {
    fn into_result(self, _: OutputShape) -> Result<CallToolResult, ToolError> {
        Ok(self)
    }
}

impl<T: ToolOutput, E: Into<ToolError> + Send + 'static> ToolOutput for Result<T, E> {
    fn into_result(self, shape: OutputShape) -> Result<CallToolResult, ToolError> {
        self.map_err(Into::into)?.into_result(shape)
    }

    fn schema() -> Option<Schema> {
        T::schema()
    }
}

/// A value as structured content, with the same as text for peers and models that read text.
///
/// As a resource it is a text of `application/json`.
///
/// ```
/// use ferromcp_server::{Json, ToolOutput};
/// assert!(Json::<Vec<u8>>::schema().is_some());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize + JsonSchema + Send + 'static> ToolOutput for Json<T> {
    fn into_result(self, shape: OutputShape) -> Result<CallToolResult, ToolError> {
        structured(&self.0, shape)
    }

    fn schema() -> Option<Schema> {
        Some(schema::root_of::<T>())
    }
}

/// A value with content of its own beside it.
impl<T: Serialize + JsonSchema + Send + 'static, C: IntoContent> ToolOutput for (Json<T>, C) {
    fn into_result(self, shape: OutputShape) -> Result<CallToolResult, ToolError> {
        let mut result = structured(&self.0.0, shape)?;
        self.1.push_into(&mut result.content);
        Ok(result)
    }

    fn schema() -> Option<Schema> {
        Some(schema::root_of::<T>())
    }
}

fn structured<T: Serialize>(value: &T, shape: OutputShape) -> Result<CallToolResult, ToolError> {
    if shape == OutputShape::Object {
        return Ok(CallToolResult::structured(RawJson::new(value)?));
    }
    let text = serde_json::to_string(value)?;
    let wrapped = match shape {
        // Put together in one piece: looking the text over once costs less than another serialisation.
        OutputShape::Wrapped => Some(RawJson::parse(["{\"result\":", &text, "}"].concat())?),
        OutputShape::Text | OutputShape::Object => None,
    };
    let mut result = CallToolResult::text(text);
    result.structured_content = wrapped;
    Ok(result)
}

macro_rules! scalar {
    ($($type:ty),*) => {
        $(impl ToolOutput for $type {
            fn into_result(self, shape: OutputShape) -> Result<CallToolResult, ToolError> {
                structured(&self, shape)
            }

            fn schema() -> Option<Schema> {
                Some(schema::root_of::<$type>())
            }
        })*
    };
}

scalar!(bool, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

macro_rules! float {
    ($($type:ty),*) => {
        $(/// A number that JSON cannot say is a failure: as `null` it would break the output schema.
        impl ToolOutput for $type {
            fn into_result(self, shape: OutputShape) -> Result<CallToolResult, ToolError> {
                if !self.is_finite() {
                    return Err(ToolError::new(format!("the result is {self}, which JSON cannot say")));
                }
                structured(&self, shape)
            }

            fn schema() -> Option<Schema> {
                Some(schema::root_of::<$type>())
            }
        })*
    };
}

float!(f32, f64);

/// A tool's content, for [`ContentBlock`]s that are made elsewhere.
impl<const N: usize> ToolOutput for [ContentBlock; N] {
    fn into_result(self, _: OutputShape) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::new(self.into()))
    }
}
