//! Login at an upstream server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ferromcp_auth::authorization_server::{
    AuthorizationProvider, IssuedTokens, OAuthError, StoredProvider, TokenContext, UpstreamLogin, UpstreamOptions,
};
use http::StatusCode;
use serde_json::json;

use crate::browser::{Browser, ISSUER, RESOURCE, authorize, client, parameters, redeem};
use crate::identity_provider::{CLIENT_ID, IdentityProvider, SECRET};

/// Returns options for the provider.
pub(crate) fn options(upstream: &IdentityProvider) -> UpstreamOptions {
    UpstreamOptions::new(&upstream.issuer, CLIENT_ID, SECRET).name("Example ID").scopes(["openid", "email"])
}

pub(crate) fn provider(options: UpstreamOptions) -> StoredProvider<UpstreamLogin> {
    StoredProvider::new(UpstreamLogin::new(options).unwrap())
}

/// Consents and logs in, and returns the redirect to the client.
pub(crate) async fn complete(browser: &mut Browser, upstream: &IdentityProvider, url: &str) -> String {
    let page = browser.get(url).await;
    let callback = upstream.log_in(&browser.press(&page, "approve").await.location());
    browser.get(&callback).await.location()
}

/// Authorizes a client, and returns its tokens.
pub(crate) async fn tokens(provider: &StoredProvider<UpstreamLogin>, upstream: &IdentityProvider) -> IssuedTokens {
    let url = authorize(provider, &client("c"), "read").await;
    let location = complete(&mut Browser::new(provider.clone()), upstream, &url).await;
    redeem(provider, &client("c"), &location).await.unwrap()
}

pub(crate) async fn refresh(
    provider: &StoredProvider<UpstreamLogin>,
    tokens: &IssuedTokens,
) -> Result<IssuedTokens, OAuthError> {
    let token = tokens.refresh_token.as_ref().unwrap();
    let loaded = provider.load_refresh_token(&client("c"), token.expose()).await?;
    let loaded = loaded.ok_or_else(|| OAuthError::invalid_grant("unknown"))?;
    let context = TokenContext::new(ISSUER, RESOURCE);
    provider.exchange_refresh_token(&client("c"), loaded, vec!["read".to_owned()], context).await
}

#[tokio::test]
async fn user_consents_and_then_logs_in_upstream() {
    //
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    let url = authorize(&provider, &client("c"), "read").await;
    let mut browser = Browser::new(provider.clone());
    let page = browser.get(&url).await;
    for text in ["Client c", "Example ID", "openid, email", "client.example"] {
        assert!(page.html.contains(text), "{text} {}", page.html);
    }
    let page = browser.press(&page, "approve").await;
    let cookies = page.set_cookies();
    assert!(cookies.len() == 1 && cookies[0].starts_with("__Host-mcp-login="), "{cookies:?}");
    assert!(cookies[0].contains("Max-Age=600") && cookies[0].contains("HttpOnly"), "{cookies:?}");
    let sent = parameters(&page.location());
    assert_eq!(sent["redirect_uri"], "https://as.example/upstream/callback");
    assert_eq!(sent["scope"], "openid email");
    let page = browser.get(&upstream.log_in(&page.location())).await;
    assert!(!browser.cookies.contains_key("__Host-mcp-login") && browser.cookies.contains_key("__Host-mcp-session"));
    let tokens = redeem(&provider, &client("c"), &page.location()).await.unwrap();
    let access = provider.load_access_token(tokens.access_token.expose()).await.unwrap().unwrap();
    assert_eq!(access.subject.as_deref(), Some("user-1"));
    assert_eq!(access.claims["email"], "ada@example.com");
    for claim in ["aud", "iss", "exp", "nonce"] {
        assert!(!access.claims.contains_key(claim), "{claim}");
    }
    // The client receives only tokens of this server.
    for token in &upstream.state().tokens {
        for own in [&tokens.access_token, tokens.refresh_token.as_ref().unwrap()] {
            assert_ne!(own.expose(), token);
        }
    }
}

#[tokio::test]
async fn handlers_get_a_valid_upstream_token() {
    //
    let upstream = IdentityProvider::start().await;
    let login = UpstreamLogin::new(options(&upstream)).unwrap();
    let provider = StoredProvider::new(login.clone());
    upstream.state().expires_in = 1;
    let tokens = tokens(&provider, &upstream).await;
    let access = provider.load_access_token(tokens.access_token.expose()).await.unwrap().unwrap();
    let session = access.claims["upstream_session"].as_str().unwrap();
    upstream.state().expires_in = 3600;
    let first = login.access_token(session).await.unwrap().unwrap();
    assert!(upstream.state().tokens.contains(&first.expose().to_owned()));
    assert_eq!(login.access_token(session).await.unwrap(), Some(first));
    assert_eq!(upstream.state().refreshes, 1, "refreshed once");
    assert_eq!(login.access_token("unknown").await.unwrap(), None);
}

#[tokio::test]
async fn revocation_upstream_revokes_the_grant() {
    //
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    upstream.state().expires_in = 1;
    let first = tokens(&provider, &upstream).await;
    let second = refresh(&provider, &first).await.unwrap();
    // An outage does not revoke: the client retries.
    upstream.state().token_status = Some(503);
    assert_eq!(refresh(&provider, &second).await.unwrap_err().code(), "temporarily_unavailable");
    upstream.state().token_status = None;
    upstream.state().is_revoked = true;
    assert_eq!(refresh(&provider, &second).await.unwrap_err().code(), "invalid_grant");
    assert!(provider.load_access_token(second.access_token.expose()).await.unwrap().is_none());
}

