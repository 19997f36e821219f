//! Attacks on the login at an upstream server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_auth::authorization_server::{
    AuthorizationProvider, StoredProvider, UpstreamLogin, UpstreamOptions, User, UserLogin,
};
use http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;

use crate::browser::{Browser, ISSUER, authorize, client, parameters, redeem};
use crate::identity_provider::{CLIENT_ID, IdentityProvider, SECRET};
use crate::upstream::{complete, options, provider, refresh, tokens};

#[tokio::test]
async fn trap_confused_deputy() {
    // a session at the upstream server, and the consent to one client, do not let another client in.
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream)).remember_consent(Duration::from_secs(3600));
    let mut victim = Browser::new(provider.clone());
    let url = authorize(&provider, &client("good"), "read").await;
    complete(&mut victim, &upstream, &url).await;

    let mut evil = client("evil");
    evil.redirect_uris = vec!["https://evil.example/cb".to_owned()];
    let url = authorize(&provider, &evil, "read").await;
    let page = victim.get(&url).await;
    assert!(page.status == StatusCode::OK && page.has_button("approve"), "the victim is asked: {page:?}");
    assert!(page.html.contains("evil.example") && page.html.contains("Client evil"));
    // Nor in a browser without a session here.
    let page = victim.other().get(&url).await;
    assert!(page.status == StatusCode::OK && page.has_button("approve"));
    // A client that takes the ID of the good one cannot change its redirect URI without consent.
    let mut copy = client("good");
    copy.redirect_uris = vec!["https://evil.example/cb".to_owned()];
    let url = authorize(&provider, &copy, "read").await;
    assert!(victim.get(&url).await.has_button("approve"));
}

#[tokio::test]
async fn trap_state_cookie_before_consent() {
    //
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    let page = browser.get(&url).await;
    let cookies: Vec<_> = browser.cookies.keys().map(String::as_str).collect();
    assert_eq!(cookies, ["__Host-mcp-browser"], "only the cookie against CSRF");
    // The ID of the page is not accepted as a state.
    let callback = format!("{ISSUER}/upstream/callback?code=x&state={}", page.hidden("id"));
    assert_eq!(browser.get(&callback).await.status, StatusCode::BAD_REQUEST);
    browser.press(&page, "deny").await.location();
    assert!(!browser.cookies.contains_key("__Host-mcp-login"));
}

#[tokio::test]
async fn trap_callback_in_another_browser() {
    //
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    let mut attacker = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    let page = attacker.get(&url).await;
    let callback = upstream.log_in(&attacker.press(&page, "approve").await.location());
    // The victim opens the callback of the attacker: with no login, and in the middle of an own one.
    let mut victim = attacker.other();
    assert_eq!(victim.get(&callback).await.status, StatusCode::BAD_REQUEST);
    let url = authorize(&provider, &client("c"), "read").await;
    let page = victim.get(&url).await;
    let own = upstream.log_in(&victim.press(&page, "approve").await.location());
    assert_eq!(victim.get(&callback).await.status, StatusCode::BAD_REQUEST);
    assert!(!victim.cookies.contains_key("__Host-mcp-session"));
    // Neither login is disturbed.
    victim.get(&own).await.location();
    attacker.get(&callback).await.location();
}

#[tokio::test]
async fn trap_state_replay() {
    //
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    let page = browser.get(&url).await;
    let first = browser.press(&page, "approve").await.location();
    let cookies = browser.cookies.clone();
    let callback = upstream.log_in(&first);
    let location = browser.get(&callback).await.location();
    redeem(&provider, &client("c"), &location).await.unwrap();
    browser.cookies = cookies;
    assert_eq!(browser.get(&callback).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.get(&upstream.log_in(&first)).await.status, StatusCode::BAD_REQUEST);
    // States are random, and differ for each login.
    let url = authorize(&provider, &client("c"), "read").await;
    let page = browser.other().get(&url).await;
    assert_eq!(page.status, StatusCode::OK);
    let state = parameters(&first).remove("state").unwrap();
    assert_eq!(state.len(), 43);
    assert!(!first.contains(&browser.cookies["__Host-mcp-login"]), "the secret of the browser is not sent upstream");
}

