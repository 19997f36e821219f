//! Logging out: the credentials are removed, and the tokens are revoked.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ferromcp_auth::client::{
    AuthError, AuthErrorKind, AuthorizationRequest, ClientRegistration, CredentialStore, FileStore, Grant, MemoryStore,
    OAuth, OAuthOptions, RedirectHandler, SigningAlgorithm, SigningKey, StoreFuture, StoredCredentials,
};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::processes::rotating_server;
use crate::server::{Protected, REDIRECT_URI, State, registration};

const SERVER: &str = "/.well-known/oauth-authorization-server";

/// Starts a server with a revocation endpoint.
async fn start(state: State) -> Protected {
    let server = Protected::start(state).await;
    server.state().metadata_fields = json!({ "revocation_endpoint": format!("{}/revoke", server.origin()) });
    server
}

/// Logs in, and returns the credentials and their tokens: the refresh token and the access token.
async fn log_in(server: &Protected, options: OAuthOptions) -> (OAuth, [String; 2]) {
    let oauth = OAuth::new(options).unwrap();
    assert!(oauth.login().await.unwrap());
    let tokens = tokens(&oauth).await;
    server.state().paths.clear();
    (oauth, tokens)
}

async fn tokens(oauth: &OAuth) -> [String; 2] {
    let stored = serde_json::to_value(oauth.stored().await.unwrap().unwrap()).unwrap();
    ["refresh", "access"].map(|kind| stored["tokens"][kind].as_str().unwrap_or_default().to_owned())
}

fn revoked(server: &Protected) -> Vec<[String; 2]> {
    let request = |form: &HashMap<String, String>| [form["token_type_hint"].clone(), form["token"].clone()];
    server.counts(|state| state.revocations.iter().map(request).collect())
}

#[tokio::test]
async fn tokens_are_revoked_when_the_client_logs_out() {
    let server = start(State::default()).await;
    let (oauth, [refresh, access]) = log_in(&server, server.options()).await;
    assert!(oauth.logout().await.unwrap());
    assert!(oauth.stored().await.unwrap().is_none());
    let expected = [["refresh_token".to_owned(), refresh], ["access_token".to_owned(), access]];
    assert_eq!(revoked(&server), expected);
    for request in &server.state().revocations {
        assert_eq!([&*request["client_id"], &request["client_secret"]], ["client-1", "secret-s3cret-1"]);
    }
    // The metadata is known.
    assert_eq!(server.counts(|state| state.paths.clone()), ["/revoke", "/revoke"]);
    // A logout without credentials sends nothing.
    assert!(oauth.logout().await.unwrap());
    assert_eq!(server.state().paths.len(), 2);
    // The next request logs in again.
    server.connect(&oauth).await.unwrap();
    assert_eq!(server.state().logins, 2);
}

#[tokio::test]
async fn only_the_issuer_is_discovered_when_the_process_has_sent_no_request() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(State { tenant: "/a".to_owned(), ..State::default() }).await;
    server.state().metadata_fields = json!({ "revocation_endpoint": format!("{}/a/revoke", server.origin()) });
    let options = || server.options().store(FileStore::new(folder.path()));
    let (_, [refresh, _]) = log_in(&server, options()).await;
    // The MCP server is not contacted: it could name another authorization server.
    server.state().refuses_with = Some(503);
    assert!(OAuth::new(options()).unwrap().logout().await.unwrap());
    assert_eq!(revoked(&server)[0], ["refresh_token", &refresh]);
    let metadata = format!("{SERVER}/a");
    assert_eq!(server.counts(|state| state.paths.clone()), [&*metadata, "/a/revoke", "/a/revoke"]);
    assert!(OAuth::new(options()).unwrap().stored().await.unwrap().is_none());
}