#[tokio::test]
async fn server_without_metadata_identifies_users_by_userinfo() {
    let upstream = IdentityProvider::start().await;
    upstream.state().omits_id_token = true;
    upstream.state().expects_form = true;
    upstream.state().userinfo = json!({ "id": 583_231, "login": "octocat" });
    let issuer = &upstream.issuer;
    let options = options(&upstream)
        .endpoints(format!("{issuer}/authorize"), format!("{issuer}/token"))
        .userinfo_url(format!("{issuer}/userinfo"))
        .subject_claim("id")
        .secret_in_form()
        .scopes(["read:user"]);
    let provider = provider(options);
    let tokens = tokens(&provider, &upstream).await;
    let access = provider.load_access_token(tokens.access_token.expose()).await.unwrap().unwrap();
    assert_eq!((access.subject.as_deref(), access.claims["login"].as_str()), (Some("583231"), Some("octocat")));
}

#[tokio::test]
async fn users_can_be_restricted() {
    let upstream = IdentityProvider::start().await;
    let options = options(&upstream).allow_user(|user| user.claims["email"] != "ada@example.com");
    let provider = provider(options);
    let url = authorize(&provider, &client("c"), "read").await;
    let mut browser = Browser::new(provider.clone());
    let sent = parameters(&complete(&mut browser, &upstream, &url).await);
    assert_eq!(sent["error"], "access_denied");
    assert!(!browser.cookies.contains_key("__Host-mcp-session"));
}

#[tokio::test]
async fn trap_user_who_is_no_longer_allowed_keeps_access() {
    //
    let upstream = IdentityProvider::start().await;
    let is_allowed = Arc::new(AtomicBool::new(true));
    let current = Arc::clone(&is_allowed);
    let provider = provider(options(&upstream).allow_user(move |_| current.load(Ordering::Relaxed)));
    let first = tokens(&provider, &upstream).await;
    let second = refresh(&provider, &first).await.unwrap();
    is_allowed.store(false, Ordering::Relaxed);
    assert_eq!(refresh(&provider, &second).await.unwrap_err().code(), "invalid_grant");
    assert!(provider.load_access_token(second.access_token.expose()).await.unwrap().is_none(), "the grant is revoked");
}

#[tokio::test]
async fn upstream_failures_are_sent_to_the_client() {
    //
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream));
    let mut browser = Browser::new(provider.clone());
    for (status, code) in [(503, "temporarily_unavailable"), (400, "server_error")] {
        upstream.state().token_status = Some(status);
        let url = authorize(&provider, &client("c"), "read").await;
        let sent = parameters(&complete(&mut browser, &upstream, &url).await);
        assert_eq!((sent["error"].as_str(), sent["state"].as_str()), (code, "client-state"));
    }
    upstream.state().token_status = None;
    for (error, code) in [
        ("access_denied", "access_denied"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("%3Cscript%3E", "server_error"),
    ] {
        let page = browser.get(&authorize(&provider, &client("c"), "read").await).await;
        let callback = upstream.log_in(&browser.press(&page, "approve").await.location());
        let sent = parameters(&browser.get(&callback.replace("code=", &format!("error={error}&x="))).await.location());
        assert_eq!(sent["error"], code);
        assert!(!sent.get("error_description").is_some_and(|text| text.contains("script")));
    }
    // The server does not exist.
    let dead = UpstreamOptions::new("http://127.0.0.1:1", CLIENT_ID, SECRET);
    let provider = self::provider(dead);
    let mut browser = Browser::new(provider.clone());
    let page = browser.get(&authorize(&provider, &client("c"), "read").await).await;
    let sent = parameters(&browser.press(&page, "approve").await.location());
    assert_eq!(sent["error"], "temporarily_unavailable");
}

#[tokio::test]
async fn remembered_consent_skips_the_page_but_not_the_login() {
    //
    let upstream = IdentityProvider::start().await;
    let provider = provider(options(&upstream)).remember_consent(Duration::from_secs(3600));
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    complete(&mut browser, &upstream, &url).await;
    let url = authorize(&provider, &client("c"), "read").await;
    assert!(browser.get(&url).await.location().contains("code="), "session and consent");
    // Without a session, it is not known whose consent to look up, so that the page is shown.
    let page = browser.other().get(&url).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "already used");
    let url = authorize(&provider, &client("c"), "read").await;
    assert!(browser.other().get(&url).await.has_button("approve"));
}

#[tokio::test]
async fn invalid_options_are_errors() {
    for (options, text) in [
        (UpstreamOptions::new("http://idp.example.com", "c", "s3cret"), "https"),
        (UpstreamOptions::new("https://10.0.0.1", "c", "s3cret"), "routable"),
        (UpstreamOptions::new("idp", "c", "s3cret"), "upstream issuer"),
        (UpstreamOptions::new("https://idp.example.com", "c", "s3cret").userinfo_url("http://x.example"), "https"),
        (
            UpstreamOptions::new("https://a.example", "c", "s3cret")
                .endpoints("https://a.example/a", "https://a.example/t"),
            "userinfo_url",
        ),
    ] {
        assert!(!format!("{options:?}").contains("s3cret"));
        let error = UpstreamLogin::new(options).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
}
