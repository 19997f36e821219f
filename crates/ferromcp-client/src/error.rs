//! The error type of the client.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::model::{ElicitParams, UrlParams};
use ferromcp_core::text::{escape, message, report};
use ferromcp_core::{Error, ErrorCode, RawJson};

use crate::channel::{ChannelError, is_permanent};
use crate::decode::decode_result;
use crate::output::OutputError;

/// An error of a connection or a call.
///
/// Match on [`kind`](Self::kind), or use one of the `is_…` predicates. The text names the cause and the remedy.
pub struct ClientError(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    rpc: Option<Error>,
    http_status: Option<u16>,
    challenge: Option<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Categories of [`ClientError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server could not be started or reached, or it disconnected before the connection was established. The request
    /// was not sent.
    Connect,
    /// Client and server have no revision in common, or the handshake failed.
    Negotiation,
    /// The server rejected the credentials, or none were set (HTTP 401 and 403).
    Unauthorized,
    /// The server is temporarily unavailable (HTTP 5xx and 429).
    Unavailable,
    /// The request timed out and was cancelled.
    Timeout,
    /// The connection was lost after the request was sent; the request may have run.
    ConnectionLost,
    /// The connection is closed.
    Closed,
    /// The server returned a JSON-RPC error.
    Server,
    /// The tool ran and returned an error result.
    Tool,
    /// The tool ran, and its result failed validation against its output schema; see [`ClientError::output`].
    Output,
    /// The response violates the protocol, or does not deserialize into the requested type.
    InvalidResponse,
    /// The server lacks the required capability, or its revision lacks the method.
    Unsupported,
    /// The server requested input that no handler could provide, or that the user declined.
    Unanswerable,
    /// A limit of the client was exceeded.
    Limit,
    /// The request is invalid and was not sent.
    InvalidRequest,
}

impl ClientError {
    /// Creates an error of `kind`.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Inner { kind, message, rpc: None, http_status: None, challenge: None, source: None }))
    }

    /// Returns a copy without the source, which cannot be cloned. The message contains its text.
    pub(crate) fn copy(&self) -> Self {
        let Inner { kind, message, rpc, http_status, challenge, .. } = &*self.0;
        Self(Box::new(Inner {
            kind: *kind,
            message: message.clone(),
            rpc: rpc.clone(),
            http_status: *http_status,
            challenge: challenge.clone(),
            source: None,
        }))
    }

    /// Sets the source.
    pub(crate) fn because(self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.because_shared(source.into().into())
    }

    /// Sets the source, which [`source`](StdError::source) returns without a wrapper, so that it can be downcast.
    pub(crate) fn because_shared(mut self, source: Arc<dyn StdError + Send + Sync>) -> Self {
        self.0.source = Some(source);
        self
    }

    /// Creates an error from a JSON-RPC error.
    pub(crate) fn rpc_error(error: Error) -> Self {
        let message = format!("server returned an error: {error}");
        Self::new(ErrorKind::Server, message).with_rpc(error)
    }

    /// Attaches a JSON-RPC error.
    pub(crate) fn with_rpc(mut self, error: Error) -> Self {
        self.0.rpc = Some(error);
        self
    }

    /// Attaches the HTTP status of the response.
    fn with_status(mut self, status: impl Into<Option<u16>>) -> Self {
        self.0.http_status = status.into();
        self
    }

    /// Creates a timeout error.
    pub(crate) fn timeout(method: &str, time: Duration) -> Self {
        let message = format!(
            "`{method}` timed out after {time:?} and was cancelled; raise `.timeout(..)` or \
             `ClientLimits::request_timeout`"
        );
        Self::new(ErrorKind::Timeout, message)
    }

    /// Creates an error for a request that exceeded its maximum duration.
    pub(crate) fn time_limit(method: &str, time: Duration) -> Self {
        let message = format!(
            "`{method}` exceeded its time limit of {time:?} and was cancelled; raise `.time_limit(..)` or \
             `ClientLimits::request_time_limit`"
        );
        Self::new(ErrorKind::Timeout, message)
    }

    /// Creates an error for a list whose pages exceeded its maximum duration.
    pub(crate) fn list_time_limit(method: &str, time: Duration) -> Self {
        let message = format!(
            "`{method}` exceeded its time limit of {time:?} for all pages and was cancelled; raise \
             `ListCall::time_limit` or `ClientLimits::list_time_limit`"
        );
        Self::new(ErrorKind::Timeout, message)
    }

    /// Creates an error for a response that violates the protocol.
    pub(crate) fn malformed(problem: impl fmt::Display) -> Self {
        let problem = problem.to_string();
        Self::new(ErrorKind::InvalidResponse, format!("invalid response from the server: {}", message(&problem)))
    }

    /// Creates an error for a closed connection.
    pub(crate) fn closed(why: &str) -> Self {
        let message = format!("connection closed: {why}; reconnect");
        Self::new(ErrorKind::Closed, message)
    }

    /// Creates the error of a request for `method` that the server answers with status 404 in every session.
    pub(crate) fn rejected_sessions(method: &str) -> Self {
        let message = format!(
            "`{method}` failed with HTTP status 404 in its session and again in a new one; check the path of the URL, and \
             that each request reaches the server process that has the session"
        );
        Self::new(ErrorKind::InvalidResponse, message).with_status(404_u16)
    }

    /// Converts the failure of a request for `method` that is part of connecting. Such a request has no effects, so the
    /// text does not warn of repeating it.
    pub(crate) fn connecting(method: &str, failure: ChannelError) -> Self {
        match failure {
            ChannelError::Unsent(error) => {
                let text = error.to_string();
                let text = if text.starts_with("cannot ") { text } else { format!("cannot connect: {text}") };
                Self::new(ErrorKind::Connect, text).because(error)
            }
            ChannelError::Lost(error) if error.kind() == io::ErrorKind::TimedOut => {
                Self::new(ErrorKind::Timeout, format!("`{method}` failed: {error}")).because(error)
            }
            ChannelError::Lost(error) => {
                let message = format!("connection lost while waiting for the response to `{method}`: {error}");
                Self::new(ErrorKind::Connect, message).because(Disconnected(error))
            }
            failure => Self::of(method, failure),
        }
    }

    /// Returns whether the server disconnected while the client was connecting.
    pub(crate) fn is_disconnected(&self) -> bool {
        self.0.source.as_ref().is_some_and(|source| source.is::<Disconnected>())
    }

    /// Appends another cause or a remedy to the text.
    pub(crate) fn and(mut self, text: &str) -> Self {
        self.0.message = format!("{}; {text}", self.0.message);
        self
    }

    /// Prepends the object that the error is about to the text.
    pub(crate) fn about(mut self, subject: &str) -> Self {
        self.0.message = format!("{subject}: {}", self.0.message);
        self
    }

    /// Converts the failure of a request for `method`.
    pub(crate) fn of(method: &str, failure: ChannelError) -> Self {
        match failure {
            ChannelError::Rpc { error, status } => Self::rpc_error(error).with_status(status),
            ChannelError::SessionRejected { error, status } => Self::rpc_error(error).with_status(status),
            ChannelError::Status { status, body } => {
                let kind =
                    if status >= 500 || status == 429 { ErrorKind::Unavailable } else { ErrorKind::InvalidResponse };
                let body = if body.is_empty() { String::new() } else { format!(": {}", message(&body)) };
                Self::new(kind, format!("`{method}` failed with HTTP status {status}{body}")).with_status(status)
            }
            ChannelError::Unauthorized { status, challenge } => {
                let shown = challenge.as_ref().map_or(String::new(), |challenge| format!(" ({challenge})"));
                let message = format!(
                    "unauthorized: `{method}` failed with HTTP status {status}{shown}; set \
                     `ClientBuilder::credentials`"
                );
                let mut error = Self::new(ErrorKind::Unauthorized, message).with_status(status);
                error.0.challenge = challenge;
                error
            }
            ChannelError::Credentials(error) => {
                let message = format!("cannot get credentials for `{method}`: {error}");
                Self::new(ErrorKind::Unauthorized, message).because_shared(error)
            }
            ChannelError::SessionGone { in_flight: false } => Self::closed("the server ended the session"),
            ChannelError::SessionGone { in_flight: true } => {
                let message = format!(
                    "the server ended the session while `{method}` was in flight; it may have run, check before \
                     retrying"
                );
                Self::new(ErrorKind::ConnectionLost, message)
            }
            ChannelError::Unsendable(why) => {
                Self::new(ErrorKind::InvalidRequest, format!("cannot send `{method}`: {why}"))
            }
            ChannelError::Unsent(error) => {
                let text = error.to_string();
                let message = match text.starts_with("cannot ") {
                    _ if is_permanent(&error) => format!("cannot send `{method}`: {text}"),
                    true => format!("{text}; `{method}` did not run and can be retried"),
                    false => format!("cannot send `{method}`: {text}; it did not run and can be retried"),
                };
                Self::new(ErrorKind::Connect, message).because(error)
            }
            ChannelError::Lost(error) => {
                let message = format!(
                    "connection lost while `{method}` was in flight: {error}; it may have run, check before retrying"
                );
                Self::new(ErrorKind::ConnectionLost, message).because(error)
            }
            ChannelError::Malformed(what) => {
                Self::new(ErrorKind::InvalidResponse, format!("invalid response to `{method}`: {}", message(&what)))
            }
            ChannelError::TooLarge(limit) => Self::new(
                ErrorKind::Limit,
                format!("response to `{method}` exceeds {limit} bytes; raise the limit of the transport"),
            ),
        }
    }

    /// Returns the category of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the JSON-RPC error, if the server returned one.
    pub fn rpc(&self) -> Option<&Error> {
        self.0.rpc.as_ref()
    }

    /// Returns the HTTP status of the response, if the server responded with an error status or a JSON-RPC error over
    /// HTTP.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// Returns the `WWW-Authenticate` header of a 401 or 403 response. Several headers are joined by commas, and a long
    /// text is truncated.
    pub fn challenge(&self) -> Option<&str> {
        self.0.challenge.as_deref()
    }

    /// Returns whether the connection was lost after the request was sent, so that it may have run.
    pub fn is_connection_lost(&self) -> bool {
        self.0.kind == ErrorKind::ConnectionLost
    }

    /// Returns whether the request timed out.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Returns whether the server rejected the credentials, or none were set.
    pub fn is_unauthorized(&self) -> bool {
        self.0.kind == ErrorKind::Unauthorized
    }

    /// Returns whether the tool ran and returned an error result. The text is meant for the model.
    pub fn is_tool(&self) -> bool {
        self.0.kind == ErrorKind::Tool
    }

    /// Returns the URLs that the user must visit before the call can be retried (-32042, 2025-11-25). Empty for other
    /// errors.
    ///
    /// Show each URL in full before opening it, and do not fetch it beforehand.
    pub fn urls(&self) -> Vec<UrlParams> {
        #[derive(serde::Deserialize)]
        struct Data {
            elicitations: Vec<RawJson>,
        }
        let error = self.rpc().filter(|error| error.code == ErrorCode::URL_ELICITATION_REQUIRED);
        let data = error.and_then(|error| error.data.as_ref()?.decode::<Data>().ok());
        let url = |params| match params {
            ElicitParams::Url(url) => Some(url),
            _ => None,
        };
        let elicitations = data.into_iter().flat_map(|data| data.elicitations);
        elicitations.filter_map(|params| decode_result("elicitations", &params).ok()).filter_map(url).collect()
    }

    /// Returns the details of a failed output validation.
    pub fn output(&self) -> Option<&OutputError> {
        self.0.source.as_ref()?.downcast_ref()
    }

    /// Returns whether the connection is closed. It is not reopened automatically.
    pub fn is_closed(&self) -> bool {
        self.0.kind == ErrorKind::Closed
    }

    /// Returns whether the resource does not exist: code -32002, or -32602 with the URI in its data (2026-07-28).
    pub fn is_resource_not_found(&self) -> bool {
        self.rpc().is_some_and(|error| match error.code {
            ErrorCode::RESOURCE_NOT_FOUND => true,
            ErrorCode::INVALID_PARAMS => error.data.as_ref().is_some_and(names_uri),
            _ => false,
        })
    }

    /// Returns whether the server is unreachable or does not respond.
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Connect
                | ErrorKind::Unavailable
                | ErrorKind::Timeout
                | ErrorKind::ConnectionLost
                | ErrorKind::Closed
        )
    }

    /// Returns whether the request certainly did not run, so that a retry is safe even if it is not idempotent: it was not
    /// sent, or the server rejected its credentials (HTTP 401 and 403) or its session. A server checks those before it
    /// executes a request, so a request that was rejected can be retried with other credentials.
    pub fn is_unsent(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Connect
                | ErrorKind::Unauthorized
                | ErrorKind::Closed
                | ErrorKind::InvalidRequest
                | ErrorKind::Unsupported
        )
    }
}

/// The server disconnected before it responded to a request that is part of connecting.
#[derive(Debug)]
struct Disconnected(Arc<io::Error>);

impl fmt::Display for Disconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Disconnected {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// Returns whether the data of an error has the form `{"uri": …}`.
fn names_uri(data: &RawJson) -> bool {
    #[derive(serde::Deserialize)]
    struct Uri {
        #[serde(rename = "uri")]
        _uri: String,
    }
    data.decode::<Uri>().is_ok()
}

/// Escapes control characters other than line feeds and tabs, because the text may contain text of the server. Truncates a
/// long text, except that of a tool, which is its result.
impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind {
            ErrorKind::Tool => f.write_str(&escape(&self.0.message)),
            _ => report(&self.0.message).fmt(f),
        }
    }
}

/// Includes the message, because a `main` that returns the error prints its `Debug` form.
impl fmt::Debug for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:?})", self.0.kind)
    }
}

impl StdError for ClientError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match (&self.0.source, &self.0.rpc) {
            (Some(source), _) => Some(&**source),
            (None, Some(rpc)) => Some(rpc),
            (None, None) => None,
        }
    }
}
