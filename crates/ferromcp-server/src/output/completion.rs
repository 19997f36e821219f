//! Return types of completions.

use ferromcp_core::model::{CompleteResult, CompletionValues};

use crate::tool_error::ToolError;

/// A type that a completion can return: values, with the best match first.
///
/// At most 100 values are sent. If there are more, the result sets `hasMore` and `total`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a completion's values",
    note = "return `Vec<String>`, `Vec<&'static str>`, a `CompletionValues`, or a `Result` of these"
)]
pub trait CompletionOutput: Send + 'static {
    /// Converts the value to a completion result.
    ///
    /// # Errors
    /// Returns the error of the completion.
    fn into_values(self) -> Result<CompleteResult, ToolError>;
}

impl CompletionOutput for Vec<String> {
    fn into_values(self) -> Result<CompleteResult, ToolError> {
        Ok(CompleteResult::new(CompletionValues::new(self)))
    }
}

impl CompletionOutput for Vec<&'static str> {
    fn into_values(self) -> Result<CompleteResult, ToolError> {
        Ok(CompleteResult::new(CompletionValues::new(self)))
    }
}

impl CompletionOutput for CompletionValues {
    fn into_values(mut self) -> Result<CompleteResult, ToolError> {
        if self.values.len() > Self::MAX_VALUES {
            self.total.get_or_insert(self.values.len() as u64);
            self.has_more = Some(true);
            self.values.truncate(Self::MAX_VALUES);
        }
        Ok(CompleteResult::new(self))
    }
}

impl<T: CompletionOutput, E: Into<ToolError> + Send + 'static> CompletionOutput for Result<T, E> {
    fn into_values(self) -> Result<CompleteResult, ToolError> {
        self.map_err(Into::into)?.into_values()
    }
}