#[tokio::test]
async fn client_authenticates_as_at_the_token_endpoint() {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
    let key = SigningKey::from_pem(SigningAlgorithm::Es256, &pem).unwrap();
    let server = start(State::default()).await;
    let options = server.options().registration(ClientRegistration::new("configured")).signing_key(key);
    assert!(log_in(&server, options).await.0.logout().await.unwrap());
    let requests = std::mem::take(&mut server.state().revocations);
    assert!(requests.iter().all(|request| !request.contains_key("client_id")), "{requests:?}");
    // Assertions are used once.
    assert_ne!(requests[0]["client_assertion"], requests[1]["client_assertion"]);
    server.state().metadata_fields["token_endpoint_auth_methods_supported"] = json!(["client_secret_basic"]);
    let options = server.options().registration(registration());
    assert!(log_in(&server, options).await.0.logout().await.unwrap());
    let requests = std::mem::take(&mut server.state().revocations);
    assert!(requests.iter().all(|request| request["authorization"].starts_with("Basic ")), "{requests:?}");
    // The configured secret is not sent to the authorization server that the MCP server names afterward.
    let options = server.options().registration(registration());
    let (oauth, _) = log_in(&server, options).await;
    assert!(oauth.logout().await.unwrap());
    server.move_to("/b");
    assert_eq!(oauth.login().await.unwrap_err().kind(), AuthErrorKind::Configuration);
    assert!(server.state().token_requests.is_empty());
}

