//! [`StoredProvider`]: an authorization provider over a store, with login and consent pages.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::consent::{ConsentPages, Site, StandardPages, UserLogin};
use super::memory_store::MemoryAuthorizationStore;
use super::records::PendingAuthorization;
use super::settings::{Clock, PENDING_SECONDS, Settings, seconds};
use super::store::AuthorizationStore;
use super::token::{digest, random};
use super::user::User;
use crate::access_token::AccessToken;
use crate::authorization_server::client::RegisteredClient;
use crate::authorization_server::error::OAuthError;
use crate::authorization_server::provider::{
    AuthorizationCode, AuthorizationProvider, AuthorizationRequest, IssuedTokens, PageFuture, ProviderFuture,
    RefreshToken, TokenContext,
};
use crate::error::AuthError;

/// An authorization provider with a database, a login and a consent page.
///
/// - Codes, tokens and session cookies are random texts of 256 bits, stored as digests.
/// - A code can be exchanged once, in 5 minutes ([`code_lifetime`](Self::code_lifetime)). A second exchange revokes the
///   tokens of the first.
/// - Access tokens expire after an hour, refresh tokens after 30 days without use. A refresh token is exchanged for a
///   new one; a second use revokes the whole grant, except for a repeat within 10 seconds
///   ([`refresh_grace`](Self::refresh_grace)), because clients lose responses.
/// - The user logs in ([`UserLogin`]), and consents to each client on a page with protection against CSRF and framing.
///
/// Clones share the store and the login.
///
/// ```
/// use ferromcp_auth::authorization_server::{PasswordLogin, StoredProvider, User};
///
/// let login = PasswordLogin::new(|name, password| async move {
///     // Compare with a hash of the password here.
///     (name == "ada" && password.expose() == "correct horse").then(|| User::new("ada").with_name("Ada"))
/// });
/// let provider = StoredProvider::new(login).title("Notes").describe_scope("notes:read", "Read your notes");
/// ```
#[must_use = "a provider does nothing until it is passed to an authorization server"]
pub struct StoredProvider<L> {
    pub(super) store: Arc<dyn AuthorizationStore>,
    pub(super) login: Arc<L>,
    pub(super) pages: Arc<dyn ConsentPages>,
    pub(super) settings: Settings,
    /// Set by `start`.
    pub(super) site: Arc<OnceLock<Site>>,
    pub(super) clock: Clock,
}

impl<L: UserLogin> StoredProvider<L> {
    /// Creates a provider with a store in memory.
    pub fn new(login: L) -> Self {
        Self {
            store: Arc::new(MemoryAuthorizationStore::new()),
            login: Arc::new(login),
            pages: Arc::new(StandardPages::new()),
            settings: Settings::default(),
            site: Arc::new(OnceLock::new()),
            clock: Clock::default(),
        }
    }

    /// Sets the store. Default: [`MemoryAuthorizationStore`].
    pub fn store(mut self, store: impl AuthorizationStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Adds a client that the operator has registered. It has priority over a client with the same ID in the store.
    pub fn client(mut self, client: RegisteredClient) -> Self {
        self.settings.clients.push(client);
        self
    }

    /// Sets how long a code can be exchanged: 1 to 10 minutes. Default: 5 minutes.
    pub fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.code_seconds = seconds(lifetime);
        self
    }

    /// Sets how long access tokens are valid. Default: an hour.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.access_seconds = seconds(lifetime);
        self
    }

    /// Sets how long refresh tokens are valid. Each exchange starts the time again. Default: 30 days.
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.refresh_seconds = seconds(lifetime);
        self
    }

    /// Sets how long a client can refresh its tokens before the user must authorize it again. Default: 365 days.
    pub fn grant_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.grant_seconds = seconds(lifetime);
        self
    }

    /// Sets how long a refresh token that was exchanged can be exchanged again, because the response was lost: at most
    /// a minute. The time ends early when a token of that response is exchanged. Default: 10 seconds.
    pub fn refresh_grace(mut self, time: Duration) -> Self {
        self.settings.grace_seconds = seconds(time);
        self
    }

    /// Remembers consents for a time: a user who is logged in does not see the page again for the same client, redirect
    /// URI, resource, and scopes or fewer. Clients with metadata documents whose redirect URIs are all on this machine
    /// are excluded, because any local process can impersonate them. Default: consents are not remembered.
    pub fn remember_consent(mut self, time: Duration) -> Self {
        self.settings.consent_seconds = Some(seconds(time));
        self
    }

    /// Sets the name of the service on the standard pages. Replaces [`pages`](Self::pages).
    pub fn title(self, title: impl Into<String>) -> Self {
        self.pages(StandardPages::new().title(title))
    }

    /// Sets the description of a scope on the consent page.
    pub fn describe_scope(mut self, scope: impl Into<String>, description: impl Into<String>) -> Self {
        self.settings.scope_descriptions.push((scope.into(), description.into()));
        self
    }

    /// Sets the HTML of the pages. Default: [`StandardPages`].
    pub fn pages(mut self, pages: impl ConsentPages) -> Self {
        self.pages = Arc::new(pages);
        self
    }

    /// Grants each authorization without a page, for development. The issuer must be on the loopback interface, and the
    /// login must not need a form.
    pub fn auto_approve(mut self) -> Self {
        self.settings.auto_approve = true;
        self
    }

    /// Returns the user who is logged in with the browser that sent these headers, or `None`.
    ///
    /// A page to which an elicitation sends the user compares it with the subject of the call, so that the user who
    /// completes the page is the one for whom the elicitation was sent.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub async fn browser_user(&self, headers: &HeaderMap) -> Result<Option<User>, OAuthError> {
        let Some(site) = self.site.get() else { return Ok(None) };
        Ok(self.session(site, headers).await?.map(|(_, user)| user))
    }

    /// Revokes all tokens, consents and sessions of a user.
    ///
    /// # Errors
    /// Fails if the store fails.
    pub async fn revoke_user(&self, subject: &str) -> Result<(), OAuthError> {
        self.store.revoke_user(subject).await
    }

    /// Returns the site of an issuer, which must be the same for all requests.
    pub(super) fn site(&self, issuer: &str) -> Result<&Site, AuthError> {
        if self.site.get().is_none() {
            self.settings.check()?;
            self.login.check_issuer(issuer)?;
            let site = Site::new(issuer, self.login.callback_path())?;
            if self.settings.auto_approve && !site.is_loopback {
                return Err(AuthError::configuration(
                    "cannot approve authorizations automatically: the issuer is not on the loopback interface; remove \
                     `auto_approve`",
                ));
            }
            // Another thread may have set it: it is compared below.
            drop(self.site.set(site));
        }
        match self.site.get() {
            Some(site) if site.issuer == issuer => Ok(site),
            _ => Err(AuthError::configuration(
                "cannot use one provider for several issuers; create a provider for each authorization server",
            )),
        }
    }
}

