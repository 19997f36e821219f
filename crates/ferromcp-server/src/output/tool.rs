//! Return types of tools.

use ferromcp_core::RawJson;
use ferromcp_core::model::{CallToolResult, ContentBlock};
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::content::IntoContent;
use crate::client_requests::RoundOutcome;
use crate::schema;
use crate::tool_error::ToolError;

/// A type that a tool can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a tool's result",
    note = "return text, a number, `Json<T>` (where `T: Serialize + JsonSchema`), content like `Image`, a `CallToolResult`, or a `Result` of these",
    note = "wrap lists, maps and optional values as a whole: `Json<Vec<T>>`, `Json<Option<T>>`",
    note = "the error type of a `Result` must convert to `ToolError`: text, or any `std::error::Error`"
)]
pub trait ToolOutput: Send + 'static {
    /// Converts the value to a result with structured content of the given shape.
    ///
    /// # Errors
    /// Returns the error of the tool.
    fn into_result(self, shape: OutputShape) -> Result<CallToolResult, ToolError>;

    /// Converts the value to a result or the next round. Overridden only by [`RoundOutcome`] and its wrappers.
    #[doc(hidden)]
    fn into_outcome(self, shape: OutputShape) -> Result<RoundOutcome<CallToolResult>, ToolError>
    where
        Self: Sized,
    {
        self.into_result(shape).map(RoundOutcome::Complete)
    }

    /// Returns the output schema, or `None` if the output is not structured.
    fn schema() -> Option<Schema> {
        None
    }
}

/// The layout of structured content, determined once from the output schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputShape {
    /// No structured content.
    Text,
    /// The value is an object and is sent unchanged.
    Object,
    /// The value is wrapped in `{"result": …}`, because revisions before 2026-07-28 require an object.
    Wrapped,
}

impl OutputShape {
    /// Returns the shape and the output schema of `T`.
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

    fn into_outcome(self, shape: OutputShape) -> Result<RoundOutcome<CallToolResult>, ToolError> {
        self.map_err(Into::into)?.into_outcome(shape)
    }

    fn schema() -> Option<Schema> {
        T::schema()
    }
}

/// The result, or the next round of the call.
impl<T: ToolOutput> ToolOutput for RoundOutcome<T> {
    fn into_result(self, shape: OutputShape) -> Result<CallToolResult, ToolError> {
        self.try_complete()?.into_result(shape)
    }

    fn into_outcome(self, shape: OutputShape) -> Result<RoundOutcome<CallToolResult>, ToolError> {
        match self {
            Self::Complete(output) => output.into_outcome(shape),
            Self::InputRequired(next) => Ok(next.into()),
        }
    }

    fn schema() -> Option<Schema> {
        T::schema()
    }
}

/// Structured content: the value as JSON, with the same JSON as text for clients without structured content.
///
/// As the result of a resource it is text with the MIME type `application/json`.
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

/// Structured content with separate content blocks.
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
        // Validating the concatenated text once is cheaper than serializing again.
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
        $(/// NaN and infinity are errors: JSON has no such numbers, and `null` would violate the output schema.
        impl ToolOutput for $type {
            fn into_result(self, shape: OutputShape) -> Result<CallToolResult, ToolError> {
                if !self.is_finite() {
                    return Err(ToolError::new(format!("the result is {self}, which JSON cannot represent")));
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

/// Content blocks that were created elsewhere.
impl<const N: usize> ToolOutput for [ContentBlock; N] {
    fn into_result(self, _: OutputShape) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::new(self.into()))
    }
}
