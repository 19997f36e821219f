//! [`ToolError`]: the error type of handlers, reported to the model or as a protocol error.

use std::fmt;

use ferromcp_core::Error;

use crate::call::Reply;
use crate::call_error::CallError;
use crate::question_error::QuestionError;

/// The error of a handler. The `?` operator converts any error into it.
///
/// - **From a tool**, the message and its causes are sent to the model as a result with `isError: true`, so that the model
///   can correct its call.
/// - **From a resource, prompt or completion**, the message becomes a JSON-RPC error with code -32603.
/// - **A [`CallError`]**, the error of [`Ctx::call_tool`](crate::Ctx::call_tool) and
///   [`Ctx::read_resource`](crate::Ctx::read_resource), is reported to the model by a tool. Other handlers return its protocol
///   error to the client.
/// - **A protocol [`Error`]** is returned to the client unchanged, with its own code. Return one to reject a call without
///   showing the reason to the model.
///
/// Do not put secrets into the message: the model and the client read it.
///
/// ```
/// use ferromcp_server::ToolError;
///
/// fn parse(text: &str) -> Result<i64, ToolError> {
///     if text.is_empty() {
///         return Err(ToolError::new("the number is missing"));
///     }
///     Ok(text.parse()?)
/// }
/// assert_eq!(parse("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
pub struct ToolError(Repr);

enum Repr {
    Message(String),
    Protocol(Error),
    /// The error of a call to the own server.
    Call(CallError),
    Source(Box<dyn std::error::Error + Send + Sync>),
}

/// The recipient of an error, with its content.
pub(crate) enum ErrorAudience {
    /// The client, as a JSON-RPC error.
    Protocol(Error),
    /// The model, as text.
    Model(String),
}

impl ToolError {
    /// Creates an error with a message for the model.
    pub fn new(message: impl Into<String>) -> Self {
        Self(Repr::Message(message.into()))
    }

    /// Converts the error into the reply to a call other than a tool call: its protocol error, or -32603 with its
    /// message.
    pub(crate) fn into_reply(self) -> Reply {
        if let Repr::Call(error) = self.0 {
            return Reply::Failed(error.into_error());
        }
        match self.into_audience() {
            ErrorAudience::Protocol(error) => Reply::Failed(error),
            ErrorAudience::Model(message) => Reply::Failed(Error::internal(message)),
        }
    }

    /// Determines the recipient of the error of a tool.
    pub(crate) fn into_audience(self) -> ErrorAudience {
        match self.0 {
            Repr::Protocol(error) => ErrorAudience::Protocol(error),
            Repr::Call(error) if error.is_for_client() => ErrorAudience::Protocol(error.into_error()),
            Repr::Call(error) => ErrorAudience::Model(error.to_string()),
            Repr::Message(message) => ErrorAudience::Model(message),
            Repr::Source(source) => ErrorAudience::Model(with_causes(&*source)),
        }
    }
}

/// Returns an error's message followed by those of its causes, skipping causes that the text already contains.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for ToolError {
    fn from(error: E) -> Self {
        let source = match error.into().downcast::<Error>() {
            Ok(protocol) => return Self(Repr::Protocol(*protocol)),
            Err(source) => source,
        };
        let source = match source.downcast::<CallError>() {
            Ok(error) => return Self(Repr::Call(*error)),
            Err(source) => source,
        };
        // A missing client capability is reported to the client, not to its model.
        match source.downcast_ref::<QuestionError>().and_then(QuestionError::protocol) {
            Some(protocol) => Self(Repr::Protocol(protocol)),
            None => Self(Repr::Source(source)),
        }
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Message(message) => f.write_str(message),
            Repr::Protocol(error) => error.fmt(f),
            Repr::Call(error) => error.fmt(f),
            Repr::Source(source) => source.fmt(f),
        }
    }
}

impl fmt::Debug for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Message(message) => write!(f, "ToolError({message:?})"),
            Repr::Protocol(error) => write!(f, "ToolError({error:?})"),
            Repr::Call(error) => write!(f, "ToolError({error:?})"),
            Repr::Source(source) => write!(f, "ToolError({source:?})"),
        }
    }
}
