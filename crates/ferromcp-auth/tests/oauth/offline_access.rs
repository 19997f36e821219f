//! Refresh tokens of OpenID providers: the scope `offline_access`, and consent.

use std::collections::HashMap;

use ferromcp_auth::client::{
    AuthError, AuthErrorKind, AuthorizationRequest, FileStore, Grant, OAuth, OAuthOptions, RedirectHandler,
};
use serde_json::json;

use crate::server::{Protected, REDIRECT_URI, State, registration};

/// Starts a server that lists the scope `offline_access`.
async fn start(state: State) -> Protected {
    let metadata_fields = json!({ "scopes_supported": ["read", "offline_access"] });
    Protected::start(State { metadata_fields, ..state }).await
}

/// Returns the parameter `prompt` of each login; empty without one.
fn prompts(server: &Protected) -> Vec<String> {
    let prompt = |it: &HashMap<String, String>| it.get("prompt").cloned().unwrap_or_default();
    server.counts(|state| state.authorizations.iter().map(prompt).collect())
}

/// Sends requests to a server that rejects all tokens each time.
async fn log_in_again(server: &Protected, oauth: &OAuth, times: usize) {
    for _ in 0..times {
        server.state().access.clear();
        server.state().forget_refresh_tokens();
        assert_eq!(server.connect(oauth).await.unwrap().tools().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn offline_access_is_requested_when_it_is_listed() {
    //
    for (scopes, expected) in [(json!(["read", "offline_access"]), "read offline_access"), (json!(["read"]), "read")] {
        let server = Protected::start(State::default()).await;
        server.state().metadata_fields = json!({ "scopes_supported": scopes });
        let oauth = OAuth::new(server.options()).unwrap();
        assert!(oauth.login().await.unwrap());
        assert_eq!(oauth.stored().await.unwrap().unwrap().scope(), expected);
    }
}

#[tokio::test]
async fn offline_access_is_omitted_when_the_server_rejects_it() {
    for configured in [false, true] {
        let server = start(State { refused_scope: Some("offline_access"), ..State::default() }).await;
        let options = server.options();
        let options = if configured { options.registration(registration()) } else { options };
        let oauth = OAuth::new(options).unwrap();
        assert!(oauth.login().await.unwrap());
        assert_eq!(oauth.stored().await.unwrap().unwrap().scope(), "read");
        // A scope of the options is not omitted.
        let options = server.options().registration(registration()).scope("offline_access");
        let error = OAuth::new(options).unwrap().login().await.unwrap_err();
        assert_eq!(error.oauth_error(), Some("invalid_scope"));
    }
}

#[tokio::test]
async fn consent_is_requested_when_a_login_brought_no_refresh_token() {
    // A-131; OpenID Connect Core, section 11
    let folder = tempfile::tempdir().unwrap();
    let server = start(State { requires_consent: true, ..State::default() }).await;
    let options = || server.options().store(FileStore::new(folder.path()));
    let oauth = OAuth::new(options()).unwrap();
    log_in_again(&server, &oauth, 2).await;
    assert_eq!(prompts(&server), ["", "consent"]);
    // The second login brought a refresh token.
    server.state().access.clear();
    server.connect(&oauth).await.unwrap();
    assert_eq!(server.counts(|state| (state.logins, state.refreshes)), (2, 1));
    // The next logins request consent too, also those of other processes.
    log_in_again(&server, &oauth, 1).await;
    log_in_again(&server, &OAuth::new(options()).unwrap(), 1).await;
    assert_eq!(prompts(&server), ["", "consent", "consent", "consent"]);
}

#[tokio::test]
async fn consent_is_requested_by_the_next_process_when_a_login_brought_no_refresh_token() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(State { requires_consent: true, ..State::default() }).await;
    for _ in 0..2 {
        let options = server.options().store(FileStore::new(folder.path()));
        log_in_again(&server, &OAuth::new(options).unwrap(), 1).await;
    }
    assert_eq!(prompts(&server), ["", "consent"]);
}

#[tokio::test]
async fn consent_is_not_requested_when_it_is_not_needed() {
    // The server issues refresh tokens without it (such as Microsoft Entra).
    let server = start(State::default()).await;
    log_in_again(&server, &OAuth::new(server.options()).unwrap(), 3).await;
    assert_eq!(prompts(&server), ["", "", ""]);
    // The server does not support it, or does not list the scope.
    for fields in [
        json!({ "scopes_supported": ["offline_access"], "prompt_values_supported": ["none", "login"] }),
        json!({ "scopes_supported": ["read"], "prompt_values_supported": ["consent"] }),
    ] {
        let state = State { requires_consent: true, metadata_fields: fields.clone(), ..State::default() };
        let server = Protected::start(state).await;
        log_in_again(&server, &OAuth::new(server.options()).unwrap(), 3).await;
        assert_eq!(prompts(&server), ["", "", ""], "{fields}");
    }
}

#[tokio::test]
async fn consent_is_requested_once_when_it_brings_no_refresh_token() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(State { token_fields: json!({ "refresh_token": "absent" }), ..State::default() }).await;
    let options = || server.options().store(FileStore::new(folder.path()));
    log_in_again(&server, &OAuth::new(options()).unwrap(), 3).await;
    log_in_again(&server, &OAuth::new(options()).unwrap(), 2).await;
    assert_eq!(prompts(&server), ["", "consent", "", "", ""]);
}

#[tokio::test]
async fn consent_is_not_requested_again_when_a_login_with_it_fails() {
    let server = start(State { requires_consent: true, ..State::default() }).await;
    let agreeing = server.clone();
    let prompt = RedirectHandler::new(REDIRECT_URI, move |request: AuthorizationRequest| {
        let needs_administrator = request.url().contains("prompt=consent");
        let response = agreeing.agree_to(request.url());
        async move { if needs_administrator { Err(AuthError::prompt("approval required")) } else { Ok(response) } }
    });
    let oauth = OAuth::new(server.options().grant(Grant::authorization_code(prompt))).unwrap();
    log_in_again(&server, &oauth, 1).await;
    server.state().access.clear();
    server.connect(&oauth).await.unwrap_err();
    log_in_again(&server, &oauth, 2).await;
    assert_eq!(prompts(&server), ["", "consent", "", ""]);
}

#[tokio::test]
async fn authorization_parameters_are_sent_with_each_login() {
    for value in ["consent", "select_account", ""] {
        let server = start(State { requires_consent: true, ..State::default() }).await;
        let options =
            server.options().authorization_parameter("prompt", "login").authorization_parameter("prompt", value);
        let oauth = OAuth::new(options.authorization_parameter("login_hint", "ada@example.com")).unwrap();
        log_in_again(&server, &oauth, 2).await;
        assert_eq!(prompts(&server), [value, value]);
        assert!(server.state().authorizations.iter().all(|it| it["login_hint"] == "ada@example.com"));
    }
    for name in ["state", "redirect_uri", "code_challenge", "resource", "scope", "request", "request_uri", ""] {
        let options = OAuthOptions::new("https://example.com/mcp").authorization_parameter(name, "x");
        let error = OAuth::new(options).unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::Configuration);
        assert!(error.to_string().starts_with(&format!("cannot set authorization parameter `{name}`")), "{error}");
    }
}
