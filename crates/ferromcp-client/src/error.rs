//! Why something did not work, and what to do about it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use ferromcp_core::model::{ElicitParams, UrlParams};
use ferromcp_core::{Error, ErrorCode};

use crate::channel::Failure;
use crate::validate::OutputError;

/// Why a connection or a call failed.
///
/// Ask [`kind`](Self::kind) or one of the `is_…` questions; the text is for people and says what to do.
pub struct ClientError(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    rpc: Option<Error>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of failure, by who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server cannot be reached or started.
    Connect,
    /// Client and server share no revision, or the server broke the handshake.
    Negotiation,
    /// Credentials are missing or not enough.
    Unauthorized,
    /// The server is there but does not serve now (HTTP 5xx and the like).
    Outage,
    /// No answer in time; the server was told that it is not wanted any more.
    Timeout,
    /// The connection ended after the request had left: it may have run.
    Lost,
    /// The connection is over.
    Closed,
    /// The server answered with a JSON-RPC error.
    Server,
    /// The tool ran and failed.
    Tool,
    /// The tool ran, and its result is not what its output schema promises; see [`ClientError::output`].
    Output,
    /// The answer does not keep to the protocol, or not to the type asked for.
    Malformed,
    /// The server has not got what was asked for, as its capabilities or revision say.
    Unsupported,
    /// The server asked something that nobody here can answer.
    Unanswerable,
    /// A limit of the client was reached.
    Limit,
    /// What the caller gave cannot be sent.
    Invalid,
}

