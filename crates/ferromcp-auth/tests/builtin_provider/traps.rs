//! Attacks on the pages.

use ferromcp_auth::authorization_server::AuthorizationProvider;
use http::StatusCode;

use crate::browser::{Browser, ISSUER, authorize, client, password_provider, redeem};

#[tokio::test]
async fn trap_framing() {
    //
    let provider = password_provider();
    let url = authorize(&provider, &client("c"), "read").await;
    let mut browser = Browser::new(provider);
    let login = browser.get(&url).await;
    let consent = browser.open_as(&url, "ada").await;
    let error = browser.get("https://as.example/consent?id=unknown").await;
    for page in [login, consent, error] {
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !page.html.contains("<script"));
        let nonce = policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0;
        assert!(nonce.len() == 43 && page.html.contains(&format!("<style nonce=\"{nonce}\">")));
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin");
    }
}

#[tokio::test]
async fn trap_csrf() {
    //
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    let page = browser.open_as(&url, "ada").await;
    let (id, csrf) = (page.hidden("id"), page.hidden("csrf"));

    // The token of the attacker's own page for the same authorization, and of the victim's page for another one.
    let mut attacker = browser.other();
    let foreign = attacker.open_as(&url, "bob").await.hidden("csrf");
    let other_url = authorize(&provider, &client("c"), "read").await;
    let other = browser.get(&other_url).await.hidden("csrf");
    assert!(foreign != csrf && other != csrf);
    for token in ["", "x", &foreign, &other, &csrf[1..]] {
        for action in ["approve", "deny", "sign_out"] {
            let page = browser.post("/consent", &[("id", &id), ("csrf", token), ("action", action)]).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{token} {action}");
        }
    }
    let page = browser.post("/consent", &[("id", &id), ("action", "approve")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let fields = [("id", &*id), ("csrf", &*csrf), ("csrf", &*csrf), ("action", "approve")];
    assert_eq!(browser.post("/consent", &fields).await.status, StatusCode::FORBIDDEN);
    // The token of the victim does not help without the cookie of the victim.
    let fields = [("id", &*id), ("csrf", &*csrf), ("action", "approve")];
    assert_eq!(attacker.post("/consent", &fields).await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.other().post("/consent", &fields).await.status, StatusCode::FORBIDDEN);

    // The right token works once.
    browser.post("/consent", &fields).await.location();
    assert_eq!(browser.post("/consent", &fields).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn trap_form_of_another_origin() {
    //
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    let page = browser.open_as(&url, "ada").await;
    let (id, csrf) = (page.hidden("id"), page.hidden("csrf"));
    let fields = [("id", &*id), ("csrf", &*csrf), ("action", "approve")];
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "https://as.example.evil.example")],
        &[("origin", "http://as.example")],
        &[("origin", ISSUER), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ] {
        let page = browser.post_from("/consent", &fields, headers).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    for media_type in ["text/plain", "application/json", "multipart/form-data"] {
        let page = browser.post_from("/consent", &fields, &[("content-type", media_type)]).await;
        assert_eq!(page.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let large = "x".repeat(20_000);
    let page = browser.post("/consent", &[("id", &id), ("csrf", &csrf), ("x", &large)]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    browser.post_from("/consent", &fields, &[]).await.location();
}

#[tokio::test]
async fn trap_login_csrf() {
    // An attacker cannot log the victim in as the attacker.
    let provider = password_provider();
    let mut victim = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    let mut attacker = victim.other();
    let page = attacker.get(&url).await;
    assert_eq!(victim.log_in(&page, "bob", "right").await.status, StatusCode::FORBIDDEN);
    victim.get(&url).await;
    assert_eq!(victim.log_in(&page, "bob", "right").await.status, StatusCode::FORBIDDEN);
    assert!(!victim.cookies.contains_key("__Host-mcp-session"));
}

#[tokio::test]
async fn trap_session_fixation() {
    //
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    // A cookie that the server has not issued is never adopted.
    let fixed = "a".repeat(43);
    browser.cookies.insert("__Host-mcp-session".to_owned(), fixed.clone());
    browser.open_as(&url, "ada").await;
    let first = browser.cookies["__Host-mcp-session"].clone();
    assert_ne!(first, fixed);
    // A login replaces a valid session: the old cookie is rejected from then on.
    let mut other = browser.other();
    let login = other.get(&authorize(&provider, &client("c"), "read").await).await;
    other.cookies.insert("__Host-mcp-session".to_owned(), first.clone());
    other.log_in(&login, "bob", "right").await.location();
    assert_ne!(other.cookies["__Host-mcp-session"], first);
    let url = authorize(&provider, &client("c"), "read").await;
    assert!(browser.get(&url).await.html.contains("type=\"password\""), "the old session is not valid any more");
}

#[tokio::test]
async fn trap_cookies_without_protection() {
    //
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    let page = browser.get(&url).await;
    let mut cookies = page.set_cookies();
    assert_eq!(cookies.len(), 1, "no session and no state before the login: {cookies:?}");
    cookies.extend(browser.log_in(&page, "ada", "right").await.set_cookies());
    assert_eq!(cookies.len(), 2);
    for cookie in cookies {
        assert!(cookie.starts_with("__Host-mcp-"), "{cookie}");
        for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

#[tokio::test]
async fn trap_html_injection() {
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let attack = "\"'><script>alert(1)</script>\u{202e}\u{0}";
    let mut evil = client(&format!("id{attack}"));
    evil.client_name = Some(format!("name{attack}"));
    evil.client_uri = Some(format!("javascript:{attack}"));
    evil.redirect_uris = vec![format!("https://client.example/{attack}")];
    let mut request = crate::browser::request(&evil, "read");
    request.scopes = vec![format!("scope{attack}")];
    request.state = Some(format!("state{attack}"));
    let url = provider.authorize(&evil, request).await.unwrap();
    let login = browser.get(&url).await;
    let consent = browser.open_as(&url, "ada").await;
    let error = browser.get(&format!("{ISSUER}/consent?id=%22%3E%3Cscript%3E")).await;
    assert!(consent.html.contains("name&quot;&#39;&gt;&lt;script&gt;") && consent.html.contains("scope&quot;"));
    for page in [login, consent, error] {
        for text in ["<script", "'>", "\u{202e}", "\u{0}", "javascript:", "state&quot;"] {
            assert!(!page.html.contains(text), "{text:?} {}", page.html);
        }
    }
}

#[tokio::test]
async fn trap_brute_force_of_a_login() {
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    let page = browser.get(&url).await;
    for _ in 0..10 {
        assert_eq!(browser.log_in(&page, "ada", "wrong").await.status, StatusCode::OK);
    }
    browser.address = [198, 51, 100, 7];
    let limited = browser.log_in(&page, "ada", "right").await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(limited.html.contains("Too many attempts"));
    // Other users are not affected.
    browser.log_in(&page, "bob", "right").await.location();
}

#[tokio::test]
async fn trap_guessed_authorization() {
    //
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let (first, second) =
        (authorize(&provider, &client("c"), "read").await, authorize(&provider, &client("c"), "read").await);
    let id = |url: &str| url.split_once("id=").unwrap().1.to_owned();
    assert!(id(&first).len() == 43 && id(&first) != id(&second));
    for query in ["", "?id=", "?id=x", &format!("?id={}x", id(&first)), &format!("?id={0}&id={0}", id(&first))] {
        let page = browser.get(&format!("{ISSUER}/consent{query}")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(page.set_cookies().is_empty());
    }
    // The ID alone does not grant anything: the page still requires a login.
    assert!(browser.get(&first).await.html.contains("type=\"password\""));
    let page = browser.get(&first).await;
    assert_eq!(browser.press(&page, "approve").await.status, StatusCode::OK);
    assert!(browser.get(&first).await.html.contains("type=\"password\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_concurrent_approval_of_one_page() {
    //
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read").await;
    let page = browser.open_as(&url, "ada").await;
    let (id, csrf) = (page.hidden("id"), page.hidden("csrf"));
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (mut browser, id, csrf) = (browser.clone(), id.clone(), csrf.clone());
            tokio::spawn(async move {
                browser.post("/consent", &[("id", &id), ("csrf", &csrf), ("action", "approve")]).await
            })
        })
        .collect();
    let mut redirects = Vec::new();
    for task in tasks {
        let page = task.await.unwrap();
        if page.status == StatusCode::SEE_OTHER {
            redirects.push(page.location());
        }
    }
    assert_eq!(redirects.len(), 1);
    redeem(&provider, &client("c"), &redirects[0]).await.unwrap();
    assert_eq!(redeem(&provider, &client("c"), &redirects[0]).await.unwrap_err().code(), "invalid_grant");
}
