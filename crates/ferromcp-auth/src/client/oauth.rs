//! [`OAuth`]: credentials of an MCP client.

use std::fmt;
use std::sync::Arc;

use ferromcp_client::http::{Challenge, ChallengeAction, Credentials, CredentialsFuture, Request};
use ferromcp_core::{RawJson, RawMap};
use http::{HeaderMap, StatusCode};
use url::Url;

use super::challenge::{self, bearer};
use super::inner::Inner;
use super::options::OAuthOptions;
use super::store::StoredCredentials;
use crate::error::AuthError;
use crate::fetch::{Fetcher, Network};
use crate::random::sha256_base64;

/// The extension that binds tokens to keys.
const DPOP_EXTENSION: &str = "io.modelcontextprotocol/auth/dpop";

/// OAuth credentials of a client, for one MCP server. Clones share their tokens.
///
/// Set them with [`ClientBuilder::credentials`](ferromcp_client::ClientBuilder::credentials). A login starts when the
/// server responds with status 401. The timeout of the request starts again after the login; its time limit
/// ([`ClientLimits::request_time_limit`](ferromcp_client::ClientLimits::request_time_limit)) includes it.
///
/// Concurrent requests share one login and one refresh; if the login fails, all requests that wait for it fail.
/// Processes share them too if their store supports locks. After a login, the request is sent again. If the server then
/// rejects the token, requests fail for one minute without another login.
///
/// # Cancellation
/// Dropping the request, or the future of `login`, cancels the login, and so does [`logout`](Self::logout). The next
/// request starts another one. A refresh continues in a task, and saves the new refresh token, unless the runtime is shut
/// down or the process is killed. Then most servers reject the previous one, and the user logs in again.
#[derive(Clone)]
pub struct OAuth(Arc<Inner>);

impl OAuth {
    /// Creates the credentials. Nothing is sent yet.
    ///
    /// # Errors
    /// Fails if a URL in the options is invalid, or that of the server uses plain HTTP on another machine.
    pub fn new(options: OAuthOptions) -> Result<Self, AuthError> {
        let mut server = Url::parse(&options.server)
            .map_err(|error| AuthError::configuration("invalid URL of the MCP server").with_source(error))?;
        server.set_fragment(None);
        if !server.username().is_empty() || server.password().is_some() {
            return Err(AuthError::configuration("the URL of the MCP server contains a user; remove it"));
        }
        let of_server = Network::of(&server);
        let network = if options.private_networks { Network::Any } else { of_server };
        if server.scheme() != "https" && of_server != Network::Loopback {
            return Err(AuthError::configuration(
                "tokens are sent with https only, except to the loopback interface; change the URL of the MCP server",
            ));
        }
        options.check_metadata_url()?;
        options.check_parameters()?;
        let fetcher = Fetcher::new(network)?;
        Ok(Self(Arc::new(Inner::new(options, server, fetcher))))
    }

    /// Logs in, unless there is a token that has not expired or can be refreshed.
    ///
    /// Returns `false` if the server does not respond to a GET request without a token with status 401.
    ///
    /// # Errors
    /// Fails if the login fails, a server cannot be reached, or the store fails. If the credentials cannot be saved,
    /// requests use them until the process exits.
    pub async fn login(&self) -> Result<bool, AuthError> {
        let mut session = self.0.lock_session().await?;
        self.0.load(&mut session).await?;
        if session.tokens.is_some() {
            if !session.needs_refresh() {
                return Ok(true);
            }
            let (guard, renewed) = self.0.refresh(session).await;
            session = guard;
            if renewed? {
                return Ok(true);
            }
        }
        let probe = self.0.fetcher.probe(self.0.server.as_str()).await?.ensure_available(self.0.server.as_str())?;
        if probe.status != StatusCode::UNAUTHORIZED {
            return Ok(false);
        }
        let challenges = challenge::parse(probe.headers.get_all(http::header::WWW_AUTHENTICATE).iter());
        let mut session = self.0.authorize(session, bearer(&challenges), true).await?;
        if session.is_unsaved {
            session.save(self.0.options.store.as_ref(), self.0.server.as_str()).await?;
        }
        Ok(true)
    }

    /// Removes the credentials from memory and from the store, and revokes the tokens at the authorization server.
    ///
    /// Returns `true` if the tokens were revoked, or the client had no tokens. Otherwise they remain valid until they
    /// expire: the authorization server has no revocation endpoint (RFC 7009), cannot be reached, does not respond within
    /// 10 seconds, or rejects the request. A warning in the log has the cause.
    ///
    /// A login in progress is cancelled. Other processes that share the store use the access token in their memory until it
    /// expires or the server rejects it.
    ///
    /// # Errors
    /// Fails if the store cannot be written. The credentials are removed from memory, and the tokens are revoked if possible.
    ///
    /// # Cancellation
    /// If the future is dropped after the credentials were removed from memory, the logout continues in a task.
    pub async fn logout(&self) -> Result<bool, AuthError> {
        self.0.log_out().await
    }

    /// Returns the stored credentials; `None` if the store has none.
    ///
    /// # Errors
    /// Fails if the store cannot be read.
    pub async fn stored(&self) -> Result<Option<StoredCredentials>, AuthError> {
        self.0.options.store.load(self.0.server.as_str()).await
    }
}

impl Credentials for OAuth {
    fn authorize<'a>(&'a self, request: Request<'a>, headers: &'a mut HeaderMap) -> CredentialsFuture<'a, ()> {
        Box::pin(async move { Ok(self.0.add_token(request, headers).await?) })
    }

    fn challenged<'a>(&'a self, challenge: &'a Challenge) -> CredentialsFuture<'a, ChallengeAction> {
        Box::pin(async move { Ok(self.0.respond(challenge).await?) })
    }

    /// Returns a digest of the access token: another token is another authorization context.
    fn cache_partition(&self) -> String {
        let token = self.0.current(|current| current.token.as_ref().map(|token| token.access.clone()));
        token.map(|token| sha256_base64(token.expose().as_bytes())).unwrap_or_default()
    }

    /// Returns the extension of the grant, and that of DPoP.
    fn extensions(&self) -> RawMap {
        let dpop = self.0.options.dpop.then_some(DPOP_EXTENSION);
        let mut extensions = RawMap::new();
        for id in self.0.options.grant.extension().into_iter().chain(dpop) {
            extensions.insert(id, RawJson::empty_object());
        }
        extensions
    }

    fn response_received(&self, headers: &HeaderMap) {
        let dpop = self.0.current(|current| current.token.as_ref().and_then(|token| token.dpop.clone()));
        if let Some(dpop) = dpop {
            dpop.record_nonce(self.0.server.as_str(), headers);
        }
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_token = self.0.current(|current| current.token.is_some());
        f.debug_struct("OAuth").field("options", &self.0.options).field("has_token", &has_token).finish_non_exhaustive()
    }
}
