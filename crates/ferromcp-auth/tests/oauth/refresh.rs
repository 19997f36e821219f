//! Refreshing tokens.

use ferromcp_auth::client::{FileStore, OAuth};
use serde_json::json;

use crate::server::{Protected, State};

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
