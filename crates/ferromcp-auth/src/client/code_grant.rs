//! The authorization code grant: the user authorizes the client on a page of the authorization server.

use ferromcp_core::text::excerpt;
use url::Url;

use super::authorization::PendingAuthorization;
use super::consent::Consent;
use super::discovery::Discovered;
use super::flow::{Flow, discard_registration};
use super::login_step::LoginStep;
use super::registration::IdentityOrigin;
use super::session::Session;
use super::token::{TokenError, Tokens};
use super::tolerance::Tolerance;
use super::ui::AuthorizationPrompt;
use crate::error::AuthError;
use crate::fetch::is_loopback_host;
use crate::scopes::{OFFLINE_ACCESS, Scopes};

impl Flow<'_> {
    /// Obtains tokens with an authorization by the user, and asks for consent if the server requires it for refresh tokens.
    pub(super) async fn authorization_code(
        &self,
        session: &mut Session,
        discovered: &Discovered,
        prompt: &dyn AuthorizationPrompt,
        scopes: &Scopes,
    ) -> Result<Tokens, AuthError> {
        self.check_pkce(discovered)?;
        let mut parameters: Vec<(&str, &str)> =
            self.options.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let is_configured = parameters.iter().any(|(name, _)| *name == "prompt");
        let asks_consent = !is_configured && session.needs_consent(&discovered.server, scopes);
        if asks_consent {
            parameters.push(("prompt", "consent"));
            if session.consent == Consent::Unknown {
                // If this login fails, the next one is like the one that succeeded.
                session.consent = Consent::Useless;
            }
        }
        let tokens = self.log_in(session, discovered, prompt, scopes, &parameters).await?;
        if asks_consent {
            session.consent = if tokens.refresh.is_some() { Consent::Required } else { Consent::Useless };
        }
        if scopes.contains(OFFLINE_ACCESS) && tokens.refresh.is_none() {
            tracing::info!(
                "the authorization server issued no refresh token; the user logs in again when the token expires"
            );
        }
        Ok(tokens)
    }

    async fn log_in(
        &self,
        session: &mut Session,
        discovered: &Discovered,
        prompt: &dyn AuthorizationPrompt,
        scopes: &Scopes,
        parameters: &[(&str, &str)],
    ) -> Result<Tokens, AuthError> {
        let mut retries_registration = true;
        loop {
            let registered = session.identity.as_ref().and_then(|client| client.redirect_uri.clone());
            let mut listener = self.within_timeout(prompt.listen(registered.as_deref())).await??;
            let redirect_uri = listener.redirect_uri().to_owned();
            check_redirect_uri(&redirect_uri)?;
            let client = self.identity(session, discovered, &redirect_uri, scopes).await?;
            let network = self.fetcher.network();
            let pending =
                PendingAuthorization::new(discovered, network, &client.id, &redirect_uri, scopes, parameters)?;
            let request = pending.request.clone();
            tracing::info!(server = %self.server_url.origin().ascii_serialization(), "waiting for the user to log in");
            let response = match self.within_timeout(listener.authorize(&request)).await {
                Ok(response) => response?,
                Err(error) => {
                    // The page may have shown that the server does not know the client any more.
                    discard_registration(session);
                    return Err(error);
                }
            };
            drop(listener);
            self.options.report(|| LoginStep::CodeReceived);
            let verifier = pending.verifier.clone();
            let code = match pending.code(&response, &self.options.tolerances) {
                // The server limits the client to the scopes that it has registered.
                Err(error)
                    if error.oauth_error() == Some("invalid_scope")
                        && client.origin == IdentityOrigin::Registered
                        && !scopes.is_empty()
                        && std::mem::take(&mut retries_registration) =>
                {
                    discard_registration(session);
                    continue;
                }
                code => code?,
            };
            let endpoint = self.endpoint(discovered, Some(&client), session.dpop.as_deref())?;
            let parameters = [
                ("grant_type", "authorization_code"),
                ("code", code.expose()),
                ("redirect_uri", &redirect_uri),
                ("code_verifier", verifier.expose()),
                ("resource", &discovered.resource),
            ];
            match endpoint.request(&parameters).await {
                // The server has forgotten the registration.
                Err(TokenError::Rejected(rejected))
                    if rejected.is_unknown_client()
                        && client.origin == IdentityOrigin::Registered
                        && std::mem::take(&mut retries_registration) =>
                {
                    discard_registration(session);
                }
                result => return Ok(result?),
            }
        }
    }

    fn check_pkce(&self, discovered: &Discovered) -> Result<(), AuthError> {
        let server = &discovered.server;
        let is_tolerated = server.code_challenge_methods.is_none()
            && self.options.tolerances.allows(&server.issuer, Tolerance::MissingPkceMethods);
        if server.supports_pkce() || is_tolerated {
            return Ok(());
        }
        Err(AuthError::discovery(format!(
            "the metadata of authorization server {} does not list the PKCE method S256; if the server is trusted, see \
             `Tolerance::MissingPkceMethods`",
            excerpt(&server.issuer)
        )))
    }
}

/// Checks that an authorization response cannot be read on its way: `http` is for the loopback interface only.
fn check_redirect_uri(uri: &str) -> Result<(), AuthError> {
    let is_safe = |uri: Url| uri.fragment().is_none() && (uri.scheme() != "http" || is_loopback_host(&uri));
    if Url::parse(uri).is_ok_and(is_safe) {
        return Ok(());
    }
    Err(AuthError::configuration(format!(
        "invalid redirect URI `{}`; it must use https, or http with `localhost` or a loopback address, and have no fragment",
        excerpt(uri)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_use_https_or_the_loopback_interface() {
        //
        for uri in [
            "http://127.0.0.1:1/callback",
            "http://localhost/",
            "http://[::1]:5/x",
            "https://e.com/",
            "com.example.app:/x",
        ] {
            assert!(check_redirect_uri(uri).is_ok(), "{uri}");
        }
        for uri in ["http://example.com/", "http://10.0.0.1/", "http://localhost.example.com/", "https://e.com/#x", "x"]
        {
            assert!(check_redirect_uri(uri).is_err(), "{uri}");
        }
    }
}
