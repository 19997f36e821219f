//! [`AuthorizationProvider`]: the storage and the login of an authorization server.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};

use super::client::RegisteredClient;
use super::error::OAuthError;
use crate::Secret;
use crate::access_token::AccessToken;
use crate::error::AuthError;

/// The future of a method of [`AuthorizationProvider`].
pub type ProviderFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, OAuthError>> + Send + 'a>>;

/// The future of [`AuthorizationProvider::respond`].
pub type PageFuture<'a> = Pin<Box<dyn Future<Output = Response<Bytes>> + Send + 'a>>;

/// Clients, codes and tokens of an authorization server, and the way to the login page.
///
/// The endpoints validate requests before they call the provider: the client and its authentication, redirect URIs, PKCE,
/// scopes and resources. A provider stores, issues and revokes. An error that is not about the request
/// ([`OAuthError::server_error`]) becomes status 500, and is logged.
pub trait AuthorizationProvider: Send + Sync + 'static {
    /// Returns a client, or `None` if the ID is unknown. Clients with metadata documents are handled before this.
    fn get_client<'a>(&'a self, client_id: &'a str) -> ProviderFuture<'a, Option<RegisteredClient>>;

    /// Stores a client that registers dynamically. Its ID and secret are generated already.
    fn register_client(&self, client: RegisteredClient) -> ProviderFuture<'_, ()>;

    /// Starts an authorization, and returns the URL to which the browser is redirected: a login or consent page, or the
    /// redirect URI with a code ([`AuthorizationRequest::success_url`]).
    fn authorize<'a>(
        &'a self,
        client: &'a RegisteredClient,
        request: AuthorizationRequest,
    ) -> ProviderFuture<'a, String>;

    /// Returns a code of this client, or `None` if it is unknown. A code that was exchanged before is revoked with the
    /// tokens that were issued for it, and `None` is returned.
    fn load_authorization_code<'a>(
        &'a self,
        client: &'a RegisteredClient,
        code: &'a str,
    ) -> ProviderFuture<'a, Option<AuthorizationCode>>;

    /// Exchanges a code for tokens. Must consume the code atomically: of two concurrent calls, one fails with
    /// `invalid_grant`.
    fn exchange_authorization_code<'a>(
        &'a self,
        client: &'a RegisteredClient,
        code: AuthorizationCode,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens>;

    /// Returns a refresh token of this client, or `None` if it is unknown, expired or revoked. If the token was replaced
    /// longer ago than the grace time, the provider revokes the grant with all its tokens and returns `None`, because the
    /// token may be stolen.
    fn load_refresh_token<'a>(
        &'a self,
        client: &'a RegisteredClient,
        token: &'a str,
    ) -> ProviderFuture<'a, Option<RefreshToken>>;

    /// Exchanges a refresh token for tokens with these scopes, and rotates it.
    fn exchange_refresh_token<'a>(
        &'a self,
        client: &'a RegisteredClient,
        token: RefreshToken,
        scopes: Vec<String>,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens>;

    /// Issues an access token without a user: for client credentials, or for an assertion that was verified.
    /// Default: `unsupported_grant_type`.
    fn issue_without_user<'a>(
        &'a self,
        client_id: &'a str,
        subject: String,
        scopes: Vec<String>,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens> {
        let _ = (client_id, subject, scopes, context);
        Box::pin(async { Err(OAuthError::unsupported_grant_type("the provider does not issue tokens without a user")) })
    }

    /// Returns an access token, or `None` if it is unknown, expired or revoked. Called for each request to the MCP server.
    fn load_access_token<'a>(&'a self, token: &'a str) -> ProviderFuture<'a, Option<AccessToken>>;

    /// Revokes an access or refresh token of this client, and the tokens that were issued with it. An unknown token, or a
    /// token of another client, is ignored.
    fn revoke_token<'a>(&'a self, client: &'a RegisteredClient, token: &'a str) -> ProviderFuture<'a, ()>;

    /// Prepares the provider for an issuer. Called when the authorization server is created, before all other methods.
    ///
    /// # Errors
    /// Fails if the provider does not support this issuer, for example because its login is for development only.
    fn start(&self, issuer: &str) -> Result<(), AuthError> {
        let _ = issuer;
        Ok(())
    }

    /// Returns whether a path belongs to a page of the provider, such as its login page. The path is that of the request,
    /// so that it begins with the path of the issuer. Default: false.
    fn is_route(&self, path: &str) -> bool {
        let _ = path;
        false
    }

    /// Responds to a request for such a path, of any method and any origin. The body is complete, and its size is bounded.
    /// The extensions contain the [`ClientAddr`](ferromcp_server::http::ClientAddr), if known.
    fn respond(&self, request: Request<Bytes>) -> PageFuture<'_> {
        drop(request);
        Box::pin(async {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        })
    }
}

