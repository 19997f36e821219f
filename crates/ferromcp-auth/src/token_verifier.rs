//! [`TokenVerifier`]: verifies access tokens.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::AuthError;
use crate::verified_token::VerifiedToken;

/// The future of [`TokenVerifier::verify`].
pub type VerifyFuture<'a> = Pin<Box<dyn Future<Output = Result<VerifiedToken, VerifyError>> + Send + 'a>>;

/// Verifies access tokens: their signature or their entry in a database, their issuer, and that they have not expired.
///
/// The [`ResourceServer`](crate::resource_server::ResourceServer) that uses the verifier then checks the expiry, the
/// audience, the scopes and the proof of possession.
pub trait TokenVerifier: Send + Sync + 'static {
    /// Verifies an access token. Called for each request; a verifier that caches results returns clones of one
    /// [`VerifiedToken`]. The future is dropped if the client disconnects.
    ///
    /// # Errors
    /// [`VerifyError::Invalid`] if the token is not valid, so that the client must obtain another;
    /// [`VerifyError::Unavailable`] if the token cannot be verified now.
    fn verify<'a>(&'a self, token: &'a str) -> VerifyFuture<'a>;

    /// Returns the issuer of all tokens, if there is only one. It is the default authorization server of the
    /// [`ResourceServer`](crate::resource_server::ResourceServer). Default: `None`.
    fn issuer(&self) -> Option<&str> {
        None
    }

    /// Checks the options of the verifier, when a resource server is built with it. Default: no error.
    ///
    /// # Errors
    /// If an option is invalid.
    fn check(&self) -> Result<(), AuthError> {
        Ok(())
    }
}

impl<V: TokenVerifier + ?Sized> TokenVerifier for Arc<V> {
    fn verify<'a>(&'a self, token: &'a str) -> VerifyFuture<'a> {
        (**self).verify(token)
    }

    fn issuer(&self) -> Option<&str> {
        (**self).issuer()
    }

    fn check(&self) -> Result<(), AuthError> {
        (**self).check()
    }
}

/// Why an access token is rejected. The texts are sent to the client; they must not contain the token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The token is unknown, malformed, expired or revoked, or of another issuer. The client obtains another token.
    Invalid(String),
    /// The token cannot be verified now, for example because the keys of the issuer cannot be fetched. The client
    /// retries.
    Unavailable(String),
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(text) | Self::Unavailable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for VerifyError {}
