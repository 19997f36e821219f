//! [`MemoryProvider`]: a provider for development.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;

use super::consent::AnyUser;
use super::provider::StoredProvider;
use crate::access_token::AccessToken;
use crate::authorization_server::client::RegisteredClient;
use crate::authorization_server::provider::{
    AuthorizationCode, AuthorizationProvider, AuthorizationRequest, IssuedTokens, PageFuture, ProviderFuture,
    RefreshToken, TokenContext,
};
use crate::error::AuthError;

/// A provider for examples and tests: everything is in memory, and everyone is logged in as one user.
///
/// The issuer must be on the loopback interface; a production server uses [`StoredProvider`].
#[derive(Debug, Clone)]
#[must_use = "a provider does nothing until it is passed to an authorization server"]
pub struct MemoryProvider(StoredProvider<AnyUser>);

impl MemoryProvider {
    /// Creates a provider with the user `developer` and a consent page.
    pub fn new() -> Self {
        Self(StoredProvider::new(AnyUser::default()))
    }

    /// Sets the user.
    pub fn user(mut self, subject: impl Into<String>) -> Self {
        let subject: String = subject.into();
        self.0.login = Arc::new(AnyUser::new(subject));
        self
    }

    /// Adds a client that is registered already.
    pub fn client(self, client: RegisteredClient) -> Self {
        Self(self.0.client(client))
    }

    /// Grants authorizations without the consent page, except those of clients that describe themselves and have a
    /// redirect URI on another machine.
    pub fn auto_approve(self) -> Self {
        Self(self.0.auto_approve())
    }
}

impl Default for MemoryProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl AuthorizationProvider for MemoryProvider {
    fn get_client<'a>(&'a self, client_id: &'a str) -> ProviderFuture<'a, Option<RegisteredClient>> {
        self.0.get_client(client_id)
    }

    fn register_client(&self, client: RegisteredClient) -> ProviderFuture<'_, ()> {
        self.0.register_client(client)
    }

    fn authorize<'a>(
        &'a self,
        client: &'a RegisteredClient,
        request: AuthorizationRequest,
    ) -> ProviderFuture<'a, String> {
        self.0.authorize(client, request)
    }

    fn load_authorization_code<'a>(
        &'a self,
        client: &'a RegisteredClient,
        code: &'a str,
    ) -> ProviderFuture<'a, Option<AuthorizationCode>> {
        self.0.load_authorization_code(client, code)
    }

    fn exchange_authorization_code<'a>(
        &'a self,
        client: &'a RegisteredClient,
        code: AuthorizationCode,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens> {
        self.0.exchange_authorization_code(client, code, context)
    }

    fn load_refresh_token<'a>(
        &'a self,
        client: &'a RegisteredClient,
        token: &'a str,
    ) -> ProviderFuture<'a, Option<RefreshToken>> {
        self.0.load_refresh_token(client, token)
    }

    fn exchange_refresh_token<'a>(
        &'a self,
        client: &'a RegisteredClient,
        token: RefreshToken,
        scopes: Vec<String>,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens> {
        self.0.exchange_refresh_token(client, token, scopes, context)
    }

    fn issue_without_user<'a>(
        &'a self,
        client_id: &'a str,
        subject: String,
        scopes: Vec<String>,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens> {
        self.0.issue_without_user(client_id, subject, scopes, context)
    }

    fn load_access_token<'a>(&'a self, token: &'a str) -> ProviderFuture<'a, Option<AccessToken>> {
        self.0.load_access_token(token)
    }

    fn revoke_token<'a>(&'a self, client: &'a RegisteredClient, token: &'a str) -> ProviderFuture<'a, ()> {
        self.0.revoke_token(client, token)
    }

    fn start(&self, issuer: &str) -> Result<(), AuthError> {
        self.0.start(issuer)
    }

    fn is_route(&self, path: &str) -> bool {
        self.0.is_route(path)
    }

    fn respond(&self, request: Request<Bytes>) -> PageFuture<'_> {
        self.0.respond(request)
    }
}
