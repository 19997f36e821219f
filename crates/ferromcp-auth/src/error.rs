//! Errors of authorization. Their texts contain no secrets.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use ferromcp_core::text::reason;

/// Error of an authorization.
#[derive(Debug)]
pub struct AuthError {
    kind: AuthErrorKind,
    text: String,
    oauth_error: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The cause of an [`AuthError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthErrorKind {
    /// The options are invalid or insufficient for this server.
    Configuration,
    /// The metadata of the MCP server or of its authorization server is missing, invalid or untrusted.
    Discovery,
    /// The authorization server rejected the registration of the client.
    Registration,
    /// The user or the authorization server denied the authorization, or the response is invalid.
    Authorization,
    /// The authorization server rejected the token request.
    Token,
    /// A server cannot be reached, or responded with a server error. The tokens are not deleted.
    Unavailable,
    /// The user did not complete the authorization in time.
    Timeout,
    /// The credential store failed.
    Store,
}

impl AuthError {
    pub(crate) fn new(kind: AuthErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), oauth_error: None, retry_after: None, source: None }
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn with_oauth_error(mut self, code: impl Into<String>) -> Self {
        self.oauth_error = Some(code.into());
        self
    }

    /// Creates an error for a server that is overloaded or has failed, with the time after which it accepts requests.
    pub(crate) fn outage(text: impl fmt::Display, retry_after: Option<Duration>) -> Self {
        let text = match retry_after {
            Some(time) => format!("{text}; try again in {} s", time.as_secs().max(1)),
            None => format!("{text}; try again"),
        };
        Self { retry_after, ..Self::unavailable(text) }
    }

    /// Returns a copy for another request that waited for the same result. The source becomes a part of the text.
    pub(crate) fn repeat(&self) -> Self {
        let (oauth_error, retry_after) = (self.oauth_error.clone(), self.retry_after);
        Self { oauth_error, retry_after, ..Self::new(self.kind, self.to_string()) }
    }

    pub(crate) fn configuration(text: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::Configuration, text)
    }

    pub(crate) fn discovery(text: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::Discovery, text)
    }

    pub(crate) fn authorization(text: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::Authorization, text)
    }

    pub(crate) fn unavailable(text: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::Unavailable, text)
    }

    /// Creates an error of a credential store.
    pub fn store(text: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::Store, text)
    }

    /// Creates an error of an authorization prompt, for example because the user cancels it.
    pub fn prompt(text: impl Into<String>) -> Self {
        Self::authorization(text)
    }

    /// Creates an error of a function that provides an assertion, for example because the platform has no token.
    pub fn assertion(text: impl Into<String>) -> Self {
        Self::new(AuthErrorKind::Token, text)
    }

    /// Returns the error code of the authorization server, such as `access_denied` or `invalid_client`.
    pub fn oauth_error(&self) -> Option<&str> {
        self.oauth_error.as_deref()
    }

    /// Returns the time after which the server accepts requests again, if its response had the header `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the cause.
    pub fn kind(&self) -> AuthErrorKind {
        self.kind
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if let Some(source) = &self.source {
            write!(f, ": {}", reason(&source.to_string()))?;
        }
        Ok(())
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}