#[tokio::test]
async fn credentials_are_removed_when_the_tokens_cannot_be_revoked() {
    // No endpoint; an unsafe one; one that cannot be reached.
    for endpoint in
        [json!("absent"), json!(null), json!(""), json!("http://example.com/"), json!("http://127.0.0.1:1/")]
    {
        let server = start(State::default()).await;
        server.state().metadata_fields = json!({ "revocation_endpoint": endpoint });
        let (oauth, _) = log_in(&server, server.options()).await;
        assert!(!oauth.logout().await.unwrap(), "{endpoint}");
        assert!(oauth.stored().await.unwrap().is_none());
        assert!(server.state().paths.is_empty());
    }
    // The server rejects both requests.
    for (status, body, expected) in [
        (503, "", false),
        (429, r#"{"error":"slow_down"}"#, false),
        (400, r#"{"error":"unsupported_token_type"}"#, false),
        (401, r#"{"error":"invalid_client"}"#, false),
        (404, "<html>", false),
        (302, "https://example.com/", false),
        (200, r#"{"error":"invalid_request"}"#, false),
        (200, "<html>", true),
        (204, "", true),
    ] {
        let server = start(State::default()).await;
        server.state().fixed.insert("/revoke", (status, "application/json", body.to_owned()));
        let (oauth, _) = log_in(&server, server.options()).await;
        assert_eq!(oauth.logout().await.unwrap(), expected, "{status} {body}");
        assert!(oauth.stored().await.unwrap().is_none());
        // The access token is revoked even if the refresh token cannot be.
        assert_eq!(server.state().revocations.len(), 2);
        assert!(OAuth::new(server.options()).unwrap().login().await.unwrap());
    }
}

#[tokio::test]
async fn logout_is_bounded_when_the_server_does_not_respond() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(State { silent_path: Some("/revoke"), ..State::default() }).await;
    let store = FileStore::new(folder.path());
    let (oauth, _) = log_in(&server, server.options().store(store.clone())).await;
    let start = Instant::now();
    let logout = tokio::spawn({
        let oauth = oauth.clone();
        async move { oauth.logout().await }
    });
    while server.state().paths.is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    // The credentials are removed first. The store is locked, so that no other process refreshes the token.
    assert!(oauth.stored().await.unwrap().is_none());
    assert!(timeout(Duration::from_millis(300), store.lock(&server.url())).await.is_err());
    assert!(!logout.await.unwrap().unwrap());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    drop(store.lock(&server.url()).await.unwrap());
}

#[tokio::test]
async fn logout_continues_when_its_future_is_dropped() {
    let server = start(State::default()).await;
    let (oauth, _) = log_in(&server, server.options()).await;
    // The first poll removes the credentials from memory.
    let _ = timeout(Duration::ZERO, oauth.logout()).await;
    let start = Instant::now();
    while server.state().revocations.len() < 2 {
        assert!(start.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(10)).await;
    }
    assert!(oauth.stored().await.unwrap().is_none());
}

#[tokio::test]
async fn revocation_endpoint_may_have_another_origin() {
    let (server, other) = (start(State::default()).await, Protected::start(State::default()).await);
    server.state().metadata_fields = json!({ "revocation_endpoint": format!("{}/revoke", other.origin()) });
    let (oauth, [refresh, access]) = log_in(&server, server.options()).await;
    assert!(oauth.logout().await.unwrap());
    assert_eq!(revoked(&other), [["refresh_token", &refresh], ["access_token", &access]]);
    assert!(server.state().revocations.is_empty());
}

#[tokio::test]
async fn tokens_are_not_sent_to_another_issuer_at_logout() {
    // A-089
    let folder = tempfile::tempdir().unwrap();
    let server = start(State { tenant: "/a".to_owned(), ..State::default() }).await;
    let options = || server.options().store(FileStore::new(folder.path()));
    log_in(&server, options()).await;
    // The metadata of the issuer now names another issuer, whose endpoint it is.
    server.state().metadata_fields = json!({ "issuer": "https://evil.example.com",
        "revocation_endpoint": format!("{}/a/revoke", server.origin()) });
    assert!(!OAuth::new(options()).unwrap().logout().await.unwrap());
    assert!(server.state().revocations.is_empty());
}

#[tokio::test]
async fn newest_tokens_are_revoked_when_another_process_has_refreshed_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(State { expires_in: Some(20), rotates: true, ..State::default() }).await;
    let options = || server.options().store(FileStore::new(folder.path()));
    let (oauth, [previous, _]) = log_in(&server, options()).await;
    let other = OAuth::new(options()).unwrap();
    assert!(other.login().await.unwrap());
    let [refresh, access] = tokens(&other).await;
    assert_ne!(refresh, previous);
    assert!(oauth.logout().await.unwrap());
    assert_eq!(revoked(&server), [["refresh_token", &refresh], ["access_token", &access]]);
}

#[tokio::test]
async fn refresh_token_is_forgotten_when_another_process_has_logged_out() {
    let folder = tempfile::tempdir().unwrap();
    // The server does not revoke tokens, so that the refresh token of the other process would be accepted.
    let server = Protected::start(State { expires_in: Some(20), ..State::default() }).await;
    let options = || server.options().store(FileStore::new(folder.path()));
    let (first, second) = (OAuth::new(options()).unwrap(), OAuth::new(options()).unwrap());
    assert!(first.login().await.unwrap());
    let client = server.connect(&second).await.unwrap();
    assert!(!first.logout().await.unwrap());
    let refreshes = server.state().refreshes;
    server.state().expires_in = Some(3600);
    client.tools().await.unwrap();
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (2, refreshes));
}

#[tokio::test]
async fn login_in_progress_is_cancelled_by_a_logout() {
    let server = start(State::default()).await;
    let prompts = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&prompts);
    let prompt = RedirectHandler::new(REDIRECT_URI, move |_: AuthorizationRequest| {
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::pending()
    });
    let oauth = OAuth::new(server.options().grant(Grant::authorization_code(prompt))).unwrap();
    let logins: Vec<_> = (0..3)
        .map(|_| {
            let oauth = oauth.clone();
            tokio::spawn(async move { oauth.login().await })
        })
        .collect();
    while prompts.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(timeout(Duration::from_secs(5), oauth.logout()).await.unwrap().unwrap());
    for login in logins {
        let error = login.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("cancelled by `OAuth::logout`"), "{error}");
    }
    assert_eq!(prompts.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn credentials_are_removed_when_another_process_holds_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(State::default()).await;
    let store = FileStore::new(folder.path());
    let (oauth, _) = log_in(&server, server.options().store(store.clone())).await;
    let _lock = store.lock(&server.url()).await.unwrap();
    assert!(timeout(Duration::from_secs(20), oauth.logout()).await.unwrap().unwrap());
    assert!(oauth.stored().await.unwrap().is_none());
    assert_eq!(server.state().revocations.len(), 2);
}

