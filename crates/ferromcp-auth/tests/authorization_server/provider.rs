//! A provider in memory, which authorizes each request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use ferromcp_auth::Secret;
use ferromcp_auth::authorization_server::{
    AuthorizationCode, AuthorizationProvider, AuthorizationRequest, IssuedTokens, OAuthError, ProviderFuture,
    RefreshToken, RegisteredClient, TokenContext,
};
use ferromcp_auth::resource_server::AccessToken;

#[derive(Clone, Default)]
pub(crate) struct TestProvider(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) clients: HashMap<String, RegisteredClient>,
    pub(crate) requests: Vec<AuthorizationRequest>,
    pub(crate) codes: HashMap<String, AuthorizationCode>,
    /// The access tokens of codes that were exchanged.
    used_codes: HashMap<String, String>,
    pub(crate) access: HashMap<String, AccessToken>,
    pub(crate) refresh: HashMap<String, RefreshToken>,
    /// The calls of `issue_without_user`: client, subject, scopes, context.
    pub(crate) issued: Vec<(String, String, Vec<String>, TokenContext)>,
    /// The error of each method.
    pub(crate) error: Option<OAuthError>,
    /// The lifetime of codes and access tokens, in seconds.
    pub(crate) lifetime: u64,
    counter: usize,
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn ready<'a, T: Send + 'a>(result: Result<T, OAuthError>) -> ProviderFuture<'a, T> {
    Box::pin(std::future::ready(result))
}

impl TestProvider {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn add(&self, client: RegisteredClient) {
        self.state().clients.insert(client.client_id.clone(), client);
    }

    fn working(&self) -> Result<MutexGuard<'_, State>, OAuthError> {
        let state = self.state();
        match &state.error {
            Some(error) => Err(error.clone()),
            None => Ok(state),
        }
    }
}

impl State {
    fn next(&mut self, kind: &str) -> String {
        self.counter += 1;
        format!("{kind}-s3cret-{}", self.counter)
    }

    fn issue(&mut self, client_id: &str, subject: &str, scopes: Vec<String>, context: &TokenContext) -> IssuedTokens {
        let (access, lifetime) = (self.next("access"), self.lifetime);
        let mut token = AccessToken::new();
        token.subject = Some(subject.to_owned());
        token.client_id = Some(client_id.to_owned());
        token.scopes.clone_from(&scopes);
        token.audiences = vec![context.resource.clone()];
        token.expires_at = Some(now() + lifetime);
        token.key_thumbprint.clone_from(&context.key_thumbprint);
        self.access.insert(access.clone(), token);
        let mut tokens = IssuedTokens::new(Secret::new(access), scopes);
        tokens.expires_in = Some(lifetime);
        tokens
    }

    fn issue_with_refresh(
        &mut self,
        client: &RegisteredClient,
        subject: &str,
        (granted, scopes): (Vec<String>, Vec<String>),
        context: &TokenContext,
    ) -> IssuedTokens {
        let mut tokens = self.issue(&client.client_id, subject, scopes, context);
        let value = Secret::new(self.next("refresh"));
        let mut refresh = RefreshToken::new(value.clone(), &*client.client_id, subject, granted, &*context.resource);
        if client.client_secret.is_none() {
            refresh.key_thumbprint.clone_from(&context.key_thumbprint);
        }
        self.refresh.insert(value.expose().to_owned(), refresh);
        tokens.refresh_token = Some(value);
        tokens
    }
}

impl AuthorizationProvider for TestProvider {
    fn get_client<'a>(&'a self, client_id: &'a str) -> ProviderFuture<'a, Option<RegisteredClient>> {
        ready(self.working().map(|state| state.clients.get(client_id).cloned()))
    }

    fn register_client(&self, client: RegisteredClient) -> ProviderFuture<'_, ()> {
        ready(self.working().map(|mut state| {
            state.clients.insert(client.client_id.clone(), client);
        }))
    }

    fn authorize<'a>(&'a self, _: &'a RegisteredClient, request: AuthorizationRequest) -> ProviderFuture<'a, String> {
        // The client could be loaded, so that only the authorization fails.
        let mut state = self.state();
        if request.state.as_deref() == Some("deny") {
            return ready(Err(OAuthError::access_denied("the user denied the request")));
        }
        if request.state.as_deref() == Some("fail") {
            return ready(Err(OAuthError::server_error("postgres://user:s3cret@db")));
        }
        let value = Secret::new(state.next("code"));
        let code = AuthorizationCode::new(value.clone(), request.clone(), "ada", now() + state.lifetime);
        state.codes.insert(value.expose().to_owned(), code);
        state.requests.push(request.clone());
        ready(Ok(request.success_url(&value)))
    }

    fn load_authorization_code<'a>(
        &'a self,
        _: &'a RegisteredClient,
        code: &'a str,
    ) -> ProviderFuture<'a, Option<AuthorizationCode>> {
        ready(self.working().map(|mut state| {
            if let Some(access) = state.used_codes.remove(code) {
                state.access.remove(&access);
            }
            state.codes.get(code).cloned()
        }))
    }

    fn exchange_authorization_code<'a>(
        &'a self,
        client: &'a RegisteredClient,
        code: AuthorizationCode,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens> {
        ready(self.working().and_then(|mut state| {
            let Some(code) = state.codes.remove(code.code.expose()) else {
                return Err(OAuthError::invalid_grant("the code was used"));
            };
            let scopes = code.request.scopes.clone();
            let tokens = state.issue_with_refresh(client, &code.subject, (scopes.clone(), scopes), &context);
            state.used_codes.insert(code.code.expose().to_owned(), tokens.access_token.expose().to_owned());
            Ok(tokens)
        }))
    }

    fn load_refresh_token<'a>(
        &'a self,
        _: &'a RegisteredClient,
        token: &'a str,
    ) -> ProviderFuture<'a, Option<RefreshToken>> {
        ready(self.working().map(|state| state.refresh.get(token).cloned()))
    }

    fn exchange_refresh_token<'a>(
        &'a self,
        client: &'a RegisteredClient,
        token: RefreshToken,
        scopes: Vec<String>,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens> {
        ready(self.working().and_then(|mut state| {
            let Some(token) = state.refresh.remove(token.token.expose()) else {
                return Err(OAuthError::invalid_grant("the token was rotated"));
            };
            Ok(state.issue_with_refresh(client, &token.subject, (token.scopes, scopes), &context))
        }))
    }

    fn issue_without_user<'a>(
        &'a self,
        client_id: &'a str,
        subject: String,
        scopes: Vec<String>,
        context: TokenContext,
    ) -> ProviderFuture<'a, IssuedTokens> {
        ready(self.working().map(|mut state| {
            state.issued.push((client_id.to_owned(), subject.clone(), scopes.clone(), context.clone()));
            let mut tokens = state.issue(client_id, &subject, scopes, &context);
            // It must not reach the client.
            tokens.refresh_token = Some(Secret::new("refresh"));
            tokens
        }))
    }

    fn load_access_token<'a>(&'a self, token: &'a str) -> ProviderFuture<'a, Option<AccessToken>> {
        ready(self.working().map(|state| state.access.get(token).cloned()))
    }

    fn revoke_token<'a>(&'a self, client: &'a RegisteredClient, token: &'a str) -> ProviderFuture<'a, ()> {
        ready(self.working().map(|mut state| {
            state.access.retain(|text, access| text != token || access.client_id.as_deref() != Some(&client.client_id));
            state.refresh.retain(|text, refresh| text != token || refresh.client_id != client.client_id);
        }))
    }
}
