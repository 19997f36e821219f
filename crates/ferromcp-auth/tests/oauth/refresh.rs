//! Refreshing tokens.

use std::time::{Duration, Instant};

use ferromcp_auth::client::{AuthErrorKind, FileStore, OAuth};
use serde_json::json;

use crate::server::{Protected, State, registration};

#[tokio::test]
async fn concurrent_requests_share_one_refresh() {
    // A-100, A-135
    let server = Protected::start(State { expires_in: Some(20), rotates: true, ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    assert!(oauth.login().await.unwrap());
    // The token expires within the margin. The next ones do not.
    server.state().expires_in = Some(3600);
    let calls = (0..8).map(|_| {
        let (server, oauth) = (server.clone(), oauth.clone());
        tokio::spawn(async move { server.connect(&oauth).await.unwrap().tools().await.unwrap().len() })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), 1);
    }
    assert_eq!(server.counts(|state| (state.logins, state.refreshes, state.reused)), (1, 1, 0));
    assert_eq!(server.counts(|state| state.token_requests[1]["resource"].clone()), server.url());
    // The scope of the grant is kept, which the response omits.
    assert_eq!(oauth.stored().await.unwrap().unwrap().scope(), "read");
}

#[tokio::test]
async fn a_rejected_token_is_refreshed_once() {
    let server = Protected::start(State { rotates: true, ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    server.state().access.clear();
    assert_eq!(client.call_as::<i64>("add", json!({ "a": 1, "b": 2 })).await.unwrap(), 3);
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, 1));
}

#[tokio::test]
async fn logs_in_again_when_the_refresh_token_is_rejected() {
    let server = Protected::start(State::default()).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    {
        let mut state = server.state();
        state.access.clear();
        state.forget_refresh_tokens();
    }
    assert_eq!(client.call_as::<i64>("add", json!({ "a": 1, "b": 2 })).await.unwrap(), 3);
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (2, 1));
}

/// Returns how often documents were requested: the metadata of the resource, and those of the authorization server.
fn discoveries(server: &Protected) -> (usize, usize) {
    let requests = |part: &str| server.counts(|state| state.paths.iter().filter(|path| path.contains(part)).count());
    (requests("oauth-protected-resource"), requests("oauth-authorization-server"))
}

#[tokio::test]
async fn server_is_discovered_once_when_a_login_follows_a_failed_refresh() {
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State { expires_in: Some(20), ..State::default() }).await;
    let options = || server.options().store(FileStore::new(folder.path()));
    let oauth = OAuth::new(options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    let reset = |expires_in| {
        let mut state = server.state();
        state.access.clear();
        state.forget_refresh_tokens();
        state.paths.clear();
        state.expires_in = Some(expires_in);
    };
    // The server rejects both tokens of a request.
    reset(3600);
    client.call_as::<i64>("add", json!({ "a": 1, "b": 2 })).await.unwrap();
    assert_eq!((discoveries(&server), server.state().logins), ((1, 1), 2));
    reset(20);
    client.call_as::<i64>("add", json!({ "a": 1, "b": 2 })).await.unwrap();
    assert_eq!((discoveries(&server), server.state().logins), ((1, 1), 3));
    // Another process finds an expired token: in a request, and in `login`.
    reset(20);
    server.connect(&OAuth::new(options()).unwrap()).await.unwrap();
    assert_eq!((discoveries(&server), server.state().logins), ((1, 1), 4));
    reset(3600);
    assert!(OAuth::new(options()).unwrap().login().await.unwrap());
    assert_eq!((discoveries(&server), server.state().logins), ((1, 1), 5));
    // A challenge with another URL is followed.
    reset(3600);
    let document = json!({ "resource": "{origin}/mcp", "authorization_servers": ["{origin}"] }).to_string();
    server.state().fixed.insert("/custom", (200, "application/json", document));
    server.connect(&oauth).await.unwrap();
    reset(3600);
    server.state().challenge = Some("Bearer resource_metadata=\"{origin}/custom\"".to_owned());
    server.connect(&oauth).await.unwrap();
    assert_eq!((discoveries(&server), server.state().logins), ((0, 1), 7));
    assert!(server.state().paths.iter().any(|path| path == "/custom"));
}

#[tokio::test]
async fn token_endpoint_is_discovered_again_when_it_has_moved() {
    let server = Protected::start(State { expires_in: Some(20), ..State::default() }).await;
    let moved = format!("{}/moved", server.origin());
    server.state().metadata_fields = json!({ "token_endpoint": moved });
    server.state().fixed.insert(
        "/moved",
        (200, "application/json", r#"{"access_token":"t","refresh_token":"r","expires_in":20}"#.to_owned()),
    );
    let oauth = OAuth::new(server.options()).unwrap();
    assert!(oauth.login().await.unwrap());
    server.state().fixed.insert("/moved", (404, "text/html", String::new()));
    server.state().metadata_fields = json!({});
    server.state().refresh.insert("r".to_owned(), "read".to_owned());
    let error = oauth.login().await.unwrap_err().to_string();
    assert!(error.contains("/moved responded with status 404"), "{error}");
    assert!(oauth.login().await.unwrap());
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, 1));
}

