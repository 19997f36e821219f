//! Tests of codes and tokens, with a clock that tests advance.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use url::Url;

use super::*;
use crate::authorization_server::builtin::consent::{AnyUser, LoginOutcome, LoginRequest};
use crate::authorization_server::client_secret::ClientSecretDigest;
use crate::authorization_server::provider::{AuthorizationProvider, AuthorizationRequest, ProviderFuture};

const ISSUER: &str = "http://127.0.0.1:1";
const RESOURCE: &str = "http://127.0.0.1:1/mcp";

fn client(id: &str) -> RegisteredClient {
    RegisteredClient::new(id, ["https://c.example/cb"])
}

fn provider() -> StoredProvider<AnyUser> {
    StoredProvider::new(AnyUser::new("ada")).auto_approve()
}

fn context() -> TokenContext {
    TokenContext::new(ISSUER, RESOURCE)
}

fn bound(key: &str) -> TokenContext {
    TokenContext { key_thumbprint: Some(key.to_owned()), ..context() }
}

fn scopes(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn request(client_id: &str) -> AuthorizationRequest {
    let mut request = AuthorizationRequest::new(ISSUER, client_id, "https://c.example/cb", "challenge", RESOURCE);
    request.scopes = scopes("read write");
    request.state = Some("s".to_owned());
    request
}

async fn authorize<L: UserLogin>(provider: &StoredProvider<L>, request: AuthorizationRequest) -> String {
    let client = client(&request.client_id);
    let url = Url::parse(&provider.authorize(&client, request).await.unwrap()).unwrap();
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!((query["state"].as_str(), query["iss"].as_str()), ("s", ISSUER));
    query["code"].clone()
}

async fn redeem<L: UserLogin>(
    provider: &StoredProvider<L>,
    code: &str,
    context: TokenContext,
) -> Result<IssuedTokens, OAuthError> {
    let loaded = provider.load_authorization_code(&client("c"), code).await.unwrap();
    provider.exchange_authorization_code(&client("c"), loaded.ok_or_else(invalid_code)?, context).await
}

async fn login<L: UserLogin>(provider: &StoredProvider<L>) -> IssuedTokens {
    let code = authorize(provider, request("c")).await;
    redeem(provider, &code, context()).await.unwrap()
}

async fn refresh<L: UserLogin>(provider: &StoredProvider<L>, token: &Secret) -> Result<IssuedTokens, OAuthError> {
    let loaded = provider.load_refresh_token(&client("c"), token.expose()).await?;
    let loaded = loaded.ok_or_else(invalid_refresh_token)?;
    provider.exchange_refresh_token(&client("c"), loaded, scopes("read write"), context()).await
}

async fn is_valid<L: UserLogin>(provider: &StoredProvider<L>, tokens: &IssuedTokens) -> bool {
    provider.load_access_token(tokens.access_token.expose()).await.unwrap().is_some()
}

fn code_of<T: std::fmt::Debug>(result: Result<T, OAuthError>) -> &'static str {
    result.unwrap_err().code()
}

