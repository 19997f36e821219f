//! Return types of prompts.

use ferromcp_core::model::{GetPromptResult, PromptMessage};

use crate::client_requests::RoundOutcome;
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

    /// Converts the value to messages or the next round. Overridden only by [`RoundOutcome`] and its wrappers.
    #[doc(hidden)]
    fn into_outcome(self) -> Result<RoundOutcome<GetPromptResult>, ToolError>
    where
        Self: Sized,
    {
        self.into_messages().map(RoundOutcome::Complete)
    }
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

    fn into_outcome(self) -> Result<RoundOutcome<GetPromptResult>, ToolError> {
        self.map_err(Into::into)?.into_outcome()
    }
}

/// The messages, or the next round of the call.
impl<T: PromptOutput> PromptOutput for RoundOutcome<T> {
    fn into_messages(self) -> Result<GetPromptResult, ToolError> {
        self.try_complete()?.into_messages()
    }

    fn into_outcome(self) -> Result<RoundOutcome<GetPromptResult>, ToolError> {
        match self {
            Self::Complete(output) => output.into_outcome(),
            Self::InputRequired(next) => Ok(next.into()),
        }
    }
}