/// A validated authorization request. `Debug` omits the state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuthorizationRequest {
    /// The ID of the client.
    pub client_id: String,
    /// The value that the client receives back with the code.
    pub state: Option<String>,
    /// The requested scopes, or the default scopes.
    pub scopes: Vec<String>,
    /// Those of the requested scopes that the MCP server requires, so that the user cannot deselect them.
    #[serde(default)]
    pub required_scopes: Vec<String>,
    /// The `S256` challenge of the client.
    pub code_challenge: String,
    /// Where the browser is redirected with the code. Registered by the client.
    pub redirect_uri: String,
    /// Whether the request contained the redirect URI, so that the token request must contain it too.
    pub is_redirect_uri_explicit: bool,
    /// The resource (RFC 8707) of the tokens: a resource of this authorization server.
    pub resource: String,
    /// The issuer of this authorization server, for the parameter `iss` of the response.
    pub issuer: String,
    /// The thumbprint of the key to which the code is bound (`dpop_jkt`), if the client requests it.
    pub key_thumbprint: Option<String>,
}

/// An authorization code that was not exchanged yet. `Debug` omits the code.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizationCode {
    /// The code.
    pub code: Secret,
    /// The request of the client.
    pub request: AuthorizationRequest,
    /// The user.
    pub subject: String,
    /// When the code expires, in seconds since the Unix epoch.
    pub expires_at: u64,
}

/// A refresh token. `Debug` omits the token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefreshToken {
    /// The token.
    pub token: Secret,
    /// The ID of the client.
    pub client_id: String,
    /// The user.
    pub subject: String,
    /// The granted scopes. A refresh cannot widen them.
    pub scopes: Vec<String>,
    /// The resource (RFC 8707) of the tokens.
    pub resource: String,
    /// When the token expires, in seconds since the Unix epoch. `None`: never.
    pub expires_at: Option<u64>,
    /// The thumbprint of the key to which the token is bound (RFC 9449), for public clients with DPoP.
    pub key_thumbprint: Option<String>,
}

/// The issuer, the resource and the key of an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenContext {
    /// The issuer of this authorization server.
    pub issuer: String,
    /// The resource (RFC 8707): the audience of the token.
    pub resource: String,
    /// The thumbprint of the key to which the token is bound (RFC 9449).
    pub key_thumbprint: Option<String>,
}

/// Tokens that were issued. `Debug` omits the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuedTokens {
    /// The access token.
    pub access_token: Secret,
    /// The lifetime of the access token, in seconds.
    pub expires_in: Option<u64>,
    /// The granted scopes.
    pub scopes: Vec<String>,
    /// The refresh token, if one was issued.
    pub refresh_token: Option<Secret>,
}

impl AuthorizationRequest {
    /// Creates a request without state and scopes, which contains its redirect URI.
    pub fn new(
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        redirect_uri: impl Into<String>,
        code_challenge: impl Into<String>,
        resource: impl Into<String>,
    ) -> Self {
        Self {
            client_id: client_id.into(),
            state: None,
            scopes: Vec::new(),
            required_scopes: Vec::new(),
            code_challenge: code_challenge.into(),
            redirect_uri: redirect_uri.into(),
            is_redirect_uri_explicit: true,
            resource: resource.into(),
            issuer: issuer.into(),
            key_thumbprint: None,
        }
    }

    /// Returns the redirect URI with a code, the state and the issuer.
    pub fn success_url(&self, code: &Secret) -> String {
        self.response_url(&[("code", code.expose())])
    }

    /// Returns the redirect URI with an error, the state and the issuer.
    pub fn error_url(&self, error: &OAuthError) -> String {
        self.response_url(&[("error", error.code()), ("error_description", &error.public_description())])
    }

    fn response_url(&self, parameters: &[(&str, &str)]) -> String {
        let Ok(mut url) = url::Url::parse(&self.redirect_uri) else { return self.redirect_uri.clone() };
        {
            let mut query = url.query_pairs_mut();
            for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
                query.append_pair(name, value);
            }
            if let Some(state) = &self.state {
                query.append_pair("state", state);
            }
            query.append_pair("iss", &self.issuer);
        }
        url.into()
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .field("redirect_uri", &self.redirect_uri)
            .field("resource", &self.resource)
            .field("issuer", &self.issuer)
            .field("key_thumbprint", &self.key_thumbprint)
            .finish_non_exhaustive()
    }
}

impl AuthorizationCode {
    /// Creates a code for a request.
    pub fn new(code: Secret, request: AuthorizationRequest, subject: impl Into<String>, expires_at: u64) -> Self {
        Self { code, request, subject: subject.into(), expires_at }
    }
}

impl RefreshToken {
    /// Creates a refresh token without expiry, which is not bound to a key.
    pub fn new(
        token: Secret,
        client_id: impl Into<String>,
        subject: impl Into<String>,
        scopes: Vec<String>,
        resource: impl Into<String>,
    ) -> Self {
        Self {
            token,
            client_id: client_id.into(),
            subject: subject.into(),
            scopes,
            resource: resource.into(),
            expires_at: None,
            key_thumbprint: None,
        }
    }
}

impl TokenContext {
    /// Creates a context for tokens that are not bound to a key.
    pub fn new(issuer: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), resource: resource.into(), key_thumbprint: None }
    }
}

impl IssuedTokens {
    /// Creates a response with an access token only.
    pub fn new(access_token: Secret, scopes: Vec<String>) -> Self {
        Self { access_token, expires_in: None, scopes, refresh_token: None }
    }
}
