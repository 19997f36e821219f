//! [`CallError`]: the error of a call that a handler makes to its own server.

use std::fmt;
use std::ops::Deref;

use ferromcp_core::{Error, ErrorCode};

/// The error of a call that a handler makes to its own server, such as
/// [`Ctx::read_resource`](crate::Ctx::read_resource) or [`Ctx::call_tool`](crate::Ctx::call_tool).
///
/// If a tool returns it with `?`, the *model* receives the message as a tool error. From a resource, prompt or
/// completion, the client receives the protocol error unchanged. A missing client capability and a required URL
/// elicitation are always protocol errors, because only the client can resolve them.
///
/// It dereferences to the protocol [`Error`]. To send that to the client from a tool, convert it: `Error::from(error)`.
///
/// ```
/// use ferromcp_server::{Ctx, ToolError};
///
/// async fn theme(ctx: Ctx) -> Result<String, ToolError> {
///     match ctx.read_resource("config://theme").await {
///         Ok(read) => Ok(read.contents[0].as_text().unwrap_or("dark").to_owned()),
///         Err(error) if error.is_not_found() => Ok("dark".into()),
///         Err(error) => Err(error.into()),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CallError {
    /// What failed, such as "cannot read resource `x`".
    failure: String,
    error: Error,
}

impl CallError {
    pub(crate) fn new(failure: String, error: Error) -> Self {
        Self { failure, error }
    }

    /// Returns the protocol error that a client would receive.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Returns whether the server has no such resource.
    pub fn is_not_found(&self) -> bool {
        self.error.code == ErrorCode::RESOURCE_NOT_FOUND
    }

    /// Returns whether only the client can resolve the error.
    pub(crate) fn is_for_client(&self) -> bool {
        [ErrorCode::MISSING_CLIENT_CAPABILITY, ErrorCode::URL_ELICITATION_REQUIRED].contains(&self.error.code)
    }

    /// Returns the protocol error.
    pub(crate) fn into_error(self) -> Error {
        self.error
    }
}

impl Deref for CallError {
    type Target = Error;
    fn deref(&self) -> &Error {
        &self.error
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        error.error
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.failure, self.error.message)
    }
}

impl std::error::Error for CallError {}
