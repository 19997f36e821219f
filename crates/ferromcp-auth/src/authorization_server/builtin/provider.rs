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

/// Maximum size of a client that registers, in bytes of JSON.
const MAX_CLIENT_BYTES: usize = 8 * 1024;
/// Maximum length of the parameter `state`, in bytes.
const MAX_STATE_BYTES: usize = 4 * 1024;
/// Maximum length of the requested scopes, in bytes.
const MAX_SCOPES_BYTES: usize = 4 * 1024;

/// An authorization provider with a database, a login and a consent page.
///
/// - Codes, tokens and session cookies are random texts of 256 bits, stored as digests.
/// - A code can be exchanged once, in 5 minutes ([`code_lifetime`](Self::code_lifetime)). A second exchange revokes the
///   tokens of the first.
/// - Access tokens expire after an hour, refresh tokens after 30 days without use. A refresh token is exchanged for a
///   new one; a second use revokes the whole grant, except for a repeat within 10 seconds
///   ([`refresh_grace`](Self::refresh_grace)), because clients lose responses.
/// - The user logs in ([`UserLogin`]), and consents to each client on a page with protection against CSRF and framing,
///   where scopes that the MCP server does not require can be deselected.
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
    /// a minute. The time ends early when a token of that response is exchanged. If the tokens of two responses are
    /// exchanged, the grant is revoked. Default: 10 seconds.
    pub fn refresh_grace(mut self, time: Duration) -> Self {
        self.settings.grace_seconds = seconds(time);
        self
    }

    /// Remembers consents for a time: a user who is logged in does not see the page again for the same client, redirect
    /// URI, resource, and the approved scopes or fewer. Public clients with a redirect URI on the device of the user are excluded,
    /// because any program there can impersonate them (RFC 8252, section 8.6). Default: consents are not remembered.
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

    /// Grants authorizations without a page, for development. The issuer must be on the loopback interface, and the
    /// login must not need a form. Clients that describe themselves (dynamic registration, metadata documents) and have a
    /// redirect URI on another machine still show the page: any site that the developer visits could otherwise obtain a
    /// token.
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
    /// Fails if the store or the login fails.
    pub async fn browser_user(&self, headers: &HeaderMap) -> Result<Option<User>, OAuthError> {
        let Some(site) = self.site.get() else { return Ok(None) };
        Ok(self.active_session(site, headers).await?.map(|(_, user)| user))
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
        // Clones share the site, but each has its own settings.
        self.settings.check()?;
        self.login.check_issuer(issuer)?;
        let site = if let Some(site) = self.site.get() {
            site
        } else {
            let site = Site::new(issuer, self.login.callback_path())?;
            self.site.get_or_init(|| site)
        };
        if site.issuer != issuer {
            return Err(AuthError::configuration(
                "cannot use one provider for several issuers; create a provider for each authorization server",
            ));
        }
        if self.settings.auto_approve && !site.is_loopback {
            return Err(AuthError::configuration(
                "cannot approve authorizations automatically: the issuer is not on the loopback interface; remove \
                 `auto_approve`",
            ));
        }
        Ok(site)
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
        Box::pin(async move {
            let size = serde_json::to_vec(&client).map_or(usize::MAX, |json| json.len());
            if size > MAX_CLIENT_BYTES {
                return Err(OAuthError::invalid_client_metadata("the metadata is too large; use fewer keys or URIs"));
            }
            self.store.insert_client(client).await
        })
    }

    fn authorize<'a>(
        &'a self,
        client: &'a RegisteredClient,
        request: AuthorizationRequest,
    ) -> ProviderFuture<'a, String> {
        Box::pin(async move {
            let site = self.site(&request.issuer).map_err(|error| OAuthError::server_error(error.to_string()))?;
            check_size(&request)?;
            let pending = PendingAuthorization::new(request, client, self.clock.now().saturating_add(PENDING_SECONDS));
            if self.settings.auto_approve && client.has_trusted_redirect(&pending.request.redirect_uri) {
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

/// Checks the texts of a request that are chosen freely, because each caller can store a pending authorization.
fn check_size(request: &AuthorizationRequest) -> Result<(), OAuthError> {
    let scopes: usize = request.scopes.iter().map(|scope| scope.len() + 1).sum();
    if request.state.as_ref().is_some_and(|state| state.len() > MAX_STATE_BYTES) {
        return Err(OAuthError::invalid_request(format!("`state` is longer than {MAX_STATE_BYTES} bytes")));
    }
    if scopes > MAX_SCOPES_BYTES {
        return Err(OAuthError::invalid_scope(format!("`scope` is longer than {MAX_SCOPES_BYTES} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::authorization_server::builtin::AnyUser;

    const ISSUER: &str = "http://127.0.0.1:1";

    #[tokio::test]
    async fn trap_large_requests_and_registrations() {
        let provider = StoredProvider::new(AnyUser::default());
        let client = RegisteredClient::new("c", ["https://c.example/cb"]);
        let send = |state: usize, scopes: usize| {
            let mut request =
                AuthorizationRequest::new(ISSUER, "c", "https://c.example/cb", "x", "http://127.0.0.1:1/mcp");
            request.state = Some("s".repeat(state));
            request.scopes = vec!["a".repeat(scopes)];
            provider.authorize(&client, request)
        };
        assert!(send(MAX_STATE_BYTES, MAX_SCOPES_BYTES - 1).await.is_ok());
        assert_eq!(send(MAX_STATE_BYTES + 1, 1).await.unwrap_err().code(), "invalid_request");
        assert_eq!(send(1, MAX_SCOPES_BYTES).await.unwrap_err().code(), "invalid_scope");

        let mut large = client.clone();
        provider.register_client(client.clone()).await.unwrap();
        large.jwks = Some(json!({ "keys": ["x".repeat(MAX_CLIENT_BYTES)] }));
        assert_eq!(provider.register_client(large).await.unwrap_err().code(), "invalid_client_metadata");
    }

    #[tokio::test]
    async fn pending_authorization_has_a_bounded_client() {
        let mut client = RegisteredClient::new("c", vec!["https://c.example/cb".to_owned(); 1000]);
        client.client_name = Some("\u{e9}".repeat(100_000));
        let pending = PendingAuthorization::new(super::super::testing::pending().request, &client, 1);
        assert!(serde_json::to_string(&pending).unwrap().len() < 2000);
    }
}
