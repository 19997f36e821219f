//! Obtains tokens with a refresh token.

use super::flow::{Flow, discard_registration};
use super::session::Session;
use super::token::{TokenEndpoint, TokenError, Tokens};
use crate::Secret;
use crate::error::AuthError;
use crate::scopes::{OPENID_SCOPES, Scopes};

impl Flow<'_> {
    /// Obtains tokens with the refresh token. Returns `false` without one, or if the server rejects it, so that the tokens
    /// are forgotten.
    ///
    /// # Errors
    /// Fails if the server cannot be reached, or rejects the configured credentials of the client. The tokens are not deleted.
    pub(crate) async fn refresh(&self, session: &mut Session) -> Result<bool, AuthError> {
        let (Some(discovered), Some(refresh)) = (session.discovered.clone(), session.refresh_token()) else {
            return Ok(false);
        };
        if !session.belongs_to(&discovered.server.issuer) {
            session.forget();
            return Ok(false);
        }
        session.check_overload()?;
        self.create_key(session)?;
        let client = self.identity_for_tokens(session, &discovered)?;
        let endpoint = self.endpoint(&discovered, client.as_ref(), session.dpop.as_deref())?;
        let granted = session.tokens.as_ref().and_then(|tokens| tokens.scopes.as_ref());
        let scopes = refresh_scopes(&session.requested, granted);
        match request(&endpoint, &refresh, &discovered.resource, &scopes).await {
            Ok(tokens) => {
                let (tokens, scopes) = (self.check_binding(tokens)?, session.requested.clone());
                session.set_tokens(tokens, &scopes, true);
                Ok(true)
            }
            // The refresh token may be valid. A login would fail too, after the user has authorized the client.
            Err(TokenError::Rejected(rejected))
                if self.options.registration.is_some() && rejected.code == "invalid_client" =>
            {
                Err(rejected.error)
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
            Err(TokenError::Failed(error)) => {
                session.record_overload(&error);
                Err(error)
            }
        }
    }
}

async fn request(
    endpoint: &TokenEndpoint<'_>,
    refresh: &Secret,
    resource: &str,
    scopes: &Scopes,
) -> Result<Tokens, TokenError> {
    let request = async |scope: &str| {
        let parameters = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose()),
            ("resource", resource),
            ("scope", scope),
        ];
        endpoint.request(&parameters).await
    };
    match request(&scopes.to_string()).await {
        // The server has granted other scopes than its response has named.
        Err(TokenError::Rejected(rejected)) if rejected.code == "invalid_scope" && !scopes.is_empty() => {
            request("").await
        }
        result => result,
    }
}

/// Returns the scopes of a refresh request. None if the server has granted only a part of the requested ones: a refresh must
/// not request more (RFC 6749, section 6).
///
/// The parameter is optional, but some servers issue a token without the scopes of the grant if it is missing (Microsoft
/// Entra). The scopes are the requested ones, because servers may grant others that cannot be requested together.
fn refresh_scopes(requested: &Scopes, granted: Option<&Scopes>) -> Scopes {
    let Some(granted) = granted else { return requested.clone() };
    let (scopes, missing): (Vec<&str>, Vec<&str>) = requested.iter().partition(|scope| granted.contains(scope));
    // Servers omit these scopes from the granted ones.
    let is_complete = missing.iter().all(|scope| OPENID_SCOPES.contains(scope));
    if is_complete { scopes.into_iter().collect() } else { Scopes::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_requests_the_scopes_of_the_grant() {
        for (requested, granted, expected) in [
            ("a b", Some("a b"), "a b"),
            ("a b", None, "a b"),
            ("", Some("a"), ""),
            // Microsoft Entra names a scope that cannot be combined with others, and omits `offline_access`.
            ("api/a offline_access", Some("api/a api/.default"), "api/a"),
            ("openid a", Some("a"), "a"),
            ("a offline_access", Some("a offline_access"), "a offline_access"),
            // The user has granted less, or the server has renamed scopes.
            ("a b", Some("a"), ""),
            ("a email", Some("https://example.com/a"), ""),
        ] {
            let granted = granted.map(Scopes::parse);
            let scopes = refresh_scopes(&Scopes::parse(requested), granted.as_ref());
            assert_eq!(scopes.to_string(), expected, "{requested} {granted:?}");
        }
    }
}