#[tokio::test]
async fn tokens_are_bound_to_client_resource_user_and_key() {
    let provider = provider();
    let code = authorize(&provider, request("c")).await;
    let loaded = provider.load_authorization_code(&client("c"), &code).await.unwrap().unwrap();
    // the challenge and the redirect URI are bound to the code.
    assert_eq!((loaded.request.code_challenge.as_str(), loaded.subject.as_str()), ("challenge", "ada"));
    assert_eq!(loaded.request.redirect_uri, "https://c.example/cb");
    let issued = provider.exchange_authorization_code(&client("c"), loaded, bound("key")).await.unwrap();
    assert_eq!((issued.scopes.join(" ").as_str(), issued.expires_in), ("read write", Some(3600)));
    let token = provider.load_access_token(issued.access_token.expose()).await.unwrap().unwrap();
    assert_eq!((token.subject.as_deref(), token.client_id.as_deref()), (Some("ada"), Some("c")));
    assert_eq!((token.issuer.as_deref(), token.audiences), (Some(ISSUER), vec![RESOURCE.to_owned()]));
    assert_eq!(token.key_thumbprint.as_deref(), Some("key"));
    let refresh = issued.refresh_token.unwrap();
    let loaded = provider.load_refresh_token(&client("c"), refresh.expose()).await.unwrap().unwrap();
    assert_eq!((loaded.resource.as_str(), loaded.key_thumbprint.as_deref()), (RESOURCE, Some("key")));
    // the refresh token of a public client is bound to its key.
    let result = provider.exchange_refresh_token(&client("c"), loaded.clone(), scopes("read"), bound("other")).await;
    assert_eq!(code_of(result), "invalid_grant");
    let result = provider.exchange_refresh_token(&client("c"), loaded.clone(), scopes("read"), context()).await;
    assert_eq!(code_of(result), "invalid_grant");
    provider.exchange_refresh_token(&client("c"), loaded, scopes("read"), bound("key")).await.unwrap();
}

#[tokio::test]
async fn codes_expire() {
    //
    let provider = provider();
    let code = authorize(&provider, request("c")).await;
    provider.clock.advance(299);
    let loaded = provider.load_authorization_code(&client("c"), &code).await.unwrap().unwrap();
    provider.clock.advance(1);
    assert!(provider.load_authorization_code(&client("c"), &code).await.unwrap().is_none());
    let result = provider.exchange_authorization_code(&client("c"), loaded, context()).await;
    assert_eq!(code_of(result), "invalid_grant");
}

#[tokio::test]
async fn trap_code_replay_revokes_the_tokens() {
    //
    let provider = provider();
    let code = authorize(&provider, request("c")).await;
    let first = redeem(&provider, &code, context()).await.unwrap();
    let second = refresh(&provider, first.refresh_token.as_ref().unwrap()).await.unwrap();
    assert!(is_valid(&provider, &first).await && is_valid(&provider, &second).await);
    // Also after the code itself has expired.
    provider.clock.advance(1000);
    assert_eq!(code_of(redeem(&provider, &code, context()).await), "invalid_grant");
    assert!(!is_valid(&provider, &first).await && !is_valid(&provider, &second).await);
    assert_eq!(code_of(refresh(&provider, second.refresh_token.as_ref().unwrap()).await), "invalid_grant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_concurrent_redemption_of_one_code() {
    let provider = provider();
    let code = authorize(&provider, request("c")).await;
    let loaded = provider.load_authorization_code(&client("c"), &code).await.unwrap().unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (provider, loaded) = (provider.clone(), loaded.clone());
            tokio::spawn(async move { provider.exchange_authorization_code(&client("c"), loaded, context()).await })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(issued) => won.push(issued),
            Err(error) => assert_eq!(error.code(), "invalid_grant"),
        }
    }
    // The replay may be detected before the winner has stored its tokens: then no call succeeds.
    assert!(won.len() <= 1);
    for issued in &won {
        assert!(!is_valid(&provider, issued).await);
    }
}

#[tokio::test]
async fn trap_code_and_refresh_token_of_a_foreign_client() {
    let provider = provider();
    let code = authorize(&provider, request("c")).await;
    assert!(provider.load_authorization_code(&client("evil"), &code).await.unwrap().is_none());
    let issued = redeem(&provider, &code, context()).await.unwrap();
    // The replay by another client revokes nothing.
    assert!(provider.load_authorization_code(&client("evil"), &code).await.unwrap().is_none());
    let token = issued.refresh_token.clone().unwrap();
    assert!(provider.load_refresh_token(&client("evil"), token.expose()).await.unwrap().is_none());
    let loaded = provider.load_refresh_token(&client("c"), token.expose()).await.unwrap().unwrap();
    let result = provider.exchange_refresh_token(&client("evil"), loaded, scopes("read"), context()).await;
    assert_eq!(code_of(result), "invalid_grant");
    provider.revoke_token(&client("evil"), token.expose()).await.unwrap();
    provider.revoke_token(&client("evil"), issued.access_token.expose()).await.unwrap();
    assert!(is_valid(&provider, &issued).await);
}

