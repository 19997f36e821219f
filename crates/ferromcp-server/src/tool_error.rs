//! Failures of handlers: what the model should read, or what the protocol should say.

use std::fmt;

use ferromcp_core::Error;
use ferromcp_core::model::InputRequired;

use crate::client_requests::QuestionError;
use crate::call::Reply;

/// What a call that asks looks like where it is taken for a failure.
const INPUT_REQUIRED: &str = "the client is to be asked first";

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
    /// No failure: the call asks its client, and comes again.
    InputRequired,
}

/// Who is told of a failure, and what.
pub(crate) enum Told {
    /// The peer.
    Protocol(Error),
    /// The model.
    Words(String),
    /// Nobody yet: the client is asked.
    InputRequired,
}

impl ToolError {
    /// A failure in words for the model.
    pub fn new(message: impl Into<String>) -> Self {
        Self(Repr::Message(message.into()))
    }

    /// The call asks its client by hand; what, is with its context.
    pub(crate) fn input_required() -> Self {
        Self(Repr::InputRequired)
    }

    /// As the reply to a call of which no model reads: its protocol error, or -32603 with its words.
    pub(crate) fn into_reply(self) -> Reply {
        match self.told() {
            Told::Protocol(error) => Reply::Failed(error),
            Told::Words(words) => Reply::Failed(Error::internal(words)),
            Told::InputRequired => Reply::NeedsInput(InputRequired::default()),
        }
    }

    /// Who is told, and what.
    pub(crate) fn told(self) -> Told {
        match self.0 {
            Repr::Protocol(error) => Told::Protocol(error),
            Repr::Message(message) => Told::Words(message),
            Repr::Source(source) => Told::Words(with_causes(&*source)),
            Repr::InputRequired => Told::InputRequired,
        }
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
        let source = match error.into().downcast::<Error>() {
            Ok(protocol) => return Self(Repr::Protocol(*protocol)),
            Err(source) => source,
        };
        // That the client cannot be asked is for the client, not for its model.
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
            Repr::Source(source) => source.fmt(f),
            Repr::InputRequired => f.write_str(INPUT_REQUIRED),
        }
    }
}

impl fmt::Debug for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Message(message) => write!(f, "ToolError({message:?})"),
            Repr::Protocol(error) => write!(f, "ToolError({error:?})"),
            Repr::Source(source) => write!(f, "ToolError({source:?})"),
            Repr::InputRequired => write!(f, "ToolError({INPUT_REQUIRED})"),
        }
    }
}
