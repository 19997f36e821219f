//! Attacks, each named after its trap.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_auth::client::{
    AuthError, AuthErrorKind, AuthorizationRequest, Grant, OAuth, OAuthOptions, RedirectHandler, Tolerance,
};
use serde_json::json;

use crate::server::{Protected, REDIRECT_URI, State};

const METADATA: &str = "/.well-known/oauth-protected-resource/mcp";
const SERVER: &str = "/.well-known/oauth-authorization-server";

/// Returns options whose user returns a changed response.
fn options_with(server: &Protected, change: impl Fn(String) -> String + Send + Sync + 'static) -> OAuthOptions {
    let (agreeing, change) = (server.clone(), Arc::new(change));
    let prompt = RedirectHandler::new(REDIRECT_URI, move |request: AuthorizationRequest| {
        let response = change(agreeing.agree_to(request.url()));
        async move { Ok(response) }
    });
    server.options().grant(Grant::authorization_code(prompt))
}

#[tokio::test]
async fn trap_mix_up_by_the_response() {
    //
    let server = Protected::start(State::default()).await;
    let changes: [fn(String) -> String; 4] = [
        |url| url.replace("&iss=http", "&iss=https"),
        |url| url.split("&iss").next().unwrap().to_owned(),
        |url| format!("{url}/"),
        |url| format!("{url}&iss=https://evil"),
    ];
    for change in changes {
        let error = OAuth::new(options_with(&server, change)).unwrap().login().await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Authorization, "{error}");
    }
    // No code was sent.
    assert_eq!(server.counts(|state| (state.logins, state.token_requests.len())), (4, 0));
}

#[tokio::test]
async fn trap_mix_up_by_the_metadata() {
    //
    for issuer in ["https://other.example.com", "", "{origin}/", "{origin}/x"] {
        let server = Protected::start(State::default()).await;
        let issuer = issuer.replace("{origin}", &server.origin());
        server.state().metadata_fields = json!({ "issuer": issuer });
        let error = OAuth::new(server.options()).unwrap().login().await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Discovery, "{error}");
        assert_eq!(server.counts(|state| (state.registrations, state.logins)), (0, 0));
    }
}

#[tokio::test]
async fn trap_response_of_another_request() {
    //
    let server = Protected::start(State::default()).await;
    for change in [|url: String| url.replace("&state=", "&state=x"), |url: String| url.replace("&state=", "&other=")] {
        let error = OAuth::new(options_with(&server, change)).unwrap().login().await.unwrap_err();
        assert!(error.to_string().contains("`state`"), "{error}");
    }
    assert_eq!(server.state().token_requests.len(), 0);
}

#[tokio::test]
async fn trap_pkce_downgrade() {
    //
    for methods in [json!("absent"), json!(null), json!(["plain"]), json!([]), json!({})] {
        let server = Protected::start(State::default()).await;
        server.state().metadata_fields = json!({ "code_challenge_methods_supported": methods });
        let error = OAuth::new(server.options()).unwrap().login().await.unwrap_err();
        assert!(error.to_string().contains("Tolerance::MissingPkceMethods"), "{error}");
        assert_eq!(server.counts(|state| (state.registrations, state.logins)), (0, 0));
        // A list without S256 is not tolerated.
        let options = server.options().tolerate(server.origin(), Tolerance::MissingPkceMethods);
        let is_listed = methods == json!(["plain"]) || methods == json!([]);
        assert_eq!(OAuth::new(options).unwrap().login().await.is_ok(), !is_listed, "{methods}");
    }
}

