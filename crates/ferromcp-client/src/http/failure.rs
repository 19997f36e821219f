//! Why a request came to nothing, sorted by what its sender can do about it.

use std::error::Error;
use std::fmt;

use bytes::Bytes;

use super::credentials::{Challenge, CredentialsError};

/// What stands behind a failure.
type Source = Box<dyn Error + Send + Sync>;

/// Why a request came to nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// No connection came about, so nothing was sent: trying again repeats nothing.
    #[non_exhaustive]
    Unreachable {
        /// What the network said.
        source: Source,
    },
    /// The request may have arrived, and its answer will not: the server may have done what it asked.
    #[non_exhaustive]
    Lost {
        /// What was lost, and how.
        why: String,
        /// What the network said, if it was that.
        source: Option<Source>,
    },
    /// The server refused by a status, with no JSON-RPC message in the body.
    Status(StatusError),
    /// The server refused for want of credentials, and those that are there had nothing better.
    Unauthorized(Box<Challenge>),
    /// The credentials could not be had; nothing was sent.
    #[non_exhaustive]
    Credentials {
        /// What they said.
        source: CredentialsError,
    },
    /// The session is no more: begin a new one, without its id.
    #[non_exhaustive]
    SessionEnded {
        /// Whether the request had been sent before that, and is lost with the session.
        in_flight: bool,
    },
    /// The server sent the request elsewhere: to another origin, or in a way that would turn a POST into a GET.
    #[non_exhaustive]
    Redirected {
        /// Where to, without user and query; empty if it did not say.
        to: String,
    },
    /// What came back is none of what may come.
    #[non_exhaustive]
    Malformed {
        /// What is wrong with it.
        why: String,
    },
    /// What came back is too long. A stream goes on after such an event.
    #[non_exhaustive]
    TooLarge {
        /// What is too long.
        what: &'static str,
        /// The name of the limit, a field of [`HttpLimits`](super::HttpLimits).
        name: &'static str,
        /// The limit, in bytes.
        limit: usize,
    },
}

impl Failure {
    /// Whether it is certain that the request reached no handler, so that sending it again repeats nothing.
    pub fn is_unexecuted(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Unauthorized(_) | Self::Credentials { .. } | Self::Redirected { .. } => {
                true
            }
            Self::SessionEnded { in_flight } => !in_flight,
            _ => false,
        }
    }

    pub(super) fn lost(why: impl Into<String>) -> Self {
        Self::Lost { why: why.into(), source: None }
    }

    pub(super) fn malformed(why: impl Into<String>) -> Self {
        Self::Malformed { why: why.into() }
    }

    /// Sorts an error of the HTTP library. Its URL is taken out, since that may hold a secret.
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
            Self::Unreachable { .. } => f.write_str("the server cannot be reached; check its URL and that it runs"),
            Self::Lost { why, .. } => write!(f, "{why}; the server may have done what was asked"),
            Self::Status(refusal) => refusal.fmt(f),
            Self::Unauthorized(challenge) if challenge.status() == 403 => {
                f.write_str("the server forbids this request (status 403); check the credentials and what they allow")
            }
            Self::Unauthorized(challenge) => {
                write!(
                    f,
                    "the server wants credentials (status {}); see `HttpOptions::credentials`",
                    challenge.status()
                )
            }
            Self::Credentials { .. } => f.write_str("the credentials for the server cannot be had"),
            Self::SessionEnded { .. } => f.write_str("the server has ended the session; connect again"),
            Self::Redirected { to } if to.is_empty() => f.write_str("the server redirects, but does not say where to"),
            Self::Redirected { to } => {
                write!(f, "the server redirects to {to}, which is not followed; if you trust it, connect to that URL")
            }
            Self::Malformed { why } => write!(f, "the server's answer is not understood: {why}"),
            Self::TooLarge { what, name, limit } => {
                write!(f, "{what} is longer than {limit} bytes; raise `HttpLimits::{name}` if that is right")
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

/// A refusal by a status.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusError {
    status: u16,
    body: Bytes,
}

impl StatusError {
    pub(super) fn new(status: u16, body: Bytes) -> Self {
        Self { status, body }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body, which is no JSON-RPC message. Empty if it was a stream, or longer than a body may be.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Display for StatusError {
    /// Without the body, since some servers repeat in it what they were sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = http::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        write!(f, "the server refuses with status {} ({})", self.status, reason.unwrap_or("unknown"))
    }
}

impl fmt::Debug for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusError")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