#[tokio::test]
async fn trap_code_of_another_key_or_resource() {
    let provider = provider();
    let mut bound_request = request("c");
    bound_request.key_thumbprint = Some("key".to_owned());
    let code = authorize(&provider, bound_request.clone()).await;
    assert_eq!(code_of(redeem(&provider, &code, bound("other")).await), "invalid_grant");
    let code = authorize(&provider, bound_request).await;
    redeem(&provider, &code, bound("key")).await.unwrap();
    let code = authorize(&provider, request("c")).await;
    let other = TokenContext::new(ISSUER, "http://127.0.0.1:1/other");
    assert_eq!(code_of(redeem(&provider, &code, other).await), "invalid_target");
}

#[tokio::test]
async fn refresh_tokens_are_rotated() {
    //
    let provider = provider();
    let first = login(&provider).await;
    let second = refresh(&provider, first.refresh_token.as_ref().unwrap()).await.unwrap();
    assert_ne!(first.refresh_token, second.refresh_token);
    assert_ne!(first.access_token, second.access_token);
    assert!(is_valid(&provider, &second).await);
    let third = refresh(&provider, second.refresh_token.as_ref().unwrap()).await.unwrap();
    assert!(is_valid(&provider, &third).await);
}

#[tokio::test]
async fn refresh_can_be_repeated_within_the_grace_time() {
    let provider = provider();
    let first = login(&provider).await;
    let token = first.refresh_token.as_ref().unwrap();
    let lost = refresh(&provider, token).await.unwrap();
    provider.clock.advance(9);
    let repeated = refresh(&provider, token).await.unwrap();
    assert!(is_valid(&provider, &lost).await && is_valid(&provider, &repeated).await);
    provider.clock.advance(600);
    let later = refresh(&provider, repeated.refresh_token.as_ref().unwrap()).await.unwrap();
    assert!(is_valid(&provider, &later).await);
}

#[tokio::test]
async fn trap_refresh_token_replay_revokes_the_family() {
    //
    for (grace, delay) in [(10, 10), (0, 0)] {
        let provider = provider().refresh_grace(Duration::from_secs(grace));
        let first = login(&provider).await;
        let token = first.refresh_token.as_ref().unwrap();
        let second = refresh(&provider, token).await.unwrap();
        provider.clock.advance(delay);
        assert_eq!(code_of(refresh(&provider, token).await), "invalid_grant");
        assert!(!is_valid(&provider, &first).await && !is_valid(&provider, &second).await);
        assert_eq!(code_of(refresh(&provider, second.refresh_token.as_ref().unwrap()).await), "invalid_grant");
    }
}

#[tokio::test]
async fn trap_refresh_token_replay_after_its_successor_was_used() {
    let provider = provider();
    let first = login(&provider).await;
    let second = refresh(&provider, first.refresh_token.as_ref().unwrap()).await.unwrap();
    let third = refresh(&provider, second.refresh_token.as_ref().unwrap()).await.unwrap();
    // Within the grace time, but the client has received the successor.
    assert_eq!(code_of(refresh(&provider, first.refresh_token.as_ref().unwrap()).await), "invalid_grant");
    assert!(!is_valid(&provider, &third).await);
}

