//! [`UpstreamLogin`]: users log in at an upstream server.

use std::fmt;
use std::sync::Arc;

use ferromcp_core::text::excerpt;
use serde_json::{Map, Value};
use url::Url;

use super::exchange::{Exchange, TokenFailure, UpstreamTokens};
use super::options::UpstreamOptions;
use super::session::{Sessions, Status};
use crate::Secret;
use crate::authorization_server::{
    Delegation, LoginOutcome, LoginRequest, OAuthError, ProviderFuture, User, UserLogin,
};
use crate::error::AuthError;
use crate::random::sha256_base64;

/// The claim with the reference to the tokens of the upstream server.
const SESSION_CLAIM: &str = "upstream_session";
/// Maximum size of the claims of a user, in bytes of JSON. Larger claims are reduced to [`PROFILE_CLAIMS`].
const MAX_CLAIMS_BYTES: usize = 16 * 1024;
const PROFILE_CLAIMS: [&str; 4] = ["name", "preferred_username", "email", "email_verified"];
/// Claims about the ID token, not about the user.
const TOKEN_CLAIMS: [&str; 12] =
    ["iss", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "c_hash", "jti", "auth_time", SESSION_CLAIM];

/// A login at another authorization server or OpenID provider: this server is one client there.
///
/// The user consents to each MCP client on the page of this server first, so that a client cannot use the session of
/// the user at the upstream server (confused deputy). The code flow uses PKCE, a random `state` that is bound to the
/// browser, a nonce and the check of `iss`. MCP clients receive tokens of this server only; those of the upstream
/// server stay in memory.
///
/// When an MCP client refreshes its tokens, or a browser with a session authorizes a client, the upstream tokens are
/// refreshed too if they have expired; if the upstream server rejects that, the grant or the session is revoked. This
/// is not checked for logins before a restart of the process, and for upstream servers that issue no refresh token,
/// unless [`UpstreamOptions::require_live_session`] is set.
///
/// Clones share the tokens. Use it with [`StoredProvider`](crate::authorization_server::StoredProvider):
///
/// ```
/// use ferromcp_auth::authorization_server::{StoredProvider, UpstreamLogin, UpstreamOptions};
///
/// # fn main() -> Result<(), ferromcp_auth::AuthError> {
/// let options = UpstreamOptions::new("https://login.example.com", "client-id", "client-secret");
/// let login = UpstreamLogin::new(options)?;
/// let provider = StoredProvider::new(login.clone());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a login does nothing until it is passed to a provider"]
pub struct UpstreamLogin(Arc<Inner>);

struct Inner {
    exchange: Exchange,
    sessions: Sessions,
}

impl UpstreamLogin {
    /// Creates a login.
    ///
    /// # Errors
    /// Fails if a URL of the options is invalid, does not use HTTPS, or has an address that is not allowed, or
    /// if the options do not suffice to identify users.
    pub fn new(options: UpstreamOptions) -> Result<Self, AuthError> {
        Ok(Self(Arc::new(Inner { exchange: Exchange::new(options)?, sessions: Sessions::new() })))
    }

    /// Returns an access token of the upstream server, with which a handler can call its API for the user. `session` is
    /// the claim `upstream_session` of the principal. The token must not be sent to the MCP client.
    ///
    /// `None` if the tokens are not known, for example after a restart, or the upstream server has revoked them. The
    /// user must then log in again.
    ///
    /// # Errors
    /// Fails if the upstream server cannot be reached to refresh the token.
    pub async fn access_token(&self, session: &str) -> Result<Option<Secret>, OAuthError> {
        Ok(match self.status(session).await? {
            Status::Active(token) => Some(token),
            Status::Expired | Status::Revoked | Status::Unknown => None,
        })
    }

    /// Returns the state of a login. The refresh of its tokens is completed even if this future is dropped, because a
    /// refresh token may be usable only once.
    async fn status(&self, session: &str) -> Result<Status, OAuthError> {
        let (inner, session) = (Arc::clone(&self.0), session.to_owned());
        let task = tokio::spawn(async move { inner.sessions.status(&session, &inner.exchange).await });
        task.await.map_err(|error| OAuthError::server_error(format!("the refresh upstream failed: {error}")))?
    }

    fn options(&self) -> &UpstreamOptions {
        &self.0.exchange.options
    }