/// A store that cannot remove credentials.
#[derive(Clone, Default)]
struct ReadOnly(Arc<MemoryStore>);

impl CredentialStore for ReadOnly {
    fn load<'a>(&'a self, server: &'a str) -> StoreFuture<'a, Option<StoredCredentials>> {
        self.0.load(server)
    }

    fn save<'a>(&'a self, server: &'a str, credentials: &'a StoredCredentials) -> StoreFuture<'a, ()> {
        self.0.save(server, credentials)
    }

    fn remove<'a>(&'a self, _: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(async { Err(AuthError::store("the disk is read-only")) })
    }
}

#[tokio::test]
async fn tokens_are_revoked_when_the_store_fails() {
    let server = start(State::default()).await;
    let (oauth, _) = log_in(&server, server.options().store(ReadOnly::default())).await;
    assert_eq!(oauth.logout().await.unwrap_err().kind(), AuthErrorKind::Store);
    assert_eq!(server.state().revocations.len(), 2);
    // The tokens are not in memory any more.
    assert_eq!(server.connect(&oauth).await.unwrap().tools().await.unwrap().len(), 1);
    assert_eq!(server.state().logins, 2);
}

/// Returns the status of a token request with a refresh token, and its response.
async fn refresh(url: &str, folder: &Path, refresh_token: &str) -> (u16, Value) {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let record =
        files.filter(|path| path.extension().is_some_and(|it| it == "json")).find_map(|path| std::fs::read(path).ok());
    let record: Value = serde_json::from_slice(&record.unwrap()).unwrap();
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", refresh_token);
    form.append_pair("client_id", record["client"]["id"].as_str().unwrap()).append_pair("resource", url);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(url.replace("/mcp", "/token")).header("content-type", "application/x-www-form-urlencoded");
    let response = request.body(form.finish()).send().await.unwrap();
    (response.status().as_u16(), serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_server_rejects_the_refresh_token_after_a_logout() {
    for uses_dpop in [false, true] {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let url = rotating_server().await;
        let prompt = RedirectHandler::new(REDIRECT_URI, |request: AuthorizationRequest| async move {
            let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
            let response = browser.get(request.url()).send().await.unwrap();
            Ok(response.headers()["location"].to_str().unwrap().to_owned())
        });
        let options = OAuthOptions::new(&url).store(FileStore::new(folder.path()));
        let options = options.grant(Grant::authorization_code(prompt));
        let oauth = OAuth::new(if uses_dpop { options.dpop() } else { options }).unwrap();
        assert!(oauth.login().await.unwrap());
        let [token, _] = tokens(&oauth).await;
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
        assert!(oauth.logout().await.unwrap());
        let (status, response) = refresh(&url, copy.path(), &token).await;
        assert_eq!((status, &response["error"]), (400, &json!("invalid_grant")), "{response}");
        // Also the client finds that its copy of the credentials is not valid any more.
        let denies = RedirectHandler::new(REDIRECT_URI, |_: AuthorizationRequest| async {
            Err(AuthError::prompt("a login is necessary"))
        });
        let options = OAuthOptions::new(&url).store(FileStore::new(copy.path()));
        let error = OAuth::new(options.grant(Grant::authorization_code(denies))).unwrap().login().await.unwrap_err();
        assert!(error.to_string().contains("a login is necessary"), "{error}");
    }
}
