//! Failures of HTTP requests, classified by possible remedy.

use std::error::Error;
use std::fmt;

use super::credentials::{Challenge, CredentialsError};
use super::limits::MAX_REDIRECTS;

/// Cause of a failure.
type Source = Box<dyn Error + Send + Sync>;

/// Reason why an HTTP request failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection could not be established. The request was not sent, so a retry is safe.
    Unreachable {
        /// The network error.
        source: Source,
    },
    /// The connection was lost before the response. The request may have been executed.
    Lost {
        /// Description of the failure.
        why: String,
        /// The network error, if there is one.
        source: Option<Source>,
    },
    /// The server responded with an error status, without a JSON-RPC message in the body.
    Status(u16),
    /// The server responded with 401 or 403, and the credentials did not retry.
    Unauthorized(Box<Challenge>),
    /// The credentials could not be obtained. The request was not sent.
    Credentials {
        /// The error of the provider.
        source: CredentialsError,
    },
    /// The session expired. The request was not executed. Start a new session without the ID.
    SessionEnded,
    /// The server redirected to another origin, or with a status that would turn a POST into a GET.
    Redirected {
        /// The target without user and query. Empty if the response has no valid `Location`.
        to: String,
    },
    /// The server redirected to the same URL, or too many times.
    RedirectLoop {
        /// The target without user and query.
        to: String,
    },
    /// The response is invalid.
    Malformed {
        /// Description of the problem.
        why: String,
    },
    /// The response exceeds a limit. A stream continues after such an event.
    TooLarge {
        /// Description of the value over the limit.
        what: &'static str,
        /// The name of the limit, a setter of [`HttpOptions`](super::HttpOptions).
        name: &'static str,
        /// The limit, in bytes.
        limit: usize,
    },
}

impl Failure {
    pub(super) fn lost(why: impl Into<String>) -> Self {
        Self::Lost { why: why.into(), source: None }
    }

    pub(super) fn malformed(why: impl Into<String>) -> Self {
        Self::Malformed { why: why.into() }
    }

    /// Converts an error of the HTTP library. Removes its URL, which may contain a secret.
    pub(super) fn of(error: reqwest::Error, why: &str) -> Self {
        let error = error.without_url();
        if error.is_connect() {
            Self::Unreachable { source: error.into() }
        } else {
            Self::Lost { why: why.into(), source: Some(error.into()) }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { .. } => {
                f.write_str("cannot reach the server; check the URL and that the server is running")
            }
            Self::Lost { why, .. } => write!(f, "{why}; the request may have been executed"),
            Self::Status(status) => {
                let reason = http::StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
                write!(f, "server returned HTTP status {status} ({})", reason.unwrap_or("unknown"))
            }
            Self::Unauthorized(challenge) if challenge.status() == 403 => {
                f.write_str("forbidden (HTTP status 403); check the permissions of the credentials")
            }
            Self::Unauthorized(challenge) => {
                write!(f, "unauthorized (HTTP status {}); set `HttpOptions::credentials`", challenge.status())
            }
            Self::Credentials { .. } => f.write_str("cannot get credentials for the server"),
            Self::SessionEnded => f.write_str("session expired (HTTP status 404)"),
            Self::Redirected { to } if to.is_empty() => {
                f.write_str("server redirected without a valid `Location` header")
            }
            Self::Redirected { to } => {
                write!(f, "server redirected to {to}, which is not followed; if you trust it, connect to that URL")
            }
            Self::RedirectLoop { to } => {
                write!(
                    f,
                    "cannot follow the redirect to {to}: it is part of a loop, or exceeds the limit of {MAX_REDIRECTS} \
                     redirects; check the redirects of the server and its proxy"
                )
            }
            Self::Malformed { why } => write!(f, "invalid response from the server: {why}"),
            Self::TooLarge { what, name, limit } => {
                write!(f, "{what} exceeds {limit} bytes; raise `HttpOptions::{name}`")
            }
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unreachable { source } | Self::Credentials { source } => Some(&**source),
            Self::Lost { source, .. } => source.as_deref().map(|source| source as _),
            _ => None,
        }
    }
}