#[tokio::test]
async fn tokens_are_kept_when_the_authorization_server_has_an_outage() {
    let server = Protected::start(State { expires_in: Some(20), ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    let refreshes = server.state().refreshes;
    server.state().token_status = Some(503);
    // The token is still valid for 20 s.
    assert_eq!(client.call_as::<i64>("add", json!({ "a": 1, "b": 2 })).await.unwrap(), 3);
    assert!(oauth.stored().await.unwrap().unwrap().has_tokens());
    assert_eq!(server.state().refreshes, refreshes);
    server.state().token_status = None;
    server.state().expires_in = Some(3600);
    assert_eq!(client.call_as::<i64>("add", json!({ "a": 1, "b": 2 })).await.unwrap(), 3);
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, refreshes + 1));
}

#[tokio::test]
async fn token_request_is_repeated_when_the_server_is_overloaded_for_a_short_time() {
    let server = Protected::start(State { overload: (1, "1"), ..State::default() }).await;
    let (oauth, start) = (OAuth::new(server.options()).unwrap(), Instant::now());
    assert!(oauth.login().await.unwrap());
    assert!(start.elapsed() >= Duration::from_secs(1));
    let state = server.state();
    assert_eq!((state.logins, state.token_requests.len()), (1, 2));
    assert_eq!(state.token_requests[0]["code"], state.token_requests[1]["code"]);
}

#[tokio::test]
async fn no_token_is_requested_until_an_overloaded_server_accepts_requests() {
    let server = Protected::start(State { overload: (1, "120"), ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let error = oauth.login().await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (AuthErrorKind::Unavailable, Some(Duration::from_secs(120))));
    assert!(error.to_string().ends_with("slow_down; try again in 120 s"), "{error}");
    // No login page is opened.
    let error = oauth.login().await.unwrap_err();
    assert!(error.to_string().contains("overloaded; try again in 1"), "{error}");
    assert_eq!(server.counts(|state| (state.logins, state.token_requests.len())), (1, 1));
    // A token that expires soon is used without further requests.
    let server = Protected::start(State { expires_in: Some(20), ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    assert!(oauth.login().await.unwrap());
    server.state().overload = (1, "120");
    for _ in 0..3 {
        assert_eq!(server.connect(&oauth).await.unwrap().tools().await.unwrap().len(), 1);
    }
    assert_eq!(server.counts(|state| (state.logins, state.token_requests.len())), (1, 2));
    // An invalid header is ignored.
    for value in ["soon", "-1", "1.5", "99999999999999999999999999", "Wed, 21 Oct 2026 07:28:00 GMT", ""] {
        let server = Protected::start(State { overload: (1, value), ..State::default() }).await;
        let oauth = OAuth::new(server.options()).unwrap();
        assert_eq!(oauth.login().await.unwrap_err().retry_after(), None, "{value}");
        assert!(oauth.login().await.unwrap(), "{value}");
    }
    let server = Protected::start(State { overload: (1, "18446744073709551615"), ..State::default() }).await;
    OAuth::new(server.options()).unwrap().login().await.unwrap_err();
}

#[tokio::test]
async fn refresh_requests_the_scopes_of_the_login() {
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State { expires_in: Some(20), ..State::default() }).await;
    // Microsoft Entra grants a scope that cannot be requested with others.
    server.state().token_fields = json!({ "scope": "read .default" });
    for _ in 0..2 {
        let options = server.options().store(FileStore::new(folder.path()));
        assert!(OAuth::new(options).unwrap().login().await.unwrap());
    }
    let request = server.state().token_requests[1].clone();
    assert_eq!([&*request["grant_type"], &request["scope"]], ["refresh_token", "read"]);
    // A server that does not accept the parameter gets a request without it.
    server.state().rejects_refresh_scopes = true;
    let options = server.options().store(FileStore::new(folder.path()));
    assert!(OAuth::new(options).unwrap().login().await.unwrap());
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, 2));
    assert!(!server.state().token_requests.last().unwrap().contains_key("scope"));
    // If the user has granted only a part, the refresh does not request more.
    server.state().token_fields = json!({ "scope": "" });
    let oauth = OAuth::new(server.options().scope("write")).unwrap();
    assert!(oauth.login().await.unwrap());
    server.state().token_fields = json!({ "scope": "read" });
    assert!(oauth.login().await.unwrap());
    server.state().rejects_refresh_scopes = false;
    assert!(oauth.login().await.unwrap());
    assert!(!server.state().token_requests.last().unwrap().contains_key("scope"));
}

#[tokio::test]
async fn tokens_are_kept_when_the_configured_credentials_are_rejected() {
    let state = State { expires_in: Some(20), clients: Some(vec!["configured".to_owned()]), ..State::default() };
    let server = Protected::start(state).await;
    let oauth = OAuth::new(server.options().registration(registration())).unwrap();
    assert!(oauth.login().await.unwrap());
    server.state().clients = Some(Vec::new());
    // No login page is opened, because the next token request would be rejected too.
    let error = oauth.login().await.unwrap_err();
    assert_eq!((error.kind(), error.oauth_error()), (AuthErrorKind::Token, Some("invalid_client")));
    assert!(error.to_string().ends_with("check the client ID and its secret or key in `OAuthOptions`"), "{error}");
    server.state().clients = None;
    assert!(oauth.login().await.unwrap());
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, 1));
}