#[tokio::test]
async fn trap_credentials_crossing_issuers_when_a_login_fails() {
    // The server moves, registration at the new one fails, and the token of the first one expires.
    let server = Protected::start(State { tenant: "/a".to_owned(), expires_in: Some(31), ..State::default() }).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    server.move_to("/b");
    server.state().fixed.insert("/b/register", (503, "text/html", String::new()));
    for _ in 0..4 {
        client.tools().await.unwrap_err();
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    server.state().fixed.clear();
    assert_eq!(client.tools().await.unwrap().len(), 1);
    assert!(!server.state().token_requests.is_empty());
    for request in &server.state().token_requests {
        assert!(!request.contains_key("refresh_token"), "{request:?}");
        assert!(request["client_id"].ends_with("/b"), "{request:?}");
    }
}

#[tokio::test]
async fn trap_ssrf_by_redirect() {
    //
    let target = Protected::start(State::default()).await;
    for path in [METADATA, SERVER, "/register", "/token"] {
        for status in [302, 307, 308] {
            let server = Protected::start(State::default()).await;
            let location: &'static str = Box::leak(format!("{}{path}", target.origin()).into_boxed_str());
            server.state().fixed.insert(path, (status, location, String::new()));
            OAuth::new(server.options()).unwrap().login().await.unwrap_err();
        }
    }
    assert!(target.state().paths.is_empty());
}

#[tokio::test]
async fn trap_ssrf_by_metadata_urls() {
    // The server is on the loopback interface, so that loopback addresses are allowed.
    for url in ["http://example.com/x", "https://10.0.0.1/x", "https://[::ffff:10.0.0.1]/x", "file:///etc/passwd", ""] {
        let server = Protected::start(State::default()).await;
        server.state().challenge = Some(format!("Bearer resource_metadata=\"{url}\""));
        let error = OAuth::new(server.options()).unwrap().login().await.unwrap_err();
        assert!(error.to_string().contains("unsafe URL"), "{error}");
        for field in ["token_endpoint", "registration_endpoint", "authorization_endpoint"] {
            let server = Protected::start(State { metadata_fields: json!({ field: url }), ..State::default() }).await;
            let error = OAuth::new(server.options()).unwrap().login().await.unwrap_err();
            assert!(error.to_string().contains("unsafe URL"), "{field}: {error}");
        }
    }
}

#[tokio::test]
async fn trap_script_scheme_in_authorization_endpoint() {
    //
    for url in ["javascript:alert(1)", "data:text/html,x", "file:///bin/sh", "vbscript:x", "http://example.com/"] {
        let server = Protected::start(State::default()).await;
        server.state().metadata_fields = json!({ "authorization_endpoint": url });
        let error = OAuth::new(server.options()).unwrap().login().await.unwrap_err();
        assert!(error.to_string().contains("unsafe URL"), "{error}");
        assert_eq!(server.state().logins, 0);
    }
}

#[tokio::test]
async fn trap_metadata_of_another_resource() {
    //
    for resource in ["https://evil.example.com/mcp", "{origin}/other", "{origin}/mcp/x", "{origin}/mc", ""] {
        let server = Protected::start(State::default()).await;
        let document = json!({ "resource": resource, "authorization_servers": ["{origin}"] }).to_string();
        server.state().fixed.insert(METADATA, (200, "application/json", document));
        let error = OAuth::new(server.options()).unwrap().login().await.unwrap_err();
        assert!(error.to_string().contains("the protected resource metadata is for"), "{error}");
        assert_eq!(server.counts(|state| (state.registrations, state.logins)), (0, 0));
    }
}

#[tokio::test]
async fn trap_token_that_is_not_bound_to_the_key() {
    // The server issues a bearer token to a client that requires DPoP.
    let server = Protected::start(State::default()).await;
    let oauth = OAuth::new(server.options().dpop()).unwrap();
    let error = oauth.login().await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::Token);
    assert!(error.to_string().contains("remove `OAuthOptions::dpop`"), "{error}");
    assert!(!oauth.stored().await.unwrap().is_some_and(|stored| stored.has_tokens()));
}

#[tokio::test]
async fn trap_endless_401_loops() {
    //
    let server = Protected::start(State { refuses_with: Some(401), ..State::default() }).await;
    server.state().challenge = Some("Bearer".to_owned());
    let oauth = OAuth::new(server.options()).unwrap();
    for _ in 0..5 {
        server.connect(&oauth).await.unwrap_err();
    }
    // The next requests do not open the login page again.
    assert_eq!(server.state().logins, 1);
}

#[tokio::test]
async fn trap_endless_step_up_loops() {
    //
    let server = Protected::start(State::default()).await;
    let oauth = OAuth::new(server.options()).unwrap();
    let client = server.connect(&oauth).await.unwrap();
    server.state().refuses_with = Some(403);
    server.state().challenge = Some("Bearer error=\"insufficient_scope\", scope=\"write\"".to_owned());
    for _ in 0..5 {
        client.tools().await.unwrap_err();
    }
    assert!(server.state().logins <= 3, "{} logins", server.state().logins);
    // A 403 response for another reason does not start a login.
    let logins = server.state().logins;
    server.state().challenge = Some("Bearer error=\"access_denied\"".to_owned());
    client.tools().await.unwrap_err();
    assert_eq!(server.state().logins, logins);
}

#[tokio::test]
async fn trap_login_prompts_for_each_waiting_request() {
    let server = Protected::start(State::default()).await;
    let prompts = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&prompts);
    let prompt = RedirectHandler::new(REDIRECT_URI, move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        async {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            Err(AuthError::prompt("canceled"))
        }
    });
    let oauth = OAuth::new(server.options().grant(Grant::authorization_code(prompt))).unwrap();
    let logins = (0..8).map(|_| (server.clone(), oauth.clone()));
    let logins = logins.map(|(server, oauth)| tokio::spawn(async move { server.connect(&oauth).await.map(drop) }));
    for login in logins.collect::<Vec<_>>() {
        login.await.unwrap().unwrap_err();
    }
    assert_eq!(prompts.load(Ordering::SeqCst), 1);
}
