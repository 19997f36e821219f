//! Failures of handlers: what the model should read, or what the protocol should say.

use std::fmt;

use ferromcp_core::Error;

/// Why a handler failed. Any error becomes one through `?`.
///
/// From a tool it reaches the *model* as a result with `isError`, so that it can mend its call.
/// A protocol [`Error`] stays a protocol error on the way.
///
/// ```
/// use ferromcp_server::ToolError;
///
/// fn parse(text: &str) -> Result<i64, ToolError> {
///     if text.is_empty() {
///         return Err(ToolError::new("say a number"));
///     }
///     Ok(text.parse()?)
/// }
/// assert_eq!(parse("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
pub struct ToolError(Repr);

enum Repr {
    Message(String),
    Protocol(Error),
    Source(Box<dyn std::error::Error + Send + Sync>),
}

impl ToolError {
    /// A failure in words for the model.
    pub fn new(message: impl Into<String>) -> Self {
        Self(Repr::Message(message.into()))
    }

    /// The protocol error it is to stay, if it is one.
    pub(crate) fn into_protocol(self) -> Result<Error, String> {
        match self.0 {
            Repr::Protocol(error) => Ok(error),
            Repr::Message(message) => Err(message),
            Repr::Source(source) => Err(with_causes(&*source)),
        }
    }

    /// As a protocol error: itself, or -32603 with its words.
    pub(crate) fn protocol(self) -> Error {
        self.into_protocol().unwrap_or_else(Error::internal)
    }
}

/// An error's words and those of its causes, unless they are already among them.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for ToolError {
    fn from(error: E) -> Self {
        match error.into().downcast::<Error>() {
            Ok(protocol) => Self(Repr::Protocol(*protocol)),
            Err(source) => Self(Repr::Source(source)),
        }
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Message(message) => f.write_str(message),
            Repr::Protocol(error) => error.fmt(f),
            Repr::Source(source) => source.fmt(f),
        }
    }
}

impl fmt::Debug for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Message(message) => write!(f, "ToolError({message:?})"),
            Repr::Protocol(error) => write!(f, "ToolError({error:?})"),
            Repr::Source(source) => write!(f, "ToolError({source:?})"),
        }
    }
}
