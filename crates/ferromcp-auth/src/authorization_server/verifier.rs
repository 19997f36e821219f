//! [`ProviderVerifier`]: verifies the access tokens that a provider issued.

use std::fmt;
use std::sync::Arc;

use super::provider::AuthorizationProvider;
use crate::clock::now;
use crate::token_verifier::{TokenVerifier, VerifyError, VerifyFuture};

/// Verifies access tokens by [`AuthorizationProvider::load_access_token`].
#[derive(Clone)]
pub struct ProviderVerifier {
    provider: Arc<dyn AuthorizationProvider>,
    issuer: String,
}

impl ProviderVerifier {
    /// Creates a verifier for the tokens of an issuer.
    pub fn new(issuer: impl Into<String>, provider: Arc<dyn AuthorizationProvider>) -> Self {
        Self { provider, issuer: issuer.into() }
    }
}

impl TokenVerifier for ProviderVerifier {
    fn verify<'a>(&'a self, token: &'a str) -> VerifyFuture<'a> {
        Box::pin(async move {
            let loaded = self.provider.load_access_token(token).await.map_err(|error| {
                tracing::error!(%error, "cannot load an access token");
                VerifyError::Unavailable("the access token cannot be verified now".to_owned())
            })?;
            let Some(mut token) = loaded else {
                return Err(VerifyError::Invalid("the access token is unknown or revoked".to_owned()));
            };
            if token.expires_at.is_some_and(|expires_at| expires_at <= now()) {
                return Err(VerifyError::Invalid("the access token has expired".to_owned()));
            }
            token.issuer.get_or_insert_with(|| self.issuer.clone());
            Ok(token.into())
        })
    }

    fn issuer(&self) -> Option<&str> {
        Some(&self.issuer)
    }
}

impl fmt::Debug for ProviderVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderVerifier").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