impl ClientError {
    /// An error of `kind`.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), rpc: None, source: None }))
    }

    /// With what it came from.
    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The server's own words.
    pub(crate) fn rpc_error(error: Error) -> Self {
        let message = format!("the server answered with an error: {error}");
        Self(Box::new(Inner { kind: ErrorKind::Server, message, rpc: Some(error), source: None }))
    }

    /// The server's own words, as the reason of an error of `kind`.
    pub(crate) fn with_rpc(mut self, error: Error) -> Self {
        self.0.rpc = Some(error);
        self
    }

    /// No answer to `method` within `time`.
    pub(crate) fn timeout(method: &str, time: Duration) -> Self {
        let message = format!(
            "no answer to `{method}` within {time:?}; it was cancelled. Give it more time with `.timeout(..)` or \
             `ClientLimits::request_timeout`"
        );
        Self::new(ErrorKind::Timeout, message)
    }

    /// `what` came, and is not what the protocol says.
    pub(crate) fn malformed(what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Malformed, format!("the server's answer cannot be used: {what}"))
    }

    /// The connection is over.
    pub(crate) fn closed(why: &str) -> Self {
        let message = format!("the connection is over: {why}. Connect anew");
        Self::new(ErrorKind::Closed, message)
    }

    /// Why `method` has no result.
    pub(crate) fn of(method: &str, failure: Failure) -> Self {
        match failure {
            Failure::Rpc { error, .. } => Self::rpc_error(error),
            Failure::Status { status, body } => {
                let kind = if status >= 500 || status == 429 { ErrorKind::Outage } else { ErrorKind::Malformed };
                let body = if body.is_empty() { String::new() } else { format!(": {body}") };
                Self::new(kind, format!("`{method}` was answered with HTTP status {status}{body}"))
            }
            Failure::Unauthorized { status, challenge } => {
                let wanted = challenge.map_or(String::new(), |challenge| format!("; the server wants {challenge}"));
                let message =
                    format!("the server refused `{method}` with HTTP status {status}{wanted}. Give credentials");
                Self::new(ErrorKind::Unauthorized, message)
            }
            Failure::Credentials(error) => {
                let message = format!("`{method}` was not sent, as the credentials for it cannot be had: {error}");
                Self::new(ErrorKind::Unauthorized, message).because(error)
            }
            Failure::SessionGone { under_way: false } => Self::closed("the server ended the session"),
            Failure::SessionGone { under_way: true } => {
                let message = format!(
                    "the server ended the session while `{method}` was under way. It may have run; look before \
                     repeating it"
                );
                Self::new(ErrorKind::Lost, message)
            }
            Failure::Unfit(why) => Self::new(ErrorKind::Invalid, format!("`{method}` cannot be sent: {why}")),
            Failure::Unsent(error) => {
                let message = format!("`{method}` could not be sent: {error}. It did not run and can be repeated");
                Self::new(ErrorKind::Connect, message).because(error)
            }
            Failure::Lost(error) => {
                let message = format!(
                    "the connection was lost while `{method}` was under way: {error}. It may have run; look before \
                     repeating it"
                );
                Self::new(ErrorKind::Lost, message).because(error)
            }
            Failure::Malformed(what) => Self::malformed(what),
            Failure::TooLarge(limit) => Self::new(
                ErrorKind::Limit,
                format!("the answer to `{method}` is longer than {limit} bytes; raise the transport's limit"),
            ),
        }
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The server's own error, where it answered with one.
    pub fn rpc(&self) -> Option<&Error> {
        self.0.rpc.as_ref()
    }

    /// Whether the request had left when the connection was lost, so that it may have run.
    pub fn is_lost(&self) -> bool {
        self.0.kind == ErrorKind::Lost
    }

    /// Whether no answer came in time.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// Whether credentials are missing or not enough.
    pub fn is_unauthorized(&self) -> bool {
        self.0.kind == ErrorKind::Unauthorized
    }

    /// Whether the tool ran and failed; a model should read the text.
    pub fn is_tool(&self) -> bool {
        self.0.kind == ErrorKind::Tool
    }

    /// The URLs the user has to visit before the call can be made again, where that is the failure (-32042 of
    /// 2025-11-25). Each must be shown whole before it is opened, and never be fetched before.
    pub fn urls(&self) -> Vec<UrlParams> {
        #[derive(serde::Deserialize)]
        struct Data {
            elicitations: Vec<ElicitParams>,
        }
        let error = self.rpc().filter(|error| error.code == ErrorCode::URL_ELICITATION_REQUIRED);
        let data = error.and_then(|error| error.data.as_ref()?.decode::<Data>().ok());
        let url = |params| match params {
            ElicitParams::Url(url) => Some(url),
            _ => None,
        };
        data.into_iter().flat_map(|data| data.elicitations).filter_map(url).collect()
    }

    /// Why a tool's result is not what its output schema promises, where that is the failure.
    pub fn output(&self) -> Option<&OutputError> {
        self.0.source.as_ref()?.downcast_ref()
    }

    /// Whether the connection is over and will not come back by itself.
    pub fn is_closed(&self) -> bool {
        self.0.kind == ErrorKind::Closed
    }

    /// Whether the server says there is no such resource: -32002, or on 2026-07-28 -32602 naming the URI.
    pub fn is_resource_not_found(&self) -> bool {
        self.rpc().is_some_and(|error| match error.code {
            ErrorCode::RESOURCE_NOT_FOUND => true,
            ErrorCode::INVALID_PARAMS => error.data.as_ref().is_some_and(names_uri),
            _ => false,
        })
    }

    /// Whether the server is not there, or does not answer now.
    pub fn is_outage(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Connect | ErrorKind::Outage | ErrorKind::Timeout | ErrorKind::Lost | ErrorKind::Closed
        )
    }

    /// Whether it certainly did not run, so that repeating it is safe whatever it does.
    pub fn is_unsent(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Connect | ErrorKind::Closed | ErrorKind::Invalid | ErrorKind::Unsupported)
    }
}

/// Whether an error's data is of the form `{"uri": …}`.
fn names_uri(data: &ferromcp_core::RawJson) -> bool {
    #[derive(serde::Deserialize)]
    struct Uri {
        #[serde(rename = "uri")]
        _uri: String,
    }
    data.decode::<Uri>().is_ok()
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// The sentence too, since that is what a `main` that returns it prints.
impl fmt::Debug for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.0.message, self.0.kind)
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
