//! [`AuthorizationServerOptions`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::grant_type::{AUTHORIZATION_CODE, CLIENT_CREDENTIALS, JWT_BEARER, REFRESH_TOKEN};
use super::rate_limit::RateLimits;
use super::scope::ScopeSettings;
use super::trusted_issuer::TrustedIssuer;
use crate::resource_server::{DpopPolicy, ResourceServerBuilder};

type Configure = dyn Fn(ResourceServerBuilder) -> ResourceServerBuilder + Send + Sync;

/// Options of an [`AuthorizationServer`](super::AuthorizationServer).
///
/// ```
/// use ferromcp_auth::authorization_server::{AuthorizationServerOptions, ClientRegistrationOptions};
///
/// let options = AuthorizationServerOptions::new("https://example.com")
///     .resource("https://example.com/mcp")
///     .required_scopes(["notes:read"])
///     .valid_scopes(["notes:read", "notes:write"])
///     .client_registration(ClientRegistrationOptions::new());
/// # drop(options);
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until they are passed to `AuthorizationServer::new`"]
#[allow(clippy::struct_excessive_bools, reason = "the options are independent")]
pub struct AuthorizationServerOptions {
    pub(super) issuer: String,
    pub(super) resources: Vec<String>,
    pub(super) service_documentation: Option<String>,
    pub(super) registration: Option<ClientRegistrationOptions>,
    pub(super) revocation: bool,
    pub(super) scopes: ScopeSettings,
    pub(super) metadata_documents: bool,
    pub(super) client_credentials: bool,
    pub(super) redirect_schemes: Vec<String>,
    pub(super) rate_limits: RateLimits,
    pub(super) private_networks: bool,
    pub(super) trusted_issuers: Vec<TrustedIssuer>,
    pub(super) dpop: DpopPolicy,
    configure: Option<Arc<Configure>>,
}