    async fn start(&self, request: LoginRequest<'_>) -> Result<LoginOutcome, OAuthError> {
        let exchange = &self.0.exchange;
        let endpoints = exchange.endpoints().await?;
        let challenge = sha256_base64(verifier(&request).expose().as_bytes());
        let nonce = nonce(&request);
        let mut parameters = vec![
            ("redirect_uri", request.callback_url),
            ("state", request.state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        if self.options().scopes.iter().any(|scope| scope == "openid") {
            parameters.push(("nonce", nonce.expose()));
        }
        Ok(LoginOutcome::Redirect(exchange.authorization_url(&endpoints, &parameters)?))
    }

    async fn finish(&self, request: LoginRequest<'_>) -> Result<LoginOutcome, OAuthError> {
        let exchange = &self.0.exchange;
        self.check_issuer_of(&request).await?;
        if let Some(error) = request.callback_parameter("error") {
            return Err(match error {
                "access_denied" => OAuthError::access_denied("the user did not log in"),
                "temporarily_unavailable" | "server_error" => super::exchange::unavailable(),
                other => OAuthError::server_error(format!("the upstream server reports `{}`", excerpt(other))),
            });
        }
        let code = request.callback_parameter("code");
        let code = code.ok_or_else(|| OAuthError::server_error("the upstream server sent no code"))?;
        let verifier = verifier(&request);
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", request.callback_url),
            ("code_verifier", verifier.expose()),
        ];
        let tokens = exchange.tokens(&parameters).await.map_err(|failure| match failure {
            TokenFailure::InvalidGrant => OAuthError::server_error("the upstream server rejected its own code"),
            TokenFailure::Other(error) => error,
        })?;
        let claims = exchange.claims(&tokens, &nonce(&request)).await?;
        let user = self.user(claims)?;
        if self.options().is_allowed.as_ref().is_some_and(|is_allowed| !is_allowed(&user)) {
            tracing::warn!(subject = %excerpt(&user.subject), "login rejected by `UpstreamOptions::allow_user`");
            return Err(OAuthError::access_denied("the user may not use this service"));
        }
        self.keep(user, tokens).map(LoginOutcome::Authenticated)
    }

    /// Checks the issuer of a response (RFC 9207), before anything else of it is used.
    async fn check_issuer_of(&self, request: &LoginRequest<'_>) -> Result<(), OAuthError> {
        let sent = request.callback_parameter("iss");
        let is_required = self.0.exchange.endpoints().await?.sends_issuer;
        match sent {
            Some(issuer) if issuer == self.options().issuer => Ok(()),
            None if !is_required => Ok(()),
            _ => Err(OAuthError::server_error("the response is of another upstream server: its `iss` differs")),
        }
    }

    pub(super) fn user(&self, claims: Map<String, Value>) -> Result<User, OAuthError> {
        let name = &self.options().subject_claim;
        let subject = match claims.get(name) {
            Some(Value::String(subject)) if !subject.is_empty() => subject.clone(),
            Some(Value::Number(number)) if number.is_u64() || number.is_i64() => number.to_string(),
            _ => {
                let text = format!("cannot identify the user: the claim `{name}` is missing or not a text");
                return Err(OAuthError::server_error(text));
            }
        };
        let names = ["name", "preferred_username", "login", "email"];
        let display = names.into_iter().find_map(|name| claims.get(name)?.as_str());
        let mut user = User::new(subject);
        user.name = display.map(|name| excerpt(name).to_string());
        user.claims = claims;
        user.claims.retain(|name, _| !TOKEN_CLAIMS.contains(&name.as_str()));
        if serde_json::to_string(&user.claims).map_or(usize::MAX, |json| json.len()) > MAX_CLAIMS_BYTES {
            tracing::warn!("the claims of a user exceed {MAX_CLAIMS_BYTES} bytes; only the name and email are stored");
            user.claims.retain(|name, value| {
                PROFILE_CLAIMS.contains(&name.as_str()) && value.as_str().is_none_or(|text| text.len() <= 1024)
            });
        }
        Ok(user)
    }

    fn keep(&self, user: User, mut tokens: UpstreamTokens) -> Result<User, OAuthError> {
        tokens.id_token = None;
        let reference = self.0.sessions.insert(tokens)?;
        Ok(user.with_claim(SESSION_CLAIM, reference.clone()).with_reference(reference))
    }
}

fn verifier(request: &LoginRequest<'_>) -> Secret {
    request.derived_secret("pkce")
}

fn nonce(request: &LoginRequest<'_>) -> Secret {
    request.derived_secret("nonce")
}

impl UserLogin for UpstreamLogin {
    fn login<'a>(&'a self, request: LoginRequest<'a>) -> ProviderFuture<'a, LoginOutcome> {
        Box::pin(async move {
            if request.state.is_empty() || request.form.is_some() {
                return Err(OAuthError::server_error("a login at an upstream server has no form"));
            }
            if request.callback.is_some() { self.finish(request).await } else { self.start(request).await }
        })
    }

    fn delegation(&self) -> Option<Delegation> {
        let options = self.options();
        let host = || Url::parse(&options.issuer).ok()?.host_str().map(str::to_owned);
        let name = options.name.clone().or_else(host).unwrap_or_else(|| options.issuer.clone());
        Some(Delegation::new(name, options.scopes.iter().cloned()))
    }

    fn callback_path(&self) -> &str {
        &self.options().callback_path
    }

    fn is_active<'a>(&'a self, user: &'a User) -> ProviderFuture<'a, bool> {
        Box::pin(async move {
            if self.options().is_allowed.as_ref().is_some_and(|is_allowed| !is_allowed(user)) {
                tracing::warn!(subject = %excerpt(&user.subject), "access ended by `UpstreamOptions::allow_user`");
                return Ok(false);
            }
            let Some(reference) = &user.reference else { return Ok(true) };
            Ok(match self.status(reference).await? {
                Status::Active(_) => true,
                Status::Expired | Status::Unknown => !self.options().requires_live_session,
                Status::Revoked => false,
            })
        })
    }
}

impl fmt::Debug for UpstreamLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamLogin").field("options", self.options()).finish_non_exhaustive()
    }
}
