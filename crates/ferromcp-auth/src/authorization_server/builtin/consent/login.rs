//! [`UserLogin`]: how users log in to the authorization server.

use std::fmt;
use std::net::IpAddr;

use ferromcp_server::http::client_address;
use http::{HeaderMap, StatusCode};

use super::form::find;
use crate::Secret;
use crate::authorization_server::builtin::user::User;
use crate::authorization_server::error::OAuthError;
use crate::authorization_server::provider::ProviderFuture;
use crate::error::AuthError;

/// Authenticates the user of a browser.
///
/// Implementations: [`PasswordLogin`](super::PasswordLogin) with a form,
/// [`UpstreamLogin`](crate::authorization_server::UpstreamLogin) with another authorization server, and
/// [`AnyUser`](super::AnyUser) for development. A custom implementation can, for example, read a header that an
/// authenticating reverse proxy sets, or the session cookie of a web application.
///
/// ```
/// use ferromcp_auth::authorization_server::{LoginOutcome, LoginRequest, OAuthError, ProviderFuture, User, UserLogin};
///
/// /// The reverse proxy authenticates all requests, and removes this header from those of clients.
/// struct ProxyLogin;
///
/// impl UserLogin for ProxyLogin {
///     fn login<'a>(&'a self, request: LoginRequest<'a>) -> ProviderFuture<'a, LoginOutcome> {
///         let user = request.headers.get("x-authenticated-user").and_then(|name| name.to_str().ok());
///         let outcome = user.map(|name| LoginOutcome::Authenticated(User::new(name)));
///         Box::pin(async move { outcome.ok_or_else(|| OAuthError::access_denied("not authenticated by the proxy")) })
///     }
/// }
/// ```
pub trait UserLogin: Send + Sync + 'static {
    /// Authenticates the user, or returns the next step.
    ///
    /// Called without a form for each request of a browser that has no session, then with the form that the user
    /// submits, or with the query of the callback. If it returns a user without a form or callback, no session is
    /// created, so that it is called for each request. The future is dropped if the browser disconnects.
    ///
    /// # Errors
    /// `access_denied` if the user may not log in; `server_error` or `temporarily_unavailable` if the login
    /// fails. The error is sent to the client.
    fn login<'a>(&'a self, request: LoginRequest<'a>) -> ProviderFuture<'a, LoginOutcome>;

    /// Returns the other server to which the browser is redirected for the login, if any. The user then consents before
    /// the redirect, so that a client cannot use an existing session at that server without the knowledge of the user
    /// (confused deputy). Default: none.
    fn delegation(&self) -> Option<Delegation> {
        None
    }

    /// Returns the path, below the issuer, to which the other server redirects the browser. Default: `/login/callback`.
    #[allow(clippy::unnecessary_literal_bound, reason = "implementations return a text of their options")]
    fn callback_path(&self) -> &str {
        "/login/callback"
    }

    /// Returns whether a user may still use the service. Called for each exchange of a refresh token, whose grant is
    /// revoked if it returns false, and for each page in a session of a browser, which then ends. Default: true.
    ///
    /// # Errors
    /// `temporarily_unavailable` if this cannot be determined now, so that the client retries.
    fn is_active<'a>(&'a self, user: &'a User) -> ProviderFuture<'a, bool> {
        let _ = user;
        Box::pin(std::future::ready(Ok(true)))
    }

    /// Checks the issuer when the authorization server is created.
    ///
    /// # Errors
    /// Fails if the login must not be used for this issuer.
    fn check_issuer(&self, issuer: &str) -> Result<(), AuthError> {
        let _ = issuer;
        Ok(())
    }
}

/// Another server at which the user logs in, for display on the consent page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delegation {
    /// The name of the server.
    pub name: String,
    /// The scopes that are requested there.
    pub scopes: Vec<String>,
}

/// A step of a login. `Debug` shows only the address.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct LoginRequest<'a> {
    /// The headers of the request.
    pub headers: &'a HeaderMap,
    /// The address of the client, if known. Behind a reverse proxy, it is that of the proxy, unless
    /// `HttpServerOptions::trust_proxy` names the proxy; see [`client_address`](Self::client_address).
    pub address: Option<IpAddr>,
    /// The fields of the form that the user has submitted. `None`: the login starts.
    pub form: Option<&'a [(String, String)]>,
    /// The parameters with which the other server redirected the browser back. `None`: the login starts.
    pub callback: Option<&'a [(String, String)]>,
    /// The parameter `state` for the other server. It is random, and checked before [`UserLogin::login`] is called with
    /// the callback. Empty without a delegation.
    pub state: &'a str,
    /// A random text that only this browser has: the same at the start and at the callback. A PKCE verifier and a nonce
    /// can be derived from it. It must not leave the server. Empty without a delegation.
    pub browser_secret: &'a str,
    /// The URL to which the other server must redirect the browser.
    pub callback_url: &'a str,
}

/// The result of a step of a login.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum LoginOutcome {
    /// The user has logged in.
    Authenticated(User),
    /// The browser shows a form.
    ShowForm(LoginForm),
    /// The browser is redirected to another server. Only for logins with a [`UserLogin::delegation`].
    Redirect(String),
}

/// The form of a login page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginForm {
    /// The HTML of the input fields, without the `form` element and the button. It is not escaped.
    pub fields_html: String,
    /// The error of the last attempt. It is escaped.
    pub error: Option<String>,
    /// The status of the page.
    pub status: StatusCode,
}

impl Delegation {
    /// Creates a description of the other server.
    pub fn new(name: impl Into<String>, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), scopes: scopes.into_iter().map(Into::into).collect() }
    }
}

impl LoginForm {
    /// Creates a form. The HTML is not escaped.
    pub fn new(fields_html: impl Into<String>) -> Self {
        Self { fields_html: fields_html.into(), error: None, status: StatusCode::OK }
    }

    /// Sets the error of the last attempt.
    pub fn with_error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }

    /// Sets the status of the page, such as 429.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl<'a> LoginRequest<'a> {
    /// Returns a field of the form.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        find(self.form?, name)
    }

    /// Returns a parameter of the callback. A repeated parameter is treated as absent.
    pub fn callback_parameter(&self, name: &str) -> Option<&'a str> {
        find(self.callback?, name)
    }

    /// Returns the address of the client, if known: [`address`](Self::address) or, if it is that of one of these proxies, the
    /// last one in the header `X-Forwarded-For`, or else in `Forwarded`, that is not. The proxies must replace or extend
    /// these headers. If they forward no address, it is that of the proxy.
    pub fn client_address(&self, proxies: &[IpAddr]) -> Option<IpAddr> {
        let is_proxy = |address: IpAddr| proxies.iter().any(|proxy| proxy.to_canonical() == address);
        let peer = self.address?.to_canonical();
        client_address(peer, self.headers, is_proxy).or(Some(peer))
    }

    /// Returns a random text for a purpose, such as `nonce`: the same at the start and at the callback.
    pub fn derived_secret(&self, purpose: &str) -> Secret {
        Secret::new(crate::random::sha256_base64(format!("{purpose}\n{}", self.browser_secret).as_bytes()))
    }
}

/// Returns the error for a login that breaks the rules of [`UserLogin`].
pub(super) fn misused(problem: &str) -> OAuthError {
    OAuthError::server_error(format!("cannot log in the user: {problem}"))
}

impl fmt::Debug for LoginRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequest").field("address", &self.address).finish_non_exhaustive()
    }
}
