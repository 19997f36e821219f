//! Obtains and refreshes tokens.

use std::sync::Arc;

use ferromcp_core::text::excerpt;
use tokio::time::timeout;
use url::Url;

use super::authorization::PendingAuthorization;
use super::discovery::Discovered;
use super::dpop::DpopKey;
use super::grant::{AssertionRequest, EnterpriseIdentityProvider, GrantKind};
use super::options::OAuthOptions;
use super::registration::{ClientIdentity, IdentityOrigin};
use super::session::Session;
use super::token::{TokenEndpoint, TokenError, Tokens};
use super::tolerance::Tolerance;
use super::ui::AuthorizationPrompt;
use super::{device, identity};
use crate::Secret;
use crate::client_authentication::ClientAuthentication;
use crate::error::{AuthError, AuthErrorKind};
use crate::fetch::{Fetcher, is_loopback_host};
use crate::scopes::Scopes;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// The settings of a flow, and the authorization server.
pub(crate) struct Flow<'a> {
    pub(crate) options: &'a OAuthOptions,
    pub(crate) fetcher: &'a Fetcher,
    pub(crate) server_url: &'a Url,
}

impl Flow<'_> {
    /// Obtains the first tokens, or tokens with other scopes.
    ///
    /// # Errors
    /// Fails if the grant is denied or a server cannot be reached. The session keeps its tokens.
    pub(crate) async fn authorize(&self, session: &mut Session, challenged: &Scopes) -> Result<(), AuthError> {
        let discovered = session.discovered.clone().ok_or_else(|| AuthError::discovery("no authorization server"))?;
        let scopes = self.scopes(session, &discovered, challenged);
        if self.options.dpop && session.dpop.is_none() {
            session.dpop = Some(Arc::new(DpopKey::generate()?));
        }
        let tokens = match &self.options.grant.0 {
            GrantKind::AuthorizationCode(prompt) => {
                self.authorization_code(session, &discovered, prompt.as_ref(), &scopes).await
            }
            GrantKind::DeviceCode(show) => self.device_code(session, &discovered, show.as_ref(), &scopes).await,
            GrantKind::ClientCredentials => self.client_credentials(session, &discovered, &scopes).await,
            GrantKind::Jwt(provider) => {
                let assertion = provider(assertion_request(&discovered)?).await?;
                self.redeem(session, &discovered, None, &assertion, &scopes).await
            }
            GrantKind::EnterpriseManaged(idp, provider) => {
                let id_token = provider(assertion_request(&discovered)?).await?;
                self.enterprise_managed(session, &discovered, idp, &id_token, &scopes).await
            }
        }?;
        session.requested = scopes.clone();
        session.issuer = Some(discovered.server.issuer.clone());
        session.set_tokens(tokens, &scopes, false);
        Ok(())
    }

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

    /// Returns the scopes to request: those of the challenge, or those of the resource; and those requested before.
    fn scopes(&self, session: &Session, discovered: &Discovered, challenged: &Scopes) -> Scopes {
        let needed = if challenged.is_empty() && session.requested.is_empty() {
            discovered.scopes_supported.iter().collect()
        } else {
            session.requested.clone().union(challenged)
        };
        let mut scopes = needed.union(&self.options.scopes);
        let is_interactive = matches!(self.options.grant.0, GrantKind::AuthorizationCode(_) | GrantKind::DeviceCode(_));
        if is_interactive && discovered.server.scopes_supported.iter().any(|scope| scope == "offline_access") {
            scopes.add("offline_access");
        }
        scopes
    }

    fn endpoint<'b>(
        &'b self,
        discovered: &'b Discovered,
        client: Option<&'b ClientIdentity>,
        dpop: Option<&'b DpopKey>,
    ) -> Result<TokenEndpoint<'b>, AuthError> {
        Ok(TokenEndpoint {
            fetcher: self.fetcher,
            url: token_endpoint(discovered)?,
            issuer: &discovered.server.issuer,
            client,
            key: self.options.key.as_ref(),
            dpop,
        })
    }

    async fn authorization_code(
        &self,
        session: &mut Session,
        discovered: &Discovered,
        prompt: &dyn AuthorizationPrompt,
        scopes: &Scopes,
    ) -> Result<Tokens, AuthError> {
        self.check_pkce(discovered)?;
        let mut retries_registration = true;
        loop {
            let registered = session.identity.as_ref().and_then(|client| client.redirect_uri.clone());
            let mut listener = prompt.listen(registered.as_deref()).await?;
            let redirect_uri = listener.redirect_uri().to_owned();
            check_redirect_uri(&redirect_uri)?;
            let client = self.identity(session, discovered, &redirect_uri, scopes).await?;
            let network = self.fetcher.network();
            let pending = PendingAuthorization::new(discovered, network, &client.id, &redirect_uri, scopes)?;
            let request = pending.request.clone();
            tracing::info!(server = %self.server_url.origin().ascii_serialization(), "waiting for the user to log in");
            let response = timeout(self.options.login_timeout, listener.authorize(&request)).await;
            let Ok(response) = response else {
                // The page may have shown that the server does not know the client any more.
                discard_registration(session);
                return Err(self.login_timed_out());
            };
            let response = response?;
            drop(listener);
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

    async fn device_code(
        &self,
        session: &mut Session,
        discovered: &Discovered,
        show: &(dyn Fn(&super::DeviceCode) + Send + Sync),
        scopes: &Scopes,
    ) -> Result<Tokens, AuthError> {
        // No redirect URI is used; registration requires one.
        let client = self.identity(session, discovered, "http://127.0.0.1/callback", scopes).await?;
        let endpoint = self.endpoint(discovered, Some(&client), session.dpop.as_deref())?;
        let wait = device::authorize(&endpoint, discovered, scopes, show);
        timeout(self.options.login_timeout, wait).await.map_err(|_| self.login_timed_out())?
    }

    async fn client_credentials(
        &self,
        session: &mut Session,
        discovered: &Discovered,
        scopes: &Scopes,
    ) -> Result<Tokens, AuthError> {
        let client = self.configured(session, discovered)?;
        let endpoint = self.endpoint(discovered, Some(&client), session.dpop.as_deref())?;
        let scope = scopes.to_string();
        let parameters =
            [("grant_type", "client_credentials"), ("resource", &*discovered.resource), ("scope", &*scope)];
        Ok(endpoint.request(&parameters).await?)
    }

    /// Exchanges the ID token for an identity assertion grant (ID-JAG), and redeems it at the authorization server.
    async fn enterprise_managed(
        &self,
        session: &mut Session,
        discovered: &Discovered,
        idp: &EnterpriseIdentityProvider,
        id_token: &Secret,
        scopes: &Scopes,
    ) -> Result<Tokens, AuthError> {
        let authentication = match idp.client_secret {
            Some(_) => ClientAuthentication::ClientSecretPost,
            None => ClientAuthentication::None,
        };
        let client = ClientIdentity::new(
            idp.client_id.clone(),
            idp.client_secret.clone(),
            authentication,
            IdentityOrigin::Configured,
        );
        let endpoint = TokenEndpoint {
            fetcher: self.fetcher,
            url: &idp.token_endpoint,
            issuer: &idp.token_endpoint,
            client: Some(&client),
            key: None,
            dpop: None,
        };
        let scope = scopes.to_string();
        let parameters = [
            ("grant_type", TOKEN_EXCHANGE),
            ("requested_token_type", ID_JAG),
            ("audience", discovered.server.issuer.as_str()),
            ("resource", discovered.resource.as_str()),
            ("subject_token", id_token.expose()),
            ("subject_token_type", ID_TOKEN),
            ("scope", &scope),
        ];
        let response = endpoint.exchange(&parameters).await?;
        let is_grant = response.text("issued_token_type").as_deref() == Some(ID_JAG);
        let assertion = response.non_empty("access_token").filter(|_| is_grant).ok_or_else(|| {
            AuthError::new(
                AuthErrorKind::Token,
                format!("{} did not issue an identity assertion grant (ID-JAG)", excerpt(&idp.token_endpoint)),
            )
        })?;
        let client = self.configured(session, discovered)?;
        self.redeem(session, discovered, Some(&client), &Secret::new(assertion), scopes).await
    }

    /// Redeems an assertion at the authorization server.
    async fn redeem(
        &self,
        session: &Session,
        discovered: &Discovered,
        client: Option<&ClientIdentity>,
        assertion: &Secret,
        scopes: &Scopes,
    ) -> Result<Tokens, AuthError> {
        let endpoint = self.endpoint(discovered, client, session.dpop.as_deref())?;
        let scope = scopes.to_string();
        let parameters = [
            ("grant_type", JWT_BEARER),
            ("assertion", assertion.expose()),
            ("resource", &discovered.resource),
            ("scope", &scope),
        ];
        Ok(endpoint.request(&parameters).await?)
    }

    /// Returns the identity for a login, and stores it in the session.
    async fn identity(
        &self,
        session: &mut Session,
        discovered: &Discovered,
        redirect_uri: &str,
        scopes: &Scopes,
    ) -> Result<ClientIdentity, AuthError> {
        if self.options.registration.is_some() {
            return self.configured(session, discovered);
        }
        let known = session.identity.as_ref().filter(|_| session.belongs_to(&discovered.server.issuer));
        if let Some(client) = known.filter(|client| identity::is_usable(client, redirect_uri)) {
            return Ok(client.clone());
        }
        let client = identity::obtain(self.options, self.fetcher, discovered, redirect_uri, scopes).await?;
        session.issuer = Some(discovered.server.issuer.clone());
        session.identity = Some(client.clone());
        Ok(client)
    }

    /// Returns the identity to which the tokens were issued; `None` if the grant has none.
    pub(crate) fn identity_for_tokens(
        &self,
        session: &mut Session,
        discovered: &Discovered,
    ) -> Result<Option<ClientIdentity>, AuthError> {
        // The configured credentials may be newer than those in the store.
        match self.options.registration {
            Some(_) => self.configured(session, discovered).map(Some),
            None => Ok(session.identity.clone()),
        }
    }

    fn configured(&self, session: &mut Session, discovered: &Discovered) -> Result<ClientIdentity, AuthError> {
        let client = identity::configured(self.options, discovered, session.bound_issuer.as_deref())?;
        let client = client.ok_or_else(|| {
            AuthError::configuration("this grant requires client credentials; set `OAuthOptions::registration`")
        })?;
        session.bound_issuer = Some(discovered.server.issuer.clone());
        session.identity = Some(client.clone());
        Ok(client)
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

    fn login_timed_out(&self) -> AuthError {
        let seconds = self.options.login_timeout.as_secs();
        AuthError::new(
            AuthErrorKind::Timeout,
            format!("the user did not log in within {seconds} s; try again, or set `OAuthOptions::login_timeout`"),
        )
    }
}

/// Forgets a dynamic registration that the server does not know any more.
fn discard_registration(session: &mut Session) {
    if session.identity.as_ref().is_some_and(|client| client.origin == IdentityOrigin::Registered) {
        session.identity = None;
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

fn token_endpoint(discovered: &Discovered) -> Result<&str, AuthError> {
    discovered.server.token_endpoint.as_deref().ok_or_else(|| {
        AuthError::discovery(format!(
            "authorization server {} has no token endpoint",
            excerpt(&discovered.server.issuer)
        ))
    })
}

fn assertion_request(discovered: &Discovered) -> Result<AssertionRequest, AuthError> {
    Ok(AssertionRequest {
        issuer: discovered.server.issuer.clone(),
        token_endpoint: token_endpoint(discovered)?.to_owned(),
        resource: discovered.resource.clone(),
    })
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
