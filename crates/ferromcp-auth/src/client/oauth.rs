//! [`OAuth`]: credentials of an MCP client.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use ferromcp_client::http::{Challenge, ChallengeAction, Credentials, CredentialsFuture, Request};
use ferromcp_core::text::excerpt;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::sync::{Mutex, OwnedMutexGuard};
use url::Url;

use super::challenge::{self, AuthChallenge};
use super::discovery::Discovery;
use super::dpop::DpopKey;
use super::flow::Flow;
use super::options::OAuthOptions;
use super::session::{REFRESH_MARGIN, Session};
use super::store::{StoreLock, StoredCredentials};
use super::task::uncancelled;
use super::token::Tokens;
use crate::Secret;
use crate::clock::now;
use crate::error::{AuthError, AuthErrorKind};
use crate::fetch::{Fetcher, Network};
use crate::random::sha256_base64;
use crate::scopes::Scopes;

/// The number of challenges after which a request no longer authorizes with more scopes or retries with a DPoP nonce.
const MAX_ATTEMPTS: u32 = 2;

const REVISION_HEADER: HeaderName = HeaderName::from_static("mcp-protocol-version");
const DPOP_HEADER: HeaderName = HeaderName::from_static("dpop");

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
/// Dropping the request, or the future of `login`, cancels the login. The next request starts another one. A refresh
/// continues in a task, and saves the new refresh token, unless the runtime is shut down or the process is killed. Then
/// most servers reject the previous one, and the user logs in again.
#[derive(Clone)]
pub struct OAuth(Arc<Inner>);

struct Inner {
    options: OAuthOptions,
    /// The URL of the server, which is the key in the store.
    server: Url,
    fetcher: Fetcher,
    session: Arc<Mutex<Session>>,
    current: RwLock<Current>,
}

/// The state that requests read without waiting for a login.
#[derive(Default)]
struct Current {
    token: Option<Token>,
    /// The revision of the last request.
    revision: Option<HeaderValue>,
    /// Whether the credentials were loaded from the store.
    is_loaded: bool,
}

#[derive(Clone)]
struct Token {
    /// The value of the `Authorization` header.
    header: HeaderValue,
    access: Secret,
    refresh_at: Option<u64>,
    dpop: Option<Arc<DpopKey>>,
}

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
        let fetcher = Fetcher::new(network)?;
        let inner = Inner { options, server, fetcher, session: Arc::default(), current: RwLock::default() };
        Ok(Self(Arc::new(inner)))
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

    /// Removes the credentials from memory and from the store. The authorization server is not notified: the tokens
    /// remain valid until they expire. Other processes continue to use the access token in their memory.
    ///
    /// # Errors
    /// Fails if the store cannot be written.
    pub async fn logout(&self) -> Result<(), AuthError> {
        let mut session = Arc::clone(&self.0.session).lock_owned().await;
        *session = Session::default();
        session.is_loaded = true;
        self.0.publish(&session);
        self.0.options.store.remove(self.0.server.as_str()).await
    }

    /// Returns the stored credentials; `None` if the store has none.
    ///
    /// # Errors
    /// Fails if the store cannot be read.
    pub async fn stored(&self) -> Result<Option<StoredCredentials>, AuthError> {
        self.0.options.store.load(self.0.server.as_str()).await
    }
}

