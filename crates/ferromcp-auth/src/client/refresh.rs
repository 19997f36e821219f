//! Obtains tokens with a refresh token.

use super::flow::{Flow, discard_registration};
use super::session::Session;
use super::token::TokenError;
use crate::error::AuthError;

impl Flow<'_> {
    /// Obtains tokens with the refresh token. Returns `false` without one, or if the server rejects it, so that the tokens
    /// are forgotten.
    ///
    /// # Errors
    /// Fails if the server cannot be reached. The tokens are kept.
    pub(crate) async fn refresh(&self, session: &mut Session) -> Result<bool, AuthError> {
        let (Some(discovered), Some(refresh)) = (session.discovered.clone(), session.refresh_token()) else {
            return Ok(false);
        };
        if !session.belongs_to(&discovered.server.issuer) {
            session.forget();
            return Ok(false);
        }
        let client = self.identity_for_tokens(session, &discovered)?;
        let endpoint = self.endpoint(&discovered, client.as_ref(), session.dpop.as_deref())?;
        let parameters =
            [("grant_type", "refresh_token"), ("refresh_token", refresh.expose()), ("resource", &discovered.resource)];
        match endpoint.request(&parameters).await {
            Ok(tokens) => {
                let scopes = session.requested.clone();
                session.set_tokens(tokens, &scopes, true);
                Ok(true)
            }
            Err(TokenError::Rejected(rejected)) => {
                tracing::info!(error = %rejected.error, "the refresh token was rejected; the client authorizes again");
                session.tokens = None;
                session.is_unsaved = true;
                if rejected.is_unknown_client() {
                    discard_registration(session);
                }
                Ok(false)
            }
            Err(TokenError::Failed(error)) => Err(error),
        }
    }
}
