//! Grants: how the client obtains its first token.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::ui::{AuthorizationPrompt, LoopbackPrompt};
use crate::Secret;
use crate::error::AuthError;

/// A boxed future returned by a provider of assertions.
type AssertionFuture = Pin<Box<dyn Future<Output = Result<Secret, AuthError>> + Send>>;
/// A function of the application that provides assertions.
pub(crate) type AssertionProvider = Arc<dyn Fn(AssertionRequest) -> AssertionFuture + Send + Sync>;
type DeviceHandler = Arc<dyn Fn(&DeviceCode) + Send + Sync>;

/// The grant type of a login on an authorization page.
pub(crate) const AUTHORIZATION_CODE: &str = "authorization_code";
/// The grant type of a device code.
pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// How the client obtains its first access token.
#[derive(Clone)]
pub struct Grant(pub(crate) GrantKind);

#[derive(Clone)]
pub(crate) enum GrantKind {
    AuthorizationCode(Arc<dyn AuthorizationPrompt>),
    DeviceCode(DeviceHandler),
    ClientCredentials,
    Jwt(AssertionProvider),
    EnterpriseManaged(Arc<EnterpriseIdentityProvider>, AssertionProvider),
}

impl Grant {
    /// Returns the ID of the extension that defines the grant.
    pub(crate) fn extension(&self) -> Option<&'static str> {
        match &self.0 {
            GrantKind::AuthorizationCode(_) | GrantKind::DeviceCode(_) => None,
            GrantKind::ClientCredentials => Some("io.modelcontextprotocol/oauth-client-credentials"),
            GrantKind::Jwt(_) => Some("io.modelcontextprotocol/auth/wif"),
            GrantKind::EnterpriseManaged(..) => Some("io.modelcontextprotocol/enterprise-managed-authorization"),
        }
    }

    /// Creates a grant with which the user authorizes the client on a page of the authorization server. The default,
    /// with [`LoopbackPrompt`].
    pub fn authorization_code(prompt: impl AuthorizationPrompt) -> Self {
        Self(GrantKind::AuthorizationCode(Arc::new(prompt)))
    }

    /// Creates a grant with which the user enters a code on another device (RFC 8628). The authorization server must
    /// support it. The function shows the code to the user; it must not block.
    ///
    /// ```
    /// use ferromcp_auth::client::Grant;
    /// let grant = Grant::device_code(|code| eprintln!("Open {} and enter {}", code.verification_uri, code.user_code));
    /// ```
    pub fn device_code(show: impl Fn(&DeviceCode) + Send + Sync + 'static) -> Self {
        Self(GrantKind::DeviceCode(Arc::new(show)))
    }

    /// Creates a grant for a client without a user (`io.modelcontextprotocol/oauth-client-credentials`).
    ///
    /// Requires [`OAuthOptions::registration`](super::OAuthOptions::registration), with a secret or with
    /// [`OAuthOptions::signing_key`](super::OAuthOptions::signing_key).
    pub fn client_credentials() -> Self {
        Self(GrantKind::ClientCredentials)
    }

    /// Creates a grant that exchanges a token of the platform on which the program runs
    /// (`io.modelcontextprotocol/auth/wif`). The function returns the token; it is called for each authorization.
    pub fn workload_identity<F, Fut>(token: F) -> Self
    where
        F: Fn(AssertionRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Secret, AuthError>> + Send + 'static,
    {
        Self(GrantKind::Jwt(Arc::new(move |request| Box::pin(token(request)))))
    }

    /// Creates a grant for a user who is logged in at the identity provider of an enterprise, which authorizes the
    /// client (`io.modelcontextprotocol/enterprise-managed-authorization`). The function returns the ID token of the
    /// user; it is called for each authorization.
    ///
    /// Requires [`OAuthOptions::registration`](super::OAuthOptions::registration) for the authorization server of the
    /// MCP server.
    pub fn enterprise_managed<F, Fut>(provider: EnterpriseIdentityProvider, id_token: F) -> Self
    where
        F: Fn(AssertionRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Secret, AuthError>> + Send + 'static,
    {
        let id_token: AssertionProvider = Arc::new(move |request| Box::pin(id_token(request)));
        Self(GrantKind::EnterpriseManaged(Arc::new(provider), id_token))
    }
}

impl Grant {
    /// Returns the grant type with which the client is registered dynamically.
    pub(crate) fn registered_type(&self) -> &'static str {
        match self.0 {
            GrantKind::DeviceCode(_) => DEVICE_CODE,
            _ => AUTHORIZATION_CODE,
        }
    }
}

impl Default for Grant {
    fn default() -> Self {
        Self::authorization_code(LoopbackPrompt::new())
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            GrantKind::AuthorizationCode(_) => "AuthorizationCode",
            GrantKind::DeviceCode(_) => "DeviceCode",
            GrantKind::ClientCredentials => "ClientCredentials",
            GrantKind::Jwt(_) => "WorkloadIdentity",
            GrantKind::EnterpriseManaged(..) => "EnterpriseManaged",
        })
    }
}

/// The authorization server for which an assertion is requested.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AssertionRequest {
    /// The issuer of the authorization server.
    pub issuer: String,
    /// The token endpoint. Servers expect either the issuer or this URL as the audience of the assertion.
    pub token_endpoint: String,
    /// The identifier of the MCP server.
    pub resource: String,
}

/// A code that the user enters on another device. `Debug` omits the code.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeviceCode {
    /// The URL of the page on which the user enters the code. It uses `https`, or `http` on the loopback interface.
    pub verification_uri: String,
    /// The URL of the page with the code filled in, for example for a QR code, if the server provides one.
    pub verification_uri_complete: Option<String>,
    /// The code that the user enters.
    pub user_code: String,
    /// The lifetime of the code, in seconds.
    pub expires_in: u64,
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCode")
            .field("verification_uri", &self.verification_uri)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// The identity provider of an enterprise.
#[derive(Debug, Clone)]
#[must_use = "it does nothing until it is passed to `Grant::enterprise_managed`"]
pub struct EnterpriseIdentityProvider {
    pub(crate) token_endpoint: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
}

impl EnterpriseIdentityProvider {
    /// Creates an identity provider with its token endpoint, and the client ID that it has issued to this client.
    pub fn new(token_endpoint: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self { token_endpoint: token_endpoint.into(), client_id: client_id.into(), client_secret: None }
    }

    /// Sets the client secret that the identity provider has issued.
    pub fn client_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }
}