#[tokio::test]
async fn trap_consent_twice() {
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    let page = browser.get(&url).await;
    browser.press(&page, "approve").await.location();
    assert_eq!(browser.press(&page, "approve").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(browser.get(&url).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn trap_mix_up_of_upstream_servers() {
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    let mut browser = Browser::new(provider.clone());
    let issuer: String = url::form_urlencoded::byte_serialize(upstream.issuer.as_bytes()).collect();
    for (from, to) in [
        (format!("&iss={issuer}"), "&iss=https%3A%2F%2Fevil.example".to_owned()),
        (format!("&iss={issuer}"), String::new()),
        (format!("&iss={issuer}"), format!("&iss={issuer}&iss={issuer}")),
        // The error of another server is not shown.
        (format!("&iss={issuer}"), "&error=access_denied&iss=https%3A%2F%2Fevil.example".to_owned()),
    ] {
        let page = browser.get(&authorize(&provider, &client("c"), "read").await).await;
        let callback = upstream.log_in(&browser.press(&page, "approve").await.location());
        assert!(callback.contains(&from), "{callback}");
        let sent = parameters(&browser.get(&callback.replace(&from, &to)).await.location());
        assert_eq!(sent["error"], "server_error", "{to}");
    }
    assert!(upstream.state().tokens.is_empty(), "no code was sent");
}

#[tokio::test]
async fn trap_forged_id_token() {
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    let mut browser = Browser::new(provider.clone());
    for claims in [
        json!({ "nonce": "other" }),
        json!({ "nonce": null }),
        json!({ "aud": "another client" }),
        json!({ "iss": "https://evil.example" }),
        json!({ "exp": 1 }),
        json!({ "azp": "another client" }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
    ] {
        upstream.state().claims = claims.clone();
        let url = authorize(&provider, &client("c"), "read").await;
        let sent = parameters(&complete(&mut browser, &upstream, &url).await);
        assert_eq!(sent["error"], "server_error", "{claims}");
        assert!(!browser.cookies.contains_key("__Host-mcp-session"), "{claims}");
    }
}

#[tokio::test]
async fn trap_userinfo_of_another_user() {
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream).userinfo_url(format!("{}/userinfo", upstream.issuer)));
    let mut browser = Browser::new(provider.clone());
    for (userinfo, is_accepted) in [
        (json!({ "sub": "user-2" }), false),
        (json!({ "email": "x" }), false),
        (json!([]), false),
        (json!({ "sub": "user-1", "email": "new@example.com" }), true),
    ] {
        upstream.state().userinfo = userinfo;
        let url = authorize(&provider, &client("c"), "read").await;
        let location = complete(&mut browser, &upstream, &url).await;
        assert_eq!(location.contains("code="), is_accepted);
    }
}

#[tokio::test]
async fn trap_upstream_session_claim_of_the_user() {
    // A user cannot choose the tokens of another login by a claim.
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    upstream.state().claims = json!({ "upstream_session": "other" });
    let tokens = tokens(&provider, &upstream).await;
    let access = provider.load_access_token(tokens.access_token.expose()).await.unwrap().unwrap();
    assert_ne!(access.claims["upstream_session"], "other");
    assert!(refresh(&provider, &tokens).await.is_ok());
}

#[tokio::test]
async fn login_form_does_not_exist_for_an_upstream_login() {
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    let mut browser = Browser::new(provider.clone());
    let page = browser.get(&authorize(&provider, &client("c"), "read").await).await;
    let sent = parameters(&browser.log_in(&page, "ada", "right").await.location());
    assert_eq!(sent["error"], "server_error");
}

#[tokio::test]
async fn trap_revocation_upstream_is_forgotten_after_the_first_refresh() {
    // two clients of one browser session.
    let upstream = IdentityProvider::start().await;
    let login = UpstreamLogin::new(options(&upstream)).unwrap();
    let provider = StoredProvider::new(login.clone());
    let mut browser = Browser::new(provider.clone());
    upstream.state().expires_in = 1;
    let url = authorize(&provider, &client("c"), "read").await;
    let location = complete(&mut browser, &upstream, &url).await;
    let first = redeem(&provider, &client("c"), &location).await.unwrap();
    let page = browser.get(&authorize(&provider, &client("c"), "read").await).await;
    let location = browser.press(&page, "approve").await.location();
    assert!(location.contains("code="), "the session is used again: {location}");
    let second = redeem(&provider, &client("c"), &location).await.unwrap();
    let access = provider.load_access_token(first.access_token.expose()).await.unwrap().unwrap();
    let session = access.claims["upstream_session"].as_str().unwrap();

    upstream.state().is_revoked = true;
    // A handler finds out first.
    assert_eq!(login.access_token(session).await.unwrap(), None);
    for tokens in [&first, &second] {
        assert_eq!(refresh(&provider, tokens).await.unwrap_err().code(), "invalid_grant");
        assert!(provider.load_access_token(tokens.access_token.expose()).await.unwrap().is_none());
    }
    assert_eq!(login.access_token(session).await.unwrap(), None);
}

#[tokio::test]
async fn trap_session_of_a_browser_outlives_the_revocation_upstream() {
    //
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream)).remember_consent(Duration::from_secs(3600));
    let mut browser = Browser::new(provider.clone());
    upstream.state().expires_in = 1;
    complete(&mut browser, &upstream, &authorize(&provider, &client("c"), "read").await).await;
    upstream.state().is_revoked = true;
    // Neither a remembered consent nor the button grants anything without a new login.
    let page = browser.get(&authorize(&provider, &client("c"), "read").await).await;
    assert_eq!(page.status, StatusCode::OK);
    let location = browser.press(&page, "approve").await.location();
    assert!(location.starts_with(&upstream.issuer), "{location}");
}

