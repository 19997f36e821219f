//! What a prompt may return.

use ferromcp_core::model::{GetPromptResult, PromptMessage};

use crate::tool_error::ToolError;

/// What a prompt may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a prompt's messages",
    note = "return text (one message of the user), `PromptMessage`, a `Vec` of them, `GetPromptResult`, or a `Result` of these"
)]
pub trait PromptOutput: Send + 'static {
    /// The messages.
    ///
    /// # Errors
    /// What the prompt itself failed with.
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
