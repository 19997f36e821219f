//! [`Inner`]: the state of [`OAuth`](super::OAuth), whose requests share one login and one refresh.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use ferromcp_client::http::Request;
use ferromcp_core::text::excerpt;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;
use url::Url;

use super::challenge::AuthChallenge;
use super::discovery::Discovery;
use super::dpop::DpopKey;
use super::flow::Flow;
use super::login_step::LoginStep;
use super::options::OAuthOptions;
use super::pending_logouts::PendingLogouts;
use super::session::{REFRESH_MARGIN, Session};
use super::store::StoreLock;
use super::task::uncancelled;
use super::token::Tokens;
use crate::Secret;
use crate::clock::now;
use crate::dpop_headers::PROOF_HEADER;
use crate::error::{AuthError, AuthErrorKind};
use crate::fetch::Fetcher;
use crate::scopes::Scopes;

/// How long the client waits for another process until a message is logged.
const NOTICE_TIME: Duration = Duration::from_secs(1);

const REVISION_HEADER: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// The state of [`OAuth`](super::OAuth).
pub(super) struct Inner {
    pub(super) options: OAuthOptions,
    /// The URL of the server, which is the key in the store.
    pub(super) server: Url,
    pub(super) fetcher: Fetcher,
    session: Arc<Mutex<Session>>,
    current: RwLock<Current>,
    logouts: PendingLogouts,
}

/// The state that requests read without waiting for a login.
#[derive(Default)]
pub(super) struct Current {
    pub(super) token: Option<Token>,
    /// The revision of the last request.
    revision: Option<HeaderValue>,
    /// Whether the credentials were loaded from the store.
    is_loaded: bool,
}

/// An access token, as requests send it.
#[derive(Clone)]
pub(super) struct Token {
    /// The value of the `Authorization` header.
    pub(super) header: HeaderValue,
    pub(super) access: Secret,
    refresh_at: Option<u64>,
    pub(super) dpop: Option<Arc<DpopKey>>,
}

impl Inner {
    pub(super) fn new(options: OAuthOptions, server: Url, fetcher: Fetcher) -> Self {
        Self {
            options,
            server,
            fetcher,
            session: Arc::default(),
            current: RwLock::default(),
            logouts: PendingLogouts::default(),
        }
    }

