//! Why a question has no answer that a handler could use.

use std::fmt;
use std::time::Duration;

use ferromcp_core::Error;
use ferromcp_core::model::ClientCapabilities;

/// Why a question has no answer that a handler could use.
///
/// By `?` a tool tells the *model* of it, so that it can go another way; that the client cannot be asked at all stays a
/// protocol error that names the missing capability (-32021).
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
pub struct AskError(Box<Kind>);

#[derive(Debug)]
pub(crate) enum Kind {
    /// The client did not declare what the question needs.
    Unsupported(Box<ClientCapabilities>),
    /// The user said no to this question.
    Declined(String),
    /// The user went away from this question.
    Cancelled(String),
    /// The answer to this question does not fit it, in these ways.
    Invalid(String, Vec<String>),
    /// No answer to this question came in time.
    TimedOut(String, Duration),
    /// The client is gone, or the call is over.
    Gone,
    /// The client answered with an error.
    Refused(Error),
    /// Nothing can be asked here.
    Misplaced(&'static str),
    /// The question changes each time the handler runs.
    Changed { before: String, now: String },
    /// The question itself is wrong.
    Mistake(String),
}

impl From<Kind> for AskError {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl AskError {
    /// The question itself is wrong.
    pub(crate) fn mistake(why: impl Into<String>) -> Self {
        Kind::Mistake(why.into()).into()
    }

    /// The client did not declare a capability that the question needs.
    pub fn is_unsupported(&self) -> bool {
        matches!(*self.0, Kind::Unsupported(_))
    }

    /// What the client would have had to declare, if [`is_unsupported`](Self::is_unsupported).
    pub fn required(&self) -> Option<&ClientCapabilities> {
        match &*self.0 {
            Kind::Unsupported(required) => Some(required),
            _ => None,
        }
    }

    /// The user said no.
    pub fn is_declined(&self) -> bool {
        matches!(*self.0, Kind::Declined(_))
    }

    /// The user closed the question without a choice.
    pub fn is_cancelled(&self) -> bool {
        matches!(*self.0, Kind::Cancelled(_))
    }

    /// The answer does not fit the question.
    pub fn is_invalid(&self) -> bool {
        matches!(*self.0, Kind::Invalid(..))
    }

    /// No answer came in time.
    pub fn is_timeout(&self) -> bool {
        matches!(*self.0, Kind::TimedOut(..))
    }

    /// The error that the client answered with.
    pub fn refusal(&self) -> Option<&Error> {
        match &*self.0 {
            Kind::Refused(error) => Some(error),
            _ => None,
        }
    }

    /// The protocol's word for it, where it has one of its own.
    pub(crate) fn protocol(&self) -> Option<Error> {
        self.required().map(Error::missing_client_capability)
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Unsupported(required) => {
                let names = serde_json::to_string(required).unwrap_or_default();
                write!(f, "the client cannot be asked: it did not declare {names}")
            }
            Kind::Declined(question) => write!(f, "the user declined to answer: {question}"),
            Kind::Cancelled(question) => write!(f, "the user closed the question without an answer: {question}"),
            Kind::Invalid(question, mistakes) => {
                write!(f, "the answer to \"{question}\" does not fit: {}", mistakes.join("; "))
            }
            Kind::TimedOut(question, after) => write!(f, "no answer came within {after:?}: {question}"),
            Kind::Gone => f.write_str("the client is gone, so it cannot be asked"),
            Kind::Refused(error) => write!(f, "the client refused the question: {error}"),
            Kind::Misplaced(why) => write!(f, "nothing can be asked here: {why}"),
            Kind::Changed { before, now } => write!(
                f,
                "a question changes each time the handler runs, so its answer is never found: it was \"{before}\" and is \
                 now \"{now}\"; take times and ids from `ctx.now()` and `ctx.new_id()`, other findings from `ctx.once`, \
                 or give the question a `.key(..)`"
            ),
            Kind::Mistake(why) => f.write_str(why),
        }
    }
}

impl fmt::Debug for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AskError({self})")
    }
}

impl std::error::Error for AskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Refused(error) => Some(error),
            _ => None,
        }
    }
}

impl From<AskError> for Error {
    fn from(error: AskError) -> Self {
        error.protocol().unwrap_or_else(|| Self::internal(error.to_string()))
    }
}
