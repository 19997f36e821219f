//! Obtains and refreshes tokens.

use std::sync::Arc;

use ferromcp_core::text::excerpt;
use tokio::time::timeout;
use url::Url;

use super::discovery::Discovered;
use super::dpop::DpopKey;
use super::grant::{AssertionProvider, AssertionRequest, EnterpriseIdentityProvider, GrantKind};
use super::login_step::{ClientIdSource, LoginStep};
use super::options::OAuthOptions;
use super::registration::{ClientIdentity, IdentityOrigin};
use super::session::Session;
use super::token::{TokenEndpoint, Tokens};
use super::{device, identity};
use crate::Secret;
use crate::client_authentication::ClientAuthentication;
use crate::error::{AuthError, AuthErrorKind};
use crate::fetch::Fetcher;
use crate::scopes::{OFFLINE_ACCESS, Scopes};

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
    /// Fails if the grant is denied or a server cannot be reached. The tokens of the session do not change.
    pub(crate) async fn authorize(&self, session: &mut Session, challenged: &Scopes) -> Result<(), AuthError> {
        let discovered = session.discovered.clone().ok_or_else(|| AuthError::discovery("no authorization server"))?;
        session.check_overload()?;
        self.create_key(session)?;
        let mut scopes = self.scopes(session, &discovered, challenged);
        let mut tokens = self.request_tokens(session, &discovered, &scopes).await;
        let is_invalid = tokens.as_ref().is_err_and(|error| error.oauth_error() == Some("invalid_scope"));
        if is_invalid && scopes.contains(OFFLINE_ACCESS) && !self.options.scopes.contains(OFFLINE_ACCESS) {
            // The server lists the scope, but this client may not request it.
            scopes = scopes.iter().filter(|scope| *scope != OFFLINE_ACCESS).collect();
            tokens = self.request_tokens(session, &discovered, &scopes).await;
        }
        let tokens =
            tokens.and_then(|tokens| self.check_binding(tokens)).inspect_err(|error| session.record_overload(error))?;
        session.requested = scopes.clone();
        session.issuer = Some(discovered.server.issuer.clone());
        session.previous_issuer = None;
        self.options.report(|| LoginStep::TokensReceived {
            scope: tokens.scopes.as_ref().unwrap_or(&scopes).to_string(),
            expires_at: tokens.expires_at,
            has_refresh_token: tokens.refresh.is_some(),
            is_dpop_bound: tokens.is_dpop,
        });
        session.set_tokens(tokens, &scopes, false);
        Ok(())
    }

    async fn request_tokens(
        &self,
        session: &mut Session,
        discovered: &Discovered,
        scopes: &Scopes,
    ) -> Result<Tokens, AuthError> {
        match &self.options.grant.0 {
            GrantKind::AuthorizationCode(prompt) => {
                self.authorization_code(session, discovered, prompt.as_ref(), scopes).await
            }
            GrantKind::DeviceCode(show) => self.device_code(session, discovered, show.as_ref(), scopes).await,
            GrantKind::ClientCredentials => self.client_credentials(session, discovered, scopes).await,
            GrantKind::Jwt(provider) => {
                self.check_known_issuer(session, discovered)?;
                let assertion = self.assertion(provider, discovered).await?;
                self.redeem(session, discovered, None, &assertion, scopes).await
            }
            GrantKind::EnterpriseManaged(idp, provider) => {
                let id_token = self.assertion(provider, discovered).await?;
                self.enterprise_managed(session, discovered, idp, &id_token, scopes).await
            }
        }
    }

    /// Checks that the authorization server is the one of the previous tokens, unless it is configured: the token of a
    /// platform is sent to it, and could be used elsewhere.
    fn check_known_issuer(&self, session: &Session, discovered: &Discovered) -> Result<(), AuthError> {
        let found = &discovered.server.issuer;
        let known = session.issuer.as_ref().or(session.previous_issuer.as_ref());
        match known.filter(|known| *known != found && self.options.issuer.is_none()) {
            None => Ok(()),
            Some(known) => Err(AuthError::configuration(format!(
                "the MCP server named authorization server {} before, and now names {}; if it has moved, set \
                 `OAuthOptions::authorization_server`",
                excerpt(known),
                excerpt(found)
            ))),
        }
    }

    /// Creates a DPoP key if the options require one.
    pub(super) fn create_key(&self, session: &mut Session) -> Result<(), AuthError> {
        if self.options.dpop && session.dpop.is_none() {
            session.dpop = Some(Arc::new(DpopKey::generate()?));
        }
        Ok(())
    }

    /// Checks that tokens are bound to the DPoP key if the options require it.
    pub(super) fn check_binding(&self, tokens: Tokens) -> Result<Tokens, AuthError> {
        if self.options.dpop && !tokens.is_dpop {
            return Err(AuthError::new(
                AuthErrorKind::Token,
                "cannot use the token: the authorization server has not bound it to the DPoP key; if it does not support DPoP, \
                 remove `OAuthOptions::dpop`",
            ));
        }
        Ok(tokens)
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
        if is_interactive && discovered.server.scopes_supported.iter().any(|scope| scope == OFFLINE_ACCESS) {
            scopes.add(OFFLINE_ACCESS);
        }
        scopes
    }

    pub(super) fn endpoint<'b>(
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
        self.within_timeout(wait).await?
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
    pub(super) async fn identity(
        &self,
        session: &mut Session,
        discovered: &Discovered,
        redirect_uri: &str,
        scopes: &Scopes,
    ) -> Result<ClientIdentity, AuthError> {
        let client = self.find_identity(session, discovered, redirect_uri, scopes).await?;
        self.options.report(|| LoginStep::Identified {
            client_id: client.id.clone(),
            source: match client.origin {
                IdentityOrigin::Configured => ClientIdSource::Configured,
                IdentityOrigin::MetadataDocument => ClientIdSource::MetadataDocument,
                IdentityOrigin::Registered => ClientIdSource::Registered,
            },
        });
        Ok(client)
    }

    async fn find_identity(
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

    /// Waits for the user.
    pub(super) async fn within_timeout<T>(&self, future: impl Future<Output = T>) -> Result<T, AuthError> {
        timeout(self.options.login_timeout, future).await.map_err(|_| {
            let seconds = self.options.login_timeout.as_secs();
            AuthError::new(
                AuthErrorKind::Timeout,
                format!("the user did not log in within {seconds} s; try again, or set `OAuthOptions::login_timeout`"),
            )
        })
    }

    /// Returns the assertion of the application.
    async fn assertion(&self, provider: &AssertionProvider, discovered: &Discovered) -> Result<Secret, AuthError> {
        let future = provider(assertion_request(discovered)?);
        timeout(self.options.login_timeout, future).await.unwrap_or_else(|_| {
            let seconds = self.options.login_timeout.as_secs();
            Err(AuthError::new(
                AuthErrorKind::Timeout,
                format!(
                    "the function that provides the token of the grant did not return within {seconds} s; see \
                     `OAuthOptions::login_timeout`"
                ),
            ))
        })
    }
}

/// Discards a dynamic registration that is unknown to the server.
pub(super) fn discard_registration(session: &mut Session) {
    if session.identity.as_ref().is_some_and(|client| client.origin == IdentityOrigin::Registered) {
        session.identity = None;
    }
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
