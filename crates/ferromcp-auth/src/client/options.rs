//! Options of [`OAuth`](super::OAuth).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::text::excerpt;
use serde_json::Value;
use url::Url;

use super::assertion::SigningKey;
use super::authorization::RESERVED_PARAMETERS;
use super::grant::{AUTHORIZATION_CODE, Grant};
use super::login_step::LoginStep;
use super::registration::{ClientMetadata, ClientRegistration};
use super::store::{CredentialStore, MemoryStore};
use super::tolerance::{Tolerance, Tolerances};
use crate::client_authentication::ClientAuthentication;
use crate::error::AuthError;
use crate::scopes::Scopes;

/// The default time for a login.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(600);

/// Called after each step of a login.
type StepListener = Arc<dyn Fn(&LoginStep) + Send + Sync>;

/// Options of [`OAuth`](super::OAuth). `Debug` omits secrets.
///
/// ```
/// use ferromcp_auth::client::{FileStore, OAuthOptions};
/// let options = OAuthOptions::new("https://example.com/mcp").client_name("Notes").store(FileStore::new("/var/lib/notes"));
/// ```
#[must_use = "options do nothing until they are passed to `OAuth::new`"]
pub struct OAuthOptions {
    pub(crate) server: String,
    pub(crate) metadata: ClientMetadata,
    pub(crate) registration: Option<ClientRegistration>,
    pub(crate) metadata_url: Option<String>,
    pub(crate) key: Option<SigningKey>,
    pub(crate) grant: Grant,
    pub(crate) scopes: Scopes,
    /// Additional parameters of authorization requests.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) store: Arc<dyn CredentialStore>,
    pub(crate) dpop: bool,
    pub(crate) private_networks: bool,
    pub(crate) login_timeout: Duration,
    pub(crate) tolerances: Tolerances,
    pub(crate) issuer: Option<String>,
    pub(crate) on_step: Option<StepListener>,
}

impl OAuthOptions {
    /// Creates the options for one MCP server. Tokens are sent to the origin of this URL only.
    pub fn new(server_url: impl Into<String>) -> Self {
        Self {
            server: server_url.into(),
            metadata: ClientMetadata { name: "MCP client".to_owned(), uri: None, grant_type: AUTHORIZATION_CODE },
            registration: None,
            metadata_url: None,
            key: None,
            grant: Grant::default(),
            scopes: Scopes::default(),
            parameters: Vec::new(),
            store: Arc::new(MemoryStore::new()),
            dpop: false,
            private_networks: false,
            login_timeout: LOGIN_TIMEOUT,
            tolerances: Tolerances::default(),
            issuer: None,
            on_step: None,
        }
    }

