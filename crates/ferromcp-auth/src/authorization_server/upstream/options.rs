//! [`UpstreamOptions`]: the upstream server, and the client that is registered there.

use std::fmt;
use std::sync::Arc;

use crate::Secret;
use crate::authorization_server::User;

type UserPredicate = dyn Fn(&User) -> bool + Send + Sync;

/// An upstream server, and the client that is registered there for this authorization server.
///
/// The endpoints are found by the metadata of the issuer (OpenID Connect Discovery or RFC 8414). The redirect URI to
/// register there is `<issuer of this server>/upstream/callback`. `Debug` omits the secret.
///
/// ```
/// use ferromcp_auth::authorization_server::UpstreamOptions;
///
/// let options = UpstreamOptions::new("https://accounts.google.com", "client-id", "client-secret")
///     .name("Google")
///     .scopes(["openid", "email"])
///     .allow_user(|user| user.claims.get("hd").is_some_and(|domain| domain == "example.com"));
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until they are passed to `UpstreamLogin::new`"]
pub struct UpstreamOptions {
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
    pub(super) name: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) endpoints: Option<(String, String)>,
    pub(super) userinfo_url: Option<String>,
    pub(super) subject_claim: String,
    pub(super) callback_path: String,
    pub(super) sends_secret_in_form: bool,
    pub(super) allows_private_networks: bool,
    pub(super) requires_live_session: bool,
    pub(super) is_allowed: Option<Arc<UserPredicate>>,
}

impl UpstreamOptions {
    /// Creates options for a client with a secret. The issuer must be spelled exactly as in the metadata of the server.
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            name: None,
            scopes: vec!["openid".to_owned()],
            parameters: Vec::new(),
            endpoints: None,
            userinfo_url: None,
            subject_claim: "sub".to_owned(),
            callback_path: "/upstream/callback".to_owned(),
            sends_secret_in_form: false,
            allows_private_networks: false,
            requires_live_session: false,
            is_allowed: None,
        }
    }

    /// Sets the name of the server on the consent page. Default: the host of the issuer.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the scopes that are requested at the upstream server. Default: `openid`.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a parameter to the authorization request, such as `access_type=offline`.
    pub fn authorization_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Sets the endpoints of a server without metadata. ID tokens are not used then, so that
    /// [`userinfo_url`](Self::userinfo_url) is necessary.
    pub fn endpoints(mut self, authorization_url: impl Into<String>, token_url: impl Into<String>) -> Self {
        self.endpoints = Some((authorization_url.into(), token_url.into()));
        self
    }

    /// Sets a URL that returns the claims of the user as JSON, for a request with the access token. Its claims replace
    /// those of the ID token with the same names.
    pub fn userinfo_url(mut self, url: impl Into<String>) -> Self {
        self.userinfo_url = Some(url.into());
        self
    }

    /// Sets the claim that identifies the user: a text or an integer that is never given to another user. Default:
    /// `sub`.
    pub fn subject_claim(mut self, name: impl Into<String>) -> Self {
        self.subject_claim = name.into();
        self
    }

    /// Sets the path of the redirect URI below the issuer of this server. Default: `/upstream/callback`.
    pub fn callback_path(mut self, path: impl Into<String>) -> Self {
        self.callback_path = path.into();
        self
    }

    /// Sends the secret in the form (`client_secret_post`). Default: in the header (`client_secret_basic`).
    pub fn secret_in_form(mut self) -> Self {
        self.sends_secret_in_form = true;
        self
    }

    /// Restricts logins to the users for which the predicate returns true. It is called again when tokens are refreshed, so
    /// that users who are no longer allowed lose access. By default, all users of the upstream server can log in.
    pub fn allow_user(mut self, is_allowed: impl Fn(&User) -> bool + Send + Sync + 'static) -> Self {
        self.is_allowed = Some(Arc::new(is_allowed));
        self
    }

    /// Refuses to refresh the tokens of MCP clients if the login at the upstream server is not known to be valid: after
    /// a restart of this process, and after the upstream access token has expired if the upstream server issues no
    /// refresh token. The user must then log in again. Default: only a login that is known to be revoked is refused.
    pub fn require_live_session(mut self) -> Self {
        self.requires_live_session = true;
        self
    }

    /// Allows private addresses for the upstream server. Loopback addresses are allowed if the issuer has one.
    pub fn allow_private_networks(mut self) -> Self {
        self.allows_private_networks = true;
        self
    }
}

impl fmt::Debug for UpstreamOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamOptions")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
