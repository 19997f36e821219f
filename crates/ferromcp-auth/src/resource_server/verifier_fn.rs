//! [`verifier_fn`]: a function as a verifier.

use std::fmt;
use std::future::Future;

use crate::access_token::AccessToken;
use crate::token_verifier::{TokenVerifier, VerifyError, VerifyFuture};
use crate::verified_token::VerifiedToken;

/// Creates a verifier from an asynchronous function of the token, for example a lookup in a database. The function is
/// called for each request.
///
/// ```
/// use ferromcp_auth::resource_server::{AccessToken, VerifyError, verifier_fn};
///
/// let verifier = verifier_fn(|token: String| async move {
///     let mut found = AccessToken::new(); // look the digest of the token up
///     found.subject = Some("ada".to_owned());
///     found.audiences = vec!["https://mcp.example.com/mcp".to_owned()];
///     if token.is_empty() { Err(VerifyError::Invalid("the token is unknown".to_owned())) } else { Ok(found) }
/// });
/// # drop(verifier);
/// ```
pub fn verifier_fn<F, Fut>(function: F) -> FnVerifier<F>
where
    F: Fn(String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<AccessToken, VerifyError>> + Send + 'static,
{
    FnVerifier(function)
}

/// A verifier that calls a function, created by [`verifier_fn`].
#[derive(Clone)]
#[must_use = "it does nothing until it is passed to a resource server"]
pub struct FnVerifier<F>(F);

impl<F, Fut> TokenVerifier for FnVerifier<F>
where
    F: Fn(String) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<AccessToken, VerifyError>> + Send + 'static,
{
    fn verify<'a>(&'a self, token: &'a str) -> VerifyFuture<'a> {
        let verified = (self.0)(token.to_owned());
        Box::pin(async { verified.await.map(VerifiedToken::from) })
    }
}

impl<F> fmt::Debug for FnVerifier<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnVerifier").finish_non_exhaustive()
    }
}