    /// Accepts only one authorization server, by its issuer. The login fails if the MCP server does not name it. By default,
    /// the MCP server chooses the authorization server.
    ///
    /// Set it for [`Grant::workload_identity`] if the token of the platform has a fixed audience: an MCP server could
    /// otherwise name an authorization server that uses the token elsewhere.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets the name of the client on authorization pages, if it is registered dynamically. Default: `MCP client`.
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.metadata.name = name.into();
        self
    }

    /// Sets the home page of the client on authorization pages, if it is registered dynamically.
    pub fn client_uri(mut self, uri: impl Into<String>) -> Self {
        self.metadata.uri = Some(uri.into());
        self
    }

    /// Sets the client credentials that the operator of the authorization server has issued. The client is then not
    /// registered dynamically.
    pub fn registration(mut self, registration: ClientRegistration) -> Self {
        self.registration = Some(registration);
        self
    }

    /// Sets the URL of the client ID metadata document, which is used as the client ID if the authorization server
    /// supports it. The URL must use `https` and have a path, and the document must contain the redirect URI of the
    /// prompt.
    pub fn client_metadata_url(mut self, url: impl Into<String>) -> Self {
        self.metadata_url = Some(url.into());
        self
    }

    /// Returns the client ID metadata document to publish at the [`client_metadata_url`](Self::client_metadata_url), for
    /// clients whose prompt uses one of these redirect URIs. With a [`signing_key`](Self::signing_key), add its public key
    /// as `jwks` or `jwks_uri`.
    ///
    /// ```
    /// use ferromcp_auth::client::OAuthOptions;
    ///
    /// # fn main() -> Result<(), ferromcp_auth::AuthError> {
    /// let options = OAuthOptions::new("https://example.com/mcp")
    ///     .client_name("Notes")
    ///     .client_metadata_url("https://notes.example.com/client.json");
    /// let document = options.client_metadata_document(["http://127.0.0.1/callback"])?;
    /// assert_eq!(document["client_id"], "https://notes.example.com/client.json");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails if the URL is missing or invalid, or the list of redirect URIs is empty.
    pub fn client_metadata_document(
        &self,
        redirect_uris: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Value, AuthError> {
        self.check_metadata_url()?;
        let url = self.metadata_url.as_ref().ok_or_else(|| {
            AuthError::configuration(
                "cannot create a client ID metadata document: set `OAuthOptions::client_metadata_url`",
            )
        })?;
        let redirect_uris: Vec<String> = redirect_uris.into_iter().map(Into::into).collect();
        if redirect_uris.is_empty() {
            return Err(AuthError::configuration(
                "cannot create a client ID metadata document: add the redirect URI of the prompt",
            ));
        }
        Ok(self.metadata.published(url, &redirect_uris, self.document_authentication()))
    }

    /// Returns how a client with a metadata document authenticates.
    pub(super) fn document_authentication(&self) -> ClientAuthentication {
        match &self.key {
            Some(_) => ClientAuthentication::PrivateKeyJwt,
            None => ClientAuthentication::None,
        }
    }

    /// Sets the key with which the client authenticates (`private_key_jwt`). Used with a
    /// [`registration`](Self::registration) without a secret, or with a
    /// [`client_metadata_url`](Self::client_metadata_url).
    pub fn signing_key(mut self, key: SigningKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Sets how the client obtains its first token. By default, the user authorizes it in a browser on this machine.
    pub fn grant(mut self, grant: Grant) -> Self {
        self.metadata.grant_type = grant.registered_type();
        self.grant = grant;
        self
    }

    /// Adds a scope to each authorization. By default, the client requests the scopes that the server names in its
    /// response or in its metadata, and `offline_access` if a user logs in and the authorization server supports it.
    pub fn scope(mut self, scope: impl AsRef<str>) -> Self {
        self.scopes.add(scope.as_ref());
        self
    }

    /// Sets a parameter of the URL of the authorization page, in addition to those that the client sets. Some servers define
    /// such parameters, for example `login_hint`, or `access_type` of Google. A parameter with an empty value is omitted.
    ///
    /// A `prompt` replaces the one that the client sets if a login with the scope `offline_access` has returned no refresh token:
    /// then the next login requests consent, which some OpenID providers require for refresh tokens. With the following option,
    /// each login does so. Other providers then show a needless page, or one on which only an administrator can consent.
    ///
    /// ```
    /// use ferromcp_auth::client::OAuthOptions;
    /// let options = OAuthOptions::new("https://example.com/mcp").authorization_parameter("prompt", "consent");
    /// ```
    pub fn authorization_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.parameters.retain(|(other, _)| *other != name);
        self.parameters.push((name, value));
        self
    }

    /// Sets the store of credentials. Default: a [`MemoryStore`].
    pub fn store(mut self, store: impl CredentialStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Binds tokens to a key of this client, so that a stolen token cannot be used without the key (RFC 9449). The MCP
    /// server and the authorization server must support it. The key is stored with the tokens.
    pub fn dpop(mut self) -> Self {
        self.dpop = true;
        self
    }

    /// Allows private addresses for the MCP server and the authorization server, for servers in an intranet.
    ///
    /// Risk: an MCP server can then make this client send requests to other machines in the private network.
    pub fn allow_private_networks(mut self) -> Self {
        self.private_networks = true;
        self
    }

    /// Sets the time that the user has to log in. Default: 10 minutes. A shorter timeout of the request that starts the
    /// login applies too; see [`OAuth::login`](super::OAuth::login).
    pub fn login_timeout(mut self, timeout: Duration) -> Self {
        self.login_timeout = timeout;
        self
    }

    /// Called after each step of a login, to show its progress. Must not block.
    ///
    /// ```
    /// use ferromcp_auth::client::OAuthOptions;
    /// let options = OAuthOptions::new("https://example.com/mcp").on_step(|step| eprintln!("{step:?}"));
    /// ```
    pub fn on_step(mut self, listener: impl Fn(&LoginStep) + Send + Sync + 'static) -> Self {
        self.on_step = Some(Arc::new(listener));
        self
    }

    /// Reports a step of a login.
    pub(super) fn report(&self, step: impl FnOnce() -> LoginStep) {
        if let Some(listener) = &self.on_step {
            listener(&step());
        }
    }

    /// Checks the parameters of authorization requests.
    pub(super) fn check_parameters(&self) -> Result<(), AuthError> {
        let is_reserved = |name: &str| name.is_empty() || RESERVED_PARAMETERS.contains(&name);
        let Some((name, _)) = self.parameters.iter().find(|(name, _)| is_reserved(name)) else { return Ok(()) };
        Err(AuthError::configuration(format!(
            "cannot set authorization parameter `{}`: it is reserved; remove `OAuthOptions::authorization_parameter`",
            excerpt(name)
        )))
    }

    /// Checks the URL of the client ID metadata document.
    pub(super) fn check_metadata_url(&self) -> Result<(), AuthError> {
        let Some(url) = &self.metadata_url else { return Ok(()) };
        let is_valid = Url::parse(url).is_ok_and(|url| {
            url.scheme() == "https" && url.path() != "/" && url.fragment().is_none() && url.username().is_empty()
        });
        if is_valid {
            return Ok(());
        }
        Err(AuthError::configuration(format!(
            "invalid client metadata URL `{}`; it must use https and have a path, and no fragment or user",
            excerpt(url)
        )))
    }

    /// Allows an exception for an authorization server. See [`Tolerance`] for the risks.
    pub fn tolerate(mut self, issuer: impl Into<String>, tolerance: Tolerance) -> Self {
        self.tolerances.add(issuer.into(), tolerance);
        self
    }
}

impl fmt::Debug for OAuthOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthOptions")
            .field("client_name", &self.metadata.name)
            .field("grant", &self.grant)
            .field("dpop", &self.dpop)
            .finish_non_exhaustive()
    }
}