#[tokio::test]
async fn trap_refresh_token_stolen_within_the_grace_time() {
    // of the tokens that were issued for one, only one can continue.
    let provider = provider();
    let first = login(&provider).await;
    let token = first.refresh_token.as_ref().unwrap();
    let second = refresh(&provider, token).await.unwrap();
    let stolen = refresh(&provider, token).await.unwrap();
    provider.clock.advance(600);
    let third = refresh(&provider, second.refresh_token.as_ref().unwrap()).await.unwrap();
    assert!(is_valid(&provider, &third).await);
    assert_eq!(code_of(refresh(&provider, stolen.refresh_token.as_ref().unwrap()).await), "invalid_grant");
    assert!(!is_valid(&provider, &third).await && !is_valid(&provider, &stolen).await);
}

#[tokio::test]
async fn trap_scope_widened_on_refresh() {
    //
    let provider = provider();
    let first = login(&provider).await;
    let token = first.refresh_token.as_ref().unwrap();
    let load = || async { provider.load_refresh_token(&client("c"), token.expose()).await.unwrap().unwrap() };
    let result = provider.exchange_refresh_token(&client("c"), load().await, scopes("read admin"), context()).await;
    assert_eq!(code_of(result), "invalid_scope");
    // The scopes of the token that the endpoint passes back are not trusted.
    let mut widened = load().await;
    widened.scopes.push("admin".to_owned());
    let result = provider.exchange_refresh_token(&client("c"), widened, scopes("admin"), context()).await;
    assert_eq!(code_of(result), "invalid_scope");
    let other = TokenContext::new(ISSUER, "http://127.0.0.1:1/other");
    let result = provider.exchange_refresh_token(&client("c"), load().await, scopes("read"), other).await;
    assert_eq!(code_of(result), "invalid_target");
    let narrow = provider.exchange_refresh_token(&client("c"), load().await, scopes("read"), context()).await.unwrap();
    let access = provider.load_access_token(narrow.access_token.expose()).await.unwrap().unwrap();
    assert_eq!(access.scopes, ["read"]);
    // The grant keeps its scopes (RFC 6749, section 6).
    assert!(refresh(&provider, narrow.refresh_token.as_ref().unwrap()).await.is_ok());
}

#[tokio::test]
async fn tokens_expire() {
    //
    let provider =
        provider().access_token_lifetime(Duration::from_secs(60)).refresh_token_lifetime(Duration::from_secs(90));
    let first = login(&provider).await;
    assert_eq!(first.expires_in, Some(60));
    provider.clock.advance(60);
    assert!(!is_valid(&provider, &first).await);
    let second = refresh(&provider, first.refresh_token.as_ref().unwrap()).await.unwrap();
    provider.clock.advance(90);
    assert_eq!(code_of(refresh(&provider, second.refresh_token.as_ref().unwrap()).await), "invalid_grant");
}

#[tokio::test]
async fn grant_cannot_be_refreshed_beyond_its_lifetime() {
    //
    let provider = provider().grant_lifetime(Duration::from_secs(100));
    let first = login(&provider).await;
    provider.clock.advance(60);
    let second = refresh(&provider, first.refresh_token.as_ref().unwrap()).await.unwrap();
    provider.clock.advance(40);
    assert_eq!(code_of(refresh(&provider, second.refresh_token.as_ref().unwrap()).await), "invalid_grant");
}

#[tokio::test]
async fn revocation_of_a_token_revokes_its_partner() {
    for revokes_access in [true, false] {
        let provider = provider();
        let tokens = login(&provider).await;
        let refresh_token = tokens.refresh_token.clone().unwrap();
        let token = if revokes_access { &tokens.access_token } else { &refresh_token };
        provider.revoke_token(&client("c"), "unknown").await.unwrap();
        assert!(is_valid(&provider, &tokens).await);
        provider.revoke_token(&client("c"), token.expose()).await.unwrap();
        assert!(!is_valid(&provider, &tokens).await);
        assert_eq!(code_of(refresh(&provider, &refresh_token).await), "invalid_grant");
    }
}

