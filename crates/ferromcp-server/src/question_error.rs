//! Errors of questions to the client.

use std::fmt;
use std::time::Duration;

use ferromcp_core::Error;
use ferromcp_core::model::ClientCapabilities;

/// The error of a question to the client: unsupported, declined, cancelled, invalid, timed out or disconnected.
///
/// If a tool returns it with `?`, the *model* receives the message as a tool error. A missing client capability is a
/// protocol error instead (-32021), which names the capability.
///
/// ```
/// use ferromcp_server::{Ctx, ToolError};
///
/// async fn delete(path: String, ctx: Ctx) -> Result<String, ToolError> {
///     match ctx.elicit::<bool>(format!("Delete {path}?")).await {
///         Ok(true) => Ok(format!("{path} is gone")),
///         Ok(false) => Ok("nothing was deleted".into()),
///         Err(error) if error.is_declined() || error.is_cancelled() => Ok("nothing was deleted".into()),
///         Err(error) => Err(error.into()),
///     }
/// }
/// ```
pub struct QuestionError(Box<Kind>);

#[derive(Debug)]
pub(crate) enum Kind {
    /// The client did not declare the required capability.
    Unsupported(Box<ClientCapabilities>),
    /// The user declined this question.
    Declined(String),
    /// The user dismissed this question.
    Cancelled(String),
    /// The answer to this question is invalid, for these reasons.
    Invalid(String, Vec<String>),
    /// This question timed out.
    TimedOut(String, Duration),
    /// The client disconnected, or the call has ended.
    Disconnected,
    /// The client returned an error response.
    ErrorResponse(Error),
    /// This code cannot send requests to the client.
    NotAllowedHere(&'static str),
    /// The text of the question changes on each run of the handler.
    Changed { before: String, now: String },
    /// Incorrect use of the API, such as an invalid question.
    Usage(String),
}

impl From<Kind> for QuestionError {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl QuestionError {
    /// Creates the error for incorrect use of the API.
    pub(crate) fn usage(why: impl Into<String>) -> Self {
        Kind::Usage(why.into()).into()
    }

    /// Returns whether the client did not declare the required capability.
    pub fn is_unsupported(&self) -> bool {
        matches!(*self.0, Kind::Unsupported(_))
    }

    /// Returns the required client capabilities, if [`is_unsupported`](Self::is_unsupported).
    pub fn required(&self) -> Option<&ClientCapabilities> {
        match &*self.0 {
            Kind::Unsupported(required) => Some(required),
            _ => None,
        }
    }

    /// Returns whether the user declined.
    pub fn is_declined(&self) -> bool {
        matches!(*self.0, Kind::Declined(_))
    }

    /// Returns whether the user dismissed the question without a choice.
    pub fn is_cancelled(&self) -> bool {
        matches!(*self.0, Kind::Cancelled(_))
    }

    /// Returns whether the client's answer failed validation.
    pub fn is_invalid(&self) -> bool {
        matches!(*self.0, Kind::Invalid(..))
    }

    /// Returns whether the question timed out.
    pub fn is_timeout(&self) -> bool {
        matches!(*self.0, Kind::TimedOut(..))
    }

    /// Returns whether the client disconnected, or the call has ended.
    pub fn is_disconnected(&self) -> bool {
        matches!(*self.0, Kind::Disconnected)
    }

    /// Returns the error response of the client, if any.
    pub fn error_response(&self) -> Option<&Error> {
        match &*self.0 {
            Kind::ErrorResponse(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the JSON-RPC error, if the specification defines one for this case.
    pub(crate) fn protocol(&self) -> Option<Error> {
        self.required().map(Error::missing_client_capability)
    }
}

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Unsupported(required) => {
                let names = required.names().join("` and `");
                write!(f, "cannot send the request: the client did not declare the capability `{names}`")
            }
            Kind::Declined(question) => write!(f, "the user declined to answer: {question}"),
            Kind::Cancelled(question) => write!(f, "the user cancelled the request: {question}"),
            Kind::Invalid(question, problems) => {
                write!(f, "invalid answer to \"{question}\": {}", problems.join("; "))
            }
            Kind::TimedOut(question, after) => write!(f, "timed out after {after:?} waiting for an answer: {question}"),
            Kind::Disconnected => f.write_str("cannot reach the client: it disconnected, or the call has ended"),
            Kind::ErrorResponse(error) => write!(f, "the client returned an error: {error}"),
            Kind::NotAllowedHere(why) => write!(f, "cannot send a request to the client here: {why}"),
            Kind::Changed { before, now } => write!(
                f,
                "cannot match a question to its answer: its text changes on each run, from \"{before}\" to \"{now}\"; take times \
                 and ids from `ctx.now()` and `ctx.new_id()`, other changing values from `ctx.once`, or set a `.key(..)`"
            ),
            Kind::Usage(why) => f.write_str(why),
        }
    }
}

impl fmt::Debug for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QuestionError({self})")
    }
}

impl std::error::Error for QuestionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::ErrorResponse(error) => Some(error),
            _ => None,
        }
    }
}

impl From<QuestionError> for Error {
    fn from(error: QuestionError) -> Self {
        error.protocol().unwrap_or_else(|| Self::internal(error.to_string()))
    }
}
