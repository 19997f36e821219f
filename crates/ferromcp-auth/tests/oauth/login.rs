//! Logins: discovery, registration, the store, and changes of the authorization server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_auth::client::{
    AuthError, AuthErrorKind, ClientIdSource, FileStore, Grant, LoginStep, OAuth, RedirectHandler,
};
use ferromcp_client::{Client, ClientLimits};
use serde_json::json;

use crate::server::{Protected, REDIRECT_URI, State, registration};

async fn add(client: &ferromcp_client::Client) -> Result<i64, ferromcp_client::ClientError> {
    client.call_as("add", json!({ "a": 1, "b": 2 })).await
}

#[tokio::test]
async fn logs_in_when_the_server_responds_with_401() {
    //
    let server = Protected::start(State::default()).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    assert_eq!(add(&client).await.unwrap(), 3);
    let state = server.state();
    assert_eq!((state.registrations, state.logins), (1, 1));
    let request = &state.token_requests[0];
    assert_eq!([&request["resource"], &request["redirect_uri"]], [&server.url(), REDIRECT_URI]);
    assert_eq!(request["client_id"], "client-1");
    // The root was not requested, because the metadata is at the path.
    assert!(!state.paths.iter().any(|path| path == "/.well-known/oauth-protected-resource"), "{:?}", state.paths);
}

#[tokio::test]
async fn stored_credentials_are_used_by_the_next_process() {
    //
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State::default()).await;
    let options = || server.options().store(FileStore::new(folder.path().join("credentials")));
    for _ in 0..2 {
        let oauth = OAuth::new(options()).unwrap();
        assert_eq!(add(&server.connect(&oauth).await.unwrap()).await.unwrap(), 3);
    }
    assert_eq!(server.counts(|state| (state.registrations, state.logins)), (1, 1));
    #[cfg(unix)]
    for entry in std::fs::read_dir(folder.path().join("credentials")).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let oauth = OAuth::new(options()).unwrap();
    assert_eq!(oauth.stored().await.unwrap().unwrap().scope(), "read");
    assert!(!oauth.logout().await.unwrap(), "the server has no revocation endpoint");
    assert!(oauth.stored().await.unwrap().is_none());
    add(&server.connect(&oauth).await.unwrap()).await.unwrap();
    assert_eq!(server.state().logins, 2);
}

#[tokio::test]
async fn timeouts_start_again_after_a_login() {
    let state = State { token_delay: Duration::from_millis(1500), ..State::default() };
    let server = Protected::start(state).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let timeout = Duration::from_millis(400);
    let limits = ClientLimits::default().probe_timeout(timeout).request_timeout(timeout);
    let client = Client::builder("test", "1.0.0").limits(limits).credentials(oauth.clone()).connect(server.url());
    let client = client.await.unwrap();
    server.state().required_scope = Some("write");
    assert_eq!(add(&client).await.unwrap(), 3);
    assert_eq!(server.state().logins, 2);
}

#[tokio::test]
async fn concurrent_requests_share_one_login() {
    let server = Protected::start(State::default()).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let clients = (0..8).map(|_| {
        let (server, oauth) = (server.clone(), oauth.clone());
        tokio::spawn(async move { add(&server.connect(&oauth).await.unwrap()).await.unwrap() })
    });
    for client in clients.collect::<Vec<_>>() {
        assert_eq!(client.await.unwrap(), 3);
    }
    assert_eq!(server.counts(|state| (state.registrations, state.logins)), (1, 1));
}

#[tokio::test]
async fn scopes_are_united_when_a_call_requires_more() {
    //
    let server = Protected::start(State::default()).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    server.state().required_scope = Some("write");
    assert_eq!(add(&client).await.unwrap(), 3);
    assert_eq!(oauth.stored().await.unwrap().unwrap().scope(), "read write");
    assert_eq!(server.state().logins, 2);
}