impl<L: UserLogin> AuthorizationProvider for StoredProvider<L> {
    fn get_client<'a>(&'a self, client_id: &'a str) -> ProviderFuture<'a, Option<RegisteredClient>> {
        match self.settings.clients.iter().find(|client| client.client_id == client_id) {
            Some(client) => Box::pin(std::future::ready(Ok(Some(client.clone())))),
            None => self.store.get_client(client_id),
        }
    }

    fn register_client(&self, client: RegisteredClient) -> ProviderFuture<'_, ()> {
        self.store.insert_client(client)
    }

    fn authorize<'a>(
        &'a self,
        client: &'a RegisteredClient,
        request: AuthorizationRequest,
    ) -> ProviderFuture<'a, String> {
        Box::pin(async move {
            let site = self.site(&request.issuer).map_err(|error| OAuthError::server_error(error.to_string()))?;
            let expires_at = self.clock.now().saturating_add(PENDING_SECONDS);
            let pending =
                PendingAuthorization { request, client: without_secret(client), is_approved: false, expires_at };
            if self.settings.auto_approve {
                return self.approve_automatically(site, pending).await;
            }
            let id = random()?;
            self.store.insert_pending(digest(&id), pending).await?;
            Ok(site.consent_url(&id))
        })
    }

    fn load_authorization_code<'a>(
        &'a self,
        client: &'a RegisteredClient,
        code: &'a str,
    ) -> ProviderFuture<'a, Option<AuthorizationCode>> {
        Box::pin(self.load_code(client, code))
    }

    fn exchange_authorization_code<'a>(
        &'a self,
        client: &'a RegisteredClient,
        code: AuthorizationCode,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens> {
        Box::pin(self.exchange_code(client, code, context))
    }

    fn load_refresh_token<'a>(
        &'a self,
        client: &'a RegisteredClient,
        token: &'a str,
    ) -> ProviderFuture<'a, Option<RefreshToken>> {
        Box::pin(self.load_refresh(client, token))
    }

    fn exchange_refresh_token<'a>(
        &'a self,
        client: &'a RegisteredClient,
        token: RefreshToken,
        scopes: Vec<String>,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens> {
        Box::pin(self.exchange_refresh(client, token, scopes, context))
    }

    fn issue_without_user<'a>(
        &'a self,
        client_id: &'a str,
        subject: String,
        scopes: Vec<String>,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens> {
        Box::pin(self.issue_for_client(client_id, subject, scopes, context))
    }

    fn load_access_token<'a>(&'a self, token: &'a str) -> ProviderFuture<'a, Option<AccessToken>> {
        Box::pin(self.load_access(token))
    }

    fn revoke_token<'a>(&'a self, client: &'a RegisteredClient, token: &'a str) -> ProviderFuture<'a, ()> {
        Box::pin(self.revoke(client, token))
    }

    fn start(&self, issuer: &str) -> Result<(), AuthError> {
        self.site(issuer).map(drop)
    }

    fn is_route(&self, path: &str) -> bool {
        self.site.get().is_some_and(|site| site.page(path).is_some())
    }

    fn respond(&self, request: Request<Bytes>) -> PageFuture<'_> {
        Box::pin(self.respond_page(request))
    }
}

impl<L> Clone for StoredProvider<L> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            login: Arc::clone(&self.login),
            pages: Arc::clone(&self.pages),
            settings: self.settings.clone(),
            site: Arc::clone(&self.site),
            clock: self.clock.clone(),
        }
    }
}

impl<L> fmt::Debug for StoredProvider<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredProvider").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Returns the client for a pending authorization, which needs neither its secret nor its keys.
fn without_secret(client: &RegisteredClient) -> RegisteredClient {
    let mut client = client.clone();
    client.client_secret = None;
    client.jwks = None;
    client
}