#[tokio::test]
async fn trap_unknown_upstream_session() {
    // the tokens of the upstream server are lost, as after a restart.
    let upstream = IdentityProvider::start().await;
    for (options, is_accepted) in [(options(&upstream), true), (options(&upstream).require_live_session(), false)] {
        let login = UpstreamLogin::new(options).unwrap();
        let user = User::new("ada").with_reference("lost");
        assert_eq!(login.is_active(&user).await.unwrap(), is_accepted);
    }
}

#[tokio::test]
async fn trap_upstream_state_as_the_id_of_a_page() {
    // Who sees the URL of the upstream server cannot complete the authorization as another user.
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    let mut victim = Browser::new(provider.clone());
    let page = victim.get(&authorize(&provider, &client("c"), "read").await).await;
    let location = victim.press(&page, "approve").await.location();
    let state = parameters(&location).remove("state").unwrap();

    let mut attacker = victim.other();
    complete(&mut attacker, &upstream, &authorize(&provider, &client("c"), "read").await).await;
    let page = attacker.get(&format!("{ISSUER}/consent?id={state}")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let own = attacker.get(&authorize(&provider, &client("c"), "read").await).await;
    let (csrf, action) = (own.hidden("csrf"), ("action", "deny"));
    let page = attacker.post("/consent", &[("id", &state), ("csrf", &csrf), action]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    // The victim is not disturbed.
    assert!(victim.get(&upstream.log_in(&location)).await.location().contains("code="));
}

#[tokio::test]
async fn trap_discovery_in_each_request_of_an_outage() {
    // A server that closes all connections.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let provider = provider(UpstreamOptions::new(issuer, CLIENT_ID, SECRET));
    let mut browser = Browser::new(provider.clone());
    let mut first = 0;
    for n in 0..3 {
        let page = browser.get(&authorize(&provider, &client("c"), "read").await).await;
        let sent = parameters(&browser.press(&page, "approve").await.location());
        assert_eq!(sent["error"], "temporarily_unavailable");
        if n == 0 {
            first = connections.load(Ordering::Relaxed);
        }
    }
    assert!(first > 0);
    assert_eq!(connections.load(Ordering::Relaxed), first, "the failure is remembered");
}