#[tokio::test]
async fn client_registers_again_when_its_registration_limits_its_scopes() {
    //
    let server = Protected::start(State { limits_scopes: true, ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    server.state().required_scope = Some("write");
    assert_eq!(add(&client).await.unwrap(), 3);
    assert_eq!(server.counts(|state| (state.registrations, state.logins)), (2, 2));
    // A scope that the server rejects in any case is an error.
    server.state().required_scope = Some("admin");
    server.state().limits_scopes = true;
    server.state().unknown_scope = Some("admin");
    let error = add(&client).await.unwrap_err().to_string();
    assert!(error.contains("invalid_scope"), "{error}");
}

#[tokio::test]
async fn client_registers_without_scopes_when_the_server_does_not_know_them() {
    //
    let server = Protected::start(State { unknown_scope: Some("read"), ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    assert_eq!(add(&server.connect(&oauth).await.unwrap()).await.unwrap(), 3);
    assert_eq!(server.counts(|state| (state.registrations, state.logins)), (2, 1));
    assert_eq!(oauth.stored().await.unwrap().unwrap().scope(), "read");
}

#[tokio::test]
async fn credentials_of_one_server_are_not_sent_to_another() {
    //
    let server = Protected::start(State { tenant: "/a".to_owned(), ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    server.move_to("/b");
    assert_eq!(add(&client).await.unwrap(), 3);
    let state = server.state();
    assert_eq!((state.registrations, state.logins), (2, 2));
    // No refresh token, no secret and no client ID of the first server.
    assert_eq!(state.token_requests.len(), 1);
    assert_eq!(state.token_requests[0]["client_id"], "client-2/b");
    assert_eq!(state.token_requests[0]["grant_type"], "authorization_code");
}

#[tokio::test]
async fn configured_credentials_are_bound_to_their_issuer() {
    //
    let server = Protected::start(State { tenant: "/a".to_owned(), ..State::default() }).await;
    let oauth = OAuth::new(server.options().registration(registration())).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    assert_eq!(server.state().token_requests[0]["client_id"], "configured");
    server.move_to("/b");
    let error = add(&client).await.unwrap_err();
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<AuthError>());
    let source = source.expect("the source is an `AuthError`");
    assert_eq!(source.kind(), AuthErrorKind::Configuration);
    let text = source.to_string();
    assert!(text.contains("belong to authorization server") && text.contains("OAuthOptions::registration"), "{text}");
    assert_eq!(server.counts(|state| (state.registrations, state.token_requests.len())), (0, 0));
}

#[tokio::test]
async fn configured_secret_is_not_stored() {
    //
    let folder = tempfile::tempdir().unwrap();
    let server = Protected::start(State { expires_in: Some(20), ..State::default() }).await;
    for secret in ["first-s3cret", "second-s3cret"] {
        let registration = ferromcp_auth::client::ClientRegistration::new("configured").secret(secret);
        let options = server.options().store(FileStore::new(folder.path())).registration(registration);
        let oauth = OAuth::new(options).unwrap();
        assert!(oauth.login().await.unwrap());
        assert_eq!(oauth.stored().await.unwrap().unwrap().issuer(), server.origin());
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            assert!(!std::fs::read_to_string(entry.unwrap().path()).unwrap().contains(secret));
        }
        // The refresh of the second process uses the new secret.
        assert_eq!(server.state().token_requests.last().unwrap()["client_secret"], secret);
    }
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (1, 1));
}

#[tokio::test]
async fn login_times_out_when_the_user_does_not_complete_it() {
    let server = Protected::start(State::default()).await;
    let prompt = RedirectHandler::new(REDIRECT_URI, |_| std::future::pending());
    let options = server.options().grant(Grant::authorization_code(prompt));
    let oauth = OAuth::new(options.login_timeout(std::time::Duration::from_millis(50))).unwrap();
    let error = oauth.login().await.unwrap_err().to_string();
    assert!(error.contains("the user did not log in within"), "{error}");
}

#[tokio::test]
async fn tokens_are_not_sent_to_other_origins() {
    //
    let (server, other) = (Protected::start(State::default()).await, Protected::start(State::default()).await);
    let oauth = OAuth::new(server.options()).unwrap();
    assert!(oauth.login().await.unwrap());
    let error = other.connect(&oauth).await.unwrap_err();
    let text = format!("{error} {:?}", std::error::Error::source(&error).map(ToString::to_string));
    assert!(text.contains("are not sent to other origins"), "{text}");
}

#[tokio::test]
async fn steps_of_a_login_are_reported_without_secrets() {
    let server = Protected::start(State::default()).await;
    let steps = Arc::<Mutex<Vec<LoginStep>>>::default();
    let reported = Arc::clone(&steps);
    let options = server.options().on_step(move |step| reported.lock().unwrap().push(step.clone()));
    let oauth = OAuth::new(options).unwrap();
    assert!(oauth.login().await.unwrap());
    let steps = steps.lock().unwrap().clone();
    let [challenged, discovered, identified, code, tokens] = steps.as_slice() else { panic!("{steps:?}") };
    assert!(matches!(challenged, LoginStep::Challenged { resource_metadata: Some(_), .. }), "{challenged:?}");
    let LoginStep::Discovered { issuer, token_endpoint: Some(endpoint), .. } = discovered else {
        panic!("{discovered:?}")
    };
    assert!(issuer.starts_with(&server.origin()) && endpoint.starts_with(&server.origin()), "{discovered:?}");
    let LoginStep::Identified { client_id, source: ClientIdSource::Registered, .. } = identified else {
        panic!("{identified:?}")
    };
    assert_eq!((client_id.as_str(), code), ("client-1", &LoginStep::CodeReceived));
    assert!(matches!(tokens, LoginStep::TokensReceived { has_refresh_token: true, .. }), "{tokens:?}");
    let stored = serde_json::to_value(oauth.stored().await.unwrap().unwrap()).unwrap();
    let shown = format!("{steps:?}");
    for secret in [&stored["tokens"]["access"], &stored["tokens"]["refresh"], &json!("secret-s3cret-1")] {
        assert!(!shown.contains(secret.as_str().unwrap()), "{shown}");
    }
}
