//! Return types of prompts.

use ferromcp_core::model::{GetPromptResult, PromptMessage};

use crate::tool_error::ToolError;

/// A type that a prompt can return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a prompt's messages",
    note = "return text (one user message), `PromptMessage`, a `Vec` of these, `GetPromptResult`, or a `Result` of these"
)]
pub trait PromptOutput: Send + 'static {
    /// Converts the value to messages.
    ///
    /// # Errors
    /// Returns the error of the prompt.
    fn into_messages(self) -> Result<GetPromptResult, ToolError>;
}

impl PromptOutput for String {
    fn into_messages(self) -> Result<GetPromptResult, ToolError> {
        PromptMessage::user(self).into_messages()
    }
}

impl PromptOutput for &'static str {
    fn into_messages(self) -> Result<GetPromptResult, ToolError> {
        PromptMessage::user(self).into_messages()
    }
}

impl PromptOutput for PromptMessage {
    fn into_messages(self) -> Result<GetPromptResult, ToolError> {
        Ok(GetPromptResult::new(vec![self]))
    }
}

impl PromptOutput for Vec<PromptMessage> {
    fn into_messages(self) -> Result<GetPromptResult, ToolError> {
        Ok(GetPromptResult::new(self))
    }
}

impl<const N: usize> PromptOutput for [PromptMessage; N] {
    fn into_messages(self) -> Result<GetPromptResult, ToolError> {
        Ok(GetPromptResult::new(self.into()))
    }
}

impl PromptOutput for GetPromptResult {
    fn into_messages(self) -> Result<GetPromptResult, ToolError> {
        Ok(self)
    }
}

impl<T: PromptOutput, E: Into<ToolError> + Send + 'static> PromptOutput for Result<T, E> {
    fn into_messages(self) -> Result<GetPromptResult, ToolError> {
        self.map_err(Into::into)?.into_messages()
    }
}