impl AuthorizationServerOptions {
    /// Creates the options for an issuer: the URL at which clients reach the authorization server. It uses `https`
    /// unless it is on the loopback interface, and has no query and no fragment. It is used unchanged, since clients
    /// compare it exactly.
    ///
    /// The endpoints are below it, such as `https://example.com/authorize`.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            resources: Vec::new(),
            service_documentation: None,
            registration: None,
            revocation: true,
            scopes: ScopeSettings::default(),
            metadata_documents: true,
            client_credentials: true,
            redirect_schemes: Vec::new(),
            rate_limits: RateLimits::default(),
            private_networks: false,
            trusted_issuers: Vec::new(),
            dpop: DpopPolicy::optional(),
            configure: None,
        }
    }

    /// Adds an MCP server whose tokens this server issues: the public URL of its endpoint. At least one is required;
    /// the first is the default of requests without `resource`.
    pub fn resource(mut self, url: impl Into<String>) -> Self {
        self.resources.push(url.into());
        self
    }

    /// Sets the URL of the documentation for developers, which the metadata contains.
    pub fn service_documentation(mut self, url: impl Into<String>) -> Self {
        self.service_documentation = Some(url.into());
        self
    }

    /// Enables dynamic client registration (RFC 7591). Any program can then register a client. Default: disabled.
    pub fn client_registration(mut self, options: ClientRegistrationOptions) -> Self {
        self.registration = Some(options);
        self
    }

    /// Enables or disables the revocation endpoint (RFC 7009). Default: enabled.
    pub fn revocation(mut self, enabled: bool) -> Self {
        self.revocation = enabled;
        self
    }

    /// Sets the scopes that each request to the MCP server requires. They are also the default scopes, unless
    /// [`default_scopes`](Self::default_scopes) is set, which must then contain them. Users cannot deselect them on the
    /// consent page. [`AuthorizationServer::new`](super::AuthorizationServer::new) fails if a text is not exactly one
    /// scope, such as `notes:read notes:write`.
    pub fn required_scopes(mut self, scopes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.scopes.required = texts(scopes);
        self
    }

    /// Sets the scopes that clients may request; others are then rejected with `invalid_scope`. Default: the required
    /// and the default scopes, and others are ignored.
    pub fn valid_scopes(mut self, scopes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.scopes.valid = Some(texts(scopes));
        self
    }

    /// Sets the scopes of clients and requests that do not name any. Default: the required scopes.
    pub fn default_scopes(mut self, scopes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.scopes.default = texts(scopes);
        self
    }

    /// Enables or disables client ID metadata documents: a client without registration uses the URL of its metadata as
    /// its ID, and this server fetches it. Default: enabled.
    pub fn client_id_metadata_documents(mut self, enabled: bool) -> Self {
        self.metadata_documents = enabled;
        self
    }

    /// Enables or disables the client credentials grant, for confidential clients that the operator registered with it.
    /// Default: enabled.
    pub fn client_credentials(mut self, enabled: bool) -> Self {
        self.client_credentials = enabled;
        self
    }

    /// Allows redirect URIs with the scheme of a native app that does not contain a dot, such as `cursor`. May be
    /// repeated.
    ///
    /// [`AuthorizationServer::new`](super::AuthorizationServer::new) fails if it is not the scheme of an app.
    ///
    /// Risk: any program on the user's device can claim such a scheme.
    pub fn allow_redirect_scheme(mut self, scheme: impl Into<String>) -> Self {
        self.redirect_schemes.push(scheme.into());
        self
    }

    /// Sets the limits of requests per client address.
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.rate_limits = limits;
        self
    }

    /// Allows private addresses for metadata documents of clients and keys, for servers in an intranet and for tests.
    ///
    /// Risk: a client can then make this server send requests to other machines in the private network.
    pub fn allow_private_networks(mut self) -> Self {
        self.private_networks = true;
        self
    }

    /// Trusts an issuer of assertions, which are exchanged for access tokens (RFC 7523). May be repeated.
    pub fn trusted_issuer(mut self, issuer: TrustedIssuer) -> Self {
        self.trusted_issuers.push(issuer);
        self
    }

    /// Sets whether tokens are bound to a key of the client (DPoP, RFC 9449). Default: the client chooses.
    pub fn dpop(mut self, policy: DpopPolicy) -> Self {
        self.dpop = policy;
        self
    }

    /// Sets further options of the resource servers, which protect the resources. The function is called for each
    /// resource.
    ///
    /// ```
    /// # use ferromcp_auth::authorization_server::AuthorizationServerOptions;
    /// let options = AuthorizationServerOptions::new("https://example.com")
    ///     .resource("https://example.com/mcp")
    ///     .resource_server(|server| server.name("Notes").scope_implies("write", ["read"]));
    /// # drop(options);
    /// ```
    pub fn resource_server(
        mut self,
        configure: impl Fn(ResourceServerBuilder) -> ResourceServerBuilder + Send + Sync + 'static,
    ) -> Self {
        self.configure = Some(Arc::new(configure));
        self
    }

    /// Returns the grants that the token endpoint supports.
    pub(super) fn grant_types(&self) -> Vec<&'static str> {
        let mut types = vec![AUTHORIZATION_CODE, REFRESH_TOKEN];
        if self.client_credentials {
            types.push(CLIENT_CREDENTIALS);
        }
        if !self.trusted_issuers.is_empty() {
            types.push(JWT_BEARER);
        }
        types
    }

    /// Returns whether all tokens are bound to a key.
    pub(super) fn requires_dpop(&self) -> bool {
        self.dpop == DpopPolicy::required() || self.dpop == DpopPolicy::required().with_nonces()
    }

    /// Returns whether proofs must contain a nonce.
    pub(super) fn requires_nonces(&self) -> bool {
        self.dpop == self.dpop.with_nonces()
    }

    /// Applies the function of [`resource_server`](Self::resource_server).
    pub(super) fn configured(&self, builder: ResourceServerBuilder) -> ResourceServerBuilder {
        match &self.configure {
            Some(configure) => configure(builder),
            None => builder,
        }
    }

    /// Returns the issuer without a trailing slash, to which the paths of the endpoints are appended.
    pub(super) fn base_url(&self) -> &str {
        self.issuer.trim_end_matches('/')
    }
}

fn texts(scopes: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<String> {
    scopes.into_iter().map(|scope| scope.as_ref().to_owned()).collect()
}

impl fmt::Debug for AuthorizationServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServerOptions")
            .field("issuer", &self.issuer)
            .field("resources", &self.resources)
            .field("trusted_issuers", &self.trusted_issuers)
            .finish_non_exhaustive()
    }
}

/// Options of dynamic client registration (RFC 7591).
#[derive(Debug, Clone, Default)]
#[must_use = "options do nothing until they are passed to `AuthorizationServerOptions::client_registration`"]
pub struct ClientRegistrationOptions {
    pub(super) secret_expiry: Option<Duration>,
}

impl ClientRegistrationOptions {
    /// Creates the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the lifetime of client secrets. Default: they do not expire.
    pub fn client_secret_expiry(mut self, lifetime: Duration) -> Self {
        self.secret_expiry = Some(lifetime);
        self
    }
}