impl Inner {
    fn flow(&self) -> Flow<'_> {
        Flow { options: &self.options, fetcher: &self.fetcher, server_url: &self.server }
    }

    fn current<T>(&self, read: impl FnOnce(&Current) -> T) -> T {
        read(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the tokens of the session available to requests.
    fn publish(&self, session: &Session) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.is_loaded = session.is_loaded;
        current.token = session.tokens.as_ref().and_then(|tokens| Token::new(tokens, session));
    }

    /// Locks the session.
    ///
    /// # Errors
    /// Fails if the login of another request failed while this one waited: the user is not prompted for each request.
    async fn lock_session(&self) -> Result<OwnedMutexGuard<Session>, AuthError> {
        let start = Instant::now();
        let session = Arc::clone(&self.session).lock_owned().await;
        session.failure_since(start).map_or(Ok(session), Err)
    }

    async fn load(&self, session: &mut Session) -> Result<(), AuthError> {
        if !session.is_loaded {
            session.load(self.options.store.as_ref(), self.server.as_str()).await?;
            self.publish(session);
        }
        Ok(())
    }

    /// Discovers the authorization server. `metadata_url` is the URL in a challenge.
    async fn discover(&self, session: &mut Session, metadata_url: Option<&str>) -> Result<(), AuthError> {
        let revision = self.current(|current| current.revision.clone());
        let discovery = Discovery {
            fetcher: &self.fetcher,
            server_url: &self.server,
            revision: revision.as_ref(),
            tolerances: &self.options.tolerances,
        };
        let configured = self.options.registration.as_ref().and_then(|registration| registration.issuer.as_deref());
        let known = configured.or(session.issuer.as_deref()).map(str::to_owned);
        let discovered = discovery.run(metadata_url, |issuer| known.as_deref() == Some(issuer)).await?;
        session.metadata_url = metadata_url.map(str::to_owned);
        session.set_server(discovered);
        Ok(())
    }

    /// Locks the store against other processes. A store that cannot be locked does not prevent a login.
    async fn lock_store(&self) -> StoreLock {
        self.options.store.lock(self.server.as_str()).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot lock the credential store; another process may use the same refresh token");
            Box::new(())
        })
    }

    /// Refreshes the tokens, unless another process has done so. Returns whether there are new tokens.
    ///
    /// A refresh that has started is not cancelled.
    async fn refresh(
        self: &Arc<Self>,
        mut session: OwnedMutexGuard<Session>,
    ) -> (OwnedMutexGuard<Session>, Result<bool, AuthError>) {
        let lock = self.lock_store().await;
        let inner = Arc::clone(self);
        let refresh = async move {
            let result = inner.refresh_locked(&mut session).await;
            drop(lock);
            (session, result)
        };
        uncancelled(refresh).await
    }

    async fn refresh_locked(&self, session: &mut Session) -> Result<bool, AuthError> {
        let (store, key) = (self.options.store.as_ref(), self.server.as_str());
        let mut renewed = session.load(store, key).await? && session.is_valid() && !session.needs_refresh();
        if !renewed && session.refresh_token().is_some() {
            if session.discovered.is_none() {
                let metadata_url = session.metadata_url.clone();
                self.discover(session, metadata_url.as_deref()).await?;
            }
            let result = self.flow().refresh(session).await;
            self.publish(session);
            renewed = result?;
            self.save(session).await;
        }
        self.publish(session);
        Ok(renewed)
    }

    /// Saves the credentials. If the store fails, they remain in memory.
    async fn save(&self, session: &mut Session) {
        if let Err(error) = session.save(self.options.store.as_ref(), self.server.as_str()).await {
            tracing::warn!(%error, "cannot save the credentials; they are lost when the process exits");
        }
    }

    /// Obtains new tokens, unless another process has done so.
    async fn authorize(
        self: &Arc<Self>,
        mut session: OwnedMutexGuard<Session>,
        challenge: Option<&AuthChallenge>,
        may_adopt: bool,
    ) -> Result<OwnedMutexGuard<Session>, AuthError> {
        let result = self.authorize_locked(&mut session, challenge, may_adopt).await;
        self.publish(&session);
        match result {
            Ok(None) => Ok(session),
            Ok(Some(lock)) => Ok(self.save_uncancelled(session, lock).await),
            Err(error) => {
                session.record_failure(&error);
                Err(error)
            }
        }
    }

    async fn save_uncancelled(
        self: &Arc<Self>,
        mut session: OwnedMutexGuard<Session>,
        lock: StoreLock,
    ) -> OwnedMutexGuard<Session> {
        let inner = Arc::clone(self);
        let save = async move {
            inner.save(&mut session).await;
            drop(lock);
            session
        };
        uncancelled(save).await
    }

    /// Obtains new tokens, and returns the lock of the store; `None` if another process has obtained and saved them.
    async fn authorize_locked(
        &self,
        session: &mut Session,
        challenge: Option<&AuthChallenge>,
        may_adopt: bool,
    ) -> Result<Option<StoreLock>, AuthError> {
        let (store, key) = (self.options.store.as_ref(), self.server.as_str());
        self.discover(session, challenge.and_then(|challenge| challenge.get("resource_metadata"))).await?;
        let lock = self.lock_store().await;
        let scopes = challenge.and_then(|challenge| challenge.get("scope")).map(Scopes::parse).unwrap_or_default();
        // The tokens of another process are loaded in any case, so that older ones do not replace them in the store.
        let is_new = session.load(store, key).await? && session.is_valid();
        if is_new && (may_adopt || session.has_scopes(&scopes)) {
            return Ok(None);
        }
        let result = self.flow().authorize(session, &scopes).await;
        if result.is_err() {
            // A registration is kept even if the user cancels.
            self.save(session).await;
        }
        result.map(|()| Some(lock))
    }

    async fn add_token(self: &Arc<Self>, request: Request<'_>, headers: &mut HeaderMap) -> Result<(), AuthError> {
        let url = Url::parse(request.url()).ok().filter(|url| url.origin() == self.server.origin());
        if url.is_none() {
            return Err(AuthError::configuration(format!(
                "the credentials are for {} and are not sent to other origins; set the URL of the server in `OAuthOptions::new`",
                self.server.origin().ascii_serialization()
            )));
        }
        self.record_revision(headers);
        let (token, is_loaded) = self.current(|current| (current.token.clone(), current.is_loaded));
        let token = match token {
            Some(token) if token.refresh_at.is_none_or(|at| at > now()) => Some(token),
            None if is_loaded => None,
            _ => self.renewed().await?,
        };
        let Some(token) = token else { return Ok(()) };
        if let Some(dpop) = &token.dpop {
            headers.insert(DPOP_HEADER, dpop.proof(request.method().as_str(), request.url(), Some(&token.access))?);
        }
        headers.insert(AUTHORIZATION, token.header);
        Ok(())
    }

    /// Returns the token after loading or refreshing it.
    async fn renewed(self: &Arc<Self>) -> Result<Option<Token>, AuthError> {
        let mut session = Arc::clone(&self.session).lock_owned().await;
        self.load(&mut session).await?;
        if session.needs_refresh() {
            let (session, result) = self.refresh(session).await;
            match result {
                Ok(_) => {}
                // The token is still valid for some seconds, or the challenge of the server names its metadata.
                Err(error) if session.is_valid() || error.kind() == AuthErrorKind::Discovery => {
                    tracing::warn!(%error, "cannot refresh the access token");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.current(|current| current.token.clone()))
    }

    fn record_revision(&self, headers: &HeaderMap) {
        if let Some(revision) = headers.get(REVISION_HEADER)
            && self.current(|current| current.revision.as_ref() != Some(revision))
        {
            self.current.write().unwrap_or_else(PoisonError::into_inner).revision = Some(revision.clone());
        }
    }

    async fn respond(self: &Arc<Self>, challenge: &Challenge) -> Result<ChallengeAction, AuthError> {
        let challenges = challenge::parse(challenge.www_authenticate());
        let bearer = bearer(&challenges);
        let error = bearer.and_then(|bearer| bearer.get("error"));
        let is_unauthorized = challenge.status() == StatusCode::UNAUTHORIZED.as_u16();
        if is_unauthorized && error == Some("use_dpop_nonce") && challenge.attempt() < MAX_ATTEMPTS {
            return Ok(ChallengeAction::Retry); // with the nonce of the response
        }
        if !is_unauthorized && error != Some("insufficient_scope") {
            return Ok(ChallengeAction::GiveUp);
        }
        let mut session = self.lock_session().await?;
        self.load(&mut session).await?;
        // Another request has renewed the token meanwhile.
        let sent = challenge.sent_authorization();
        if self.current(|current| current.token.as_ref().is_some_and(|token| Some(&token.header) != sent)) {
            return Ok(ChallengeAction::Retry);
        }
        if is_unauthorized {
            self.log_in_again(session, challenge.attempt(), bearer, sent.is_some()).await
        } else {
            self.step_up(session, challenge.attempt(), bearer).await
        }
    }

    /// Handles a 401 response: refreshes a token that was rejected, or authorizes again.
    async fn log_in_again(
        self: &Arc<Self>,
        mut session: OwnedMutexGuard<Session>,
        attempt: u32,
        challenge: Option<&AuthChallenge>,
        had_token: bool,
    ) -> Result<ChallengeAction, AuthError> {
        if had_token {
            // A token that was just obtained and rejected is not renewed again.
            if attempt > 0 && session.is_from_login {
                session.record_rejected();
            }
            if session.is_rejected() {
                tracing::warn!("the server rejects the token of the last login");
                return Ok(ChallengeAction::GiveUp);
            }
            self.discover(&mut session, challenge.and_then(|challenge| challenge.get("resource_metadata"))).await?;
            if attempt == 0 && session.tokens.is_some() {
                let (guard, renewed) = self.refresh(session).await;
                session = guard;
                if renewed? {
                    return Ok(ChallengeAction::Retry);
                }
            }
        }
        self.authorize(session, challenge, !had_token).await?;
        Ok(ChallengeAction::Retry)
    }

    /// Handles a 403 response: authorizes with more scopes.
    async fn step_up(
        self: &Arc<Self>,
        mut session: OwnedMutexGuard<Session>,
        attempt: u32,
        challenge: Option<&AuthChallenge>,
    ) -> Result<ChallengeAction, AuthError> {
        let challenged = challenge.and_then(|challenge| challenge.get("scope")).map(Scopes::parse).unwrap_or_default();
        let wanted = session.requested.clone().union(&challenged);
        let was_requested = attempt > 0 && session.requested.contains_all(&challenged);
        if was_requested {
            session.record_refused(wanted.clone());
        }
        if attempt >= MAX_ATTEMPTS || was_requested || session.is_refused(&wanted) {
            tracing::warn!(scope = %excerpt(&challenged.to_string()), "the server requires scopes that were not granted");
            return Ok(ChallengeAction::GiveUp);
        }
        self.authorize(session, challenge, false).await?;
        Ok(ChallengeAction::Retry)
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

    fn response_received(&self, headers: &HeaderMap) {
        let dpop = self.0.current(|current| current.token.as_ref().and_then(|token| token.dpop.clone()));
        if let Some(dpop) = dpop {
            dpop.record_nonce(self.0.server.as_str(), headers);
        }
    }
}

impl Token {
    fn new(tokens: &Tokens, session: &Session) -> Option<Self> {
        let dpop = session.dpop.clone().filter(|_| tokens.is_dpop);
        let scheme = if tokens.is_dpop { "DPoP" } else { "Bearer" };
        let mut header = HeaderValue::from_str(&format!("{scheme} {}", tokens.access.expose())).ok()?;
        header.set_sensitive(true);
        let refresh_at = tokens.expires_at.map(|at| at.saturating_sub(REFRESH_MARGIN));
        Some(Self { header, access: tokens.access.clone(), refresh_at, dpop })
    }
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_token = self.0.current(|current| current.token.is_some());
        f.debug_struct("OAuth").field("options", &self.0.options).field("has_token", &has_token).finish_non_exhaustive()
    }
}

/// Returns the challenge of OAuth.
fn bearer(challenges: &[AuthChallenge]) -> Option<&AuthChallenge> {
    let of = |scheme| challenges.iter().find(|challenge| challenge.is(scheme));
    of("DPoP").filter(|challenge| challenge.get("error") == Some("use_dpop_nonce")).or(of("Bearer")).or(of("DPoP"))
}