#[tokio::test]
async fn tokens_without_a_user_have_no_refresh_token() {
    let provider = provider();
    let issued = provider.issue_without_user("robot", "robot".into(), scopes("read"), bound("key")).await.unwrap();
    assert_eq!(issued.refresh_token, None);
    let token = provider.load_access_token(issued.access_token.expose()).await.unwrap().unwrap();
    assert_eq!((token.subject.as_deref(), token.audiences), (Some("robot"), vec![RESOURCE.to_owned()]));
    assert_eq!(token.key_thumbprint.as_deref(), Some("key"));
    let mut robot = client("robot");
    robot.grant_types = vec!["authorization_code".to_owned()];
    let code = authorize(&provider, request("c")).await;
    let loaded = provider.load_authorization_code(&client("c"), &code).await.unwrap().unwrap();
    robot.client_id = "c".to_owned();
    let issued = provider.exchange_authorization_code(&robot, loaded, context()).await.unwrap();
    assert_eq!(issued.refresh_token, None, "the client may not use refresh tokens");
}

/// A login whose user can be blocked.
struct Blockable(Arc<AtomicBool>);

impl UserLogin for Blockable {
    fn login<'a>(&'a self, _: LoginRequest<'a>) -> ProviderFuture<'a, LoginOutcome> {
        Box::pin(async { Ok(LoginOutcome::Authenticated(User::new("ada").with_claim("email", "a@example.com"))) })
    }

    fn is_active<'a>(&'a self, user: &'a User) -> ProviderFuture<'a, bool> {
        assert_eq!(user.claims["email"], "a@example.com");
        Box::pin(async { Ok(self.0.load(Ordering::Relaxed)) })
    }
}

#[tokio::test]
async fn blocked_users_cannot_refresh() {
    //
    let is_active = Arc::new(AtomicBool::new(true));
    let provider = StoredProvider::new(Blockable(Arc::clone(&is_active))).auto_approve();
    let first = login(&provider).await;
    let access = provider.load_access_token(first.access_token.expose()).await.unwrap().unwrap();
    assert_eq!(access.claims["email"], "a@example.com");
    let second = refresh(&provider, first.refresh_token.as_ref().unwrap()).await.unwrap();
    is_active.store(false, Ordering::Relaxed);
    assert_eq!(code_of(refresh(&provider, second.refresh_token.as_ref().unwrap()).await), "invalid_grant");
    assert!(!is_valid(&provider, &second).await, "the grant is revoked");
}

#[tokio::test]
async fn issuer_is_checked_at_construction() {
    let start =
        |provider: StoredProvider<AnyUser>, issuer: &str| provider.start(issuer).map_err(|error| error.to_string());
    assert!(start(provider(), ISSUER).is_ok());
    assert!(start(provider(), "https://as.example").unwrap_err().contains("loopback"));
    assert!(start(provider().code_lifetime(Duration::from_secs(5)), ISSUER).unwrap_err().contains("code lifetime"));
    let blockable = || StoredProvider::new(Blockable(Arc::default()));
    assert!(blockable().start("https://as.example").is_ok());
    let error = blockable().auto_approve().start("https://as.example").unwrap_err().to_string();
    assert!(error.contains("auto_approve"), "{error}");
    let provider = blockable();
    provider.start("https://a.example").unwrap();
    // A clone shares the site, and has its own settings.
    let error = provider.clone().auto_approve().start("https://a.example").unwrap_err().to_string();
    assert!(error.contains("auto_approve"), "{error}");
    assert!(provider.start("https://b.example").unwrap_err().to_string().contains("several issuers"));
    let client = client("c");
    assert_eq!(code_of(provider.authorize(&client, request("c")).await), "server_error");
}

#[tokio::test]
async fn debug_omits_secrets() {
    let mut registered = client("c");
    registered.client_secret = Some(ClientSecretDigest::of("s3cret"));
    let provider = provider().client(registered);
    assert!(!format!("{provider:?}").contains("s3cret"));
    assert!(provider.get_client("c").await.unwrap().unwrap().client_secret.is_some());
}