    pub(super) fn flow(&self) -> Flow<'_> {
        Flow { options: &self.options, fetcher: &self.fetcher, server_url: &self.server }
    }

    pub(super) fn current<T>(&self, read: impl FnOnce(&Current) -> T) -> T {
        read(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the tokens of the session available to requests.
    pub(super) fn publish(&self, session: &Session) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.is_loaded = session.is_loaded;
        current.token = session.tokens.as_ref().and_then(|tokens| Token::new(tokens, session));
    }

    /// Locks the session.
    ///
    /// # Errors
    /// Fails if the login of another request failed while this one waited: the user is not prompted for each request.
    pub(super) async fn lock_session(&self) -> Result<OwnedMutexGuard<Session>, AuthError> {
        let start = Instant::now();
        let session = Arc::clone(&self.session).lock_owned().await;
        session.failure_since(start).map_or(Ok(session), Err)
    }

    /// Cancels a login, and locks the session. A refresh in progress is not cancelled.
    pub(super) async fn interrupt(&self) -> OwnedMutexGuard<Session> {
        let _pending = self.logouts.record();
        Arc::clone(&self.session).lock_owned().await
    }

    pub(super) async fn load(&self, session: &mut Session) -> Result<(), AuthError> {
        if !session.is_loaded {
            session.load(self.options.store.as_ref(), self.server.as_str()).await?;
            self.publish(session);
        }
        Ok(())
    }

    pub(super) fn discovery<'a>(&'a self, revision: Option<&'a HeaderValue>) -> Discovery<'a> {
        let (fetcher, server_url) = (&self.fetcher, &self.server);
        Discovery { fetcher, server_url, revision, tolerances: &self.options.tolerances }
    }

    /// Discovers the authorization server. `metadata_url` is the URL in a challenge.
    pub(super) async fn discover(&self, session: &mut Session, metadata_url: Option<&str>) -> Result<(), AuthError> {
        let revision = self.current(|current| current.revision.clone());
        let discovery = self.discovery(revision.as_ref());
        let configured = self.options.registration.as_ref().and_then(|registration| registration.issuer.as_deref());
        let pinned = self.options.issuer.as_deref();
        let known = pinned.or(configured).or(session.issuer.as_deref()).map(str::to_owned);
        let discovered = discovery.run(metadata_url, |issuer| known.as_deref() == Some(issuer)).await?;
        let found = &discovered.server.issuer;
        if let Some(pinned) = pinned.filter(|pinned| pinned != found) {
            return Err(AuthError::configuration(format!(
                "the MCP server names authorization server {}, but only {} is allowed; if the server has moved, change \
                 `OAuthOptions::authorization_server`",
                excerpt(found),
                excerpt(pinned)
            )));
        }
        session.set_server(discovered, metadata_url);
        Ok(())
    }

    /// Locks the store against other processes. A store that cannot be locked does not prevent a login.
    pub(super) async fn lock_store(&self) -> StoreLock {
        let mut lock = self.options.store.lock(self.server.as_str());
        let lock = if let Ok(lock) = timeout(NOTICE_TIME, &mut lock).await {
            lock
        } else {
            tracing::info!("waiting for another process that logs in or refreshes the credentials");
            lock.await
        };
        lock.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot lock the credential store; another process may use the same refresh token");
            Box::new(())
        })
    }

    /// Refreshes the tokens, unless another process has done so. Returns whether there are new tokens.
    ///
    /// A refresh that has started is not cancelled.
    pub(super) async fn refresh(
        self: &Arc<Self>,
        mut session: OwnedMutexGuard<Session>,
    ) -> (OwnedMutexGuard<Session>, Result<bool, AuthError>) {
        let lock = match self.logouts.cancel(self.lock_store()).await {
            Ok(lock) => lock,
            Err(error) => return (session, Err(error)),
        };
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
                session.record_discovery();
            }
            let result = self.flow().refresh(session).await;
            self.publish(session);
            if result.is_err() {
                // The endpoint may have moved; the next refresh discovers it again.
                session.discovered = None;
            }
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
    pub(super) async fn authorize(
        self: &Arc<Self>,
        mut session: OwnedMutexGuard<Session>,
        challenge: Option<&AuthChallenge>,
        may_adopt: bool,
    ) -> Result<OwnedMutexGuard<Session>, AuthError> {
        let result = self.logouts.cancel(self.authorize_locked(&mut session, challenge, may_adopt)).await;
        let result = result.and_then(|result| result);
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
        let metadata_url = challenge.and_then(|challenge| challenge.get("resource_metadata"));
        self.options.report(|| LoginStep::Challenged {
            resource_metadata: metadata_url.map(str::to_owned),
            scope: challenge.and_then(|challenge| challenge.get("scope")).map(str::to_owned),
        });
        if !session.take_discovery(metadata_url) {
            self.discover(session, metadata_url).await?;
        }
        if let Some(discovered) = &session.discovered {
            self.options.report(|| discovered.login_step());
        }
        let lock = self.lock_store().await;
        let mut scopes = challenge.and_then(|challenge| challenge.get("scope")).map(Scopes::parse).unwrap_or_default();
        if scopes.is_empty() && challenge.is_some_and(|challenge| challenge.get("error") == Some("insufficient_scope"))
        {
            // The server does not name the missing scopes; the metadata may.
            scopes = session.discovered.iter().flat_map(|discovered| &discovered.scopes_supported).collect();
        }
        // The tokens of another process are loaded in any case, so that older ones do not replace them in the store.
        let is_new = session.load(store, key).await? && session.is_valid();
        if is_new && (may_adopt || session.has_scopes(&scopes)) {
            return Ok(None);
        }
        let result = self.flow().authorize(session, &scopes).await;
        if result.is_err() {
            // A registration is stored even if the user cancels.
            self.save(session).await;
        }
        result.map(|()| Some(lock))
    }

    pub(super) async fn add_token(
        self: &Arc<Self>,
        request: Request<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), AuthError> {
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
            headers.insert(PROOF_HEADER, dpop.proof(request.method().as_str(), request.url(), Some(&token.access))?);
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
