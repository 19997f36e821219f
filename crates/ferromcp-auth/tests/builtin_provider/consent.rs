//! Login and consent.

use std::time::Duration;

use ferromcp_auth::authorization_server::{
    AuthorizationProvider, ConsentPages, ConsentView, ErrorView, LoginOutcome, LoginRequest, LoginView, MemoryProvider,
    OAuthError, ProviderFuture, StoredProvider, User, UserLogin, escape_html,
};
use http::{HeaderMap, Method, Request, StatusCode};

use crate::browser::{Browser, Page, authorize, client, parameters, password_provider, redeem, request};

#[tokio::test]
async fn user_logs_in_and_consents() {
    //
    let provider = password_provider().title("Notes").describe_scope("read", "Read your notes");
    let client = client("c");
    let url = authorize(&provider, &client, "read write").await;
    assert!(url.starts_with("https://as.example/consent?id="));
    let mut browser = Browser::new(provider.clone());
    let page = browser.get(&url).await;
    assert!(page.html.contains("type=\"password\"") && page.html.contains("Client c"), "{}", page.html);
    let page = browser.log_in(&page, "ada", "wrong").await;
    assert!(page.html.contains("is wrong") && !page.html.contains("value=\"wrong\""), "{}", page.html);
    let page = browser.log_in(&page, "ada", "right").await;
    assert_eq!(page.location(), url);
    let page = browser.get(&url).await;
    for text in ["Notes", "Client c", "client.example", "Read your notes", "<code>write</code>", "ada", "/mcp"] {
        assert!(page.html.contains(text), "{text} {}", page.html);
    }
    let location = browser.press(&page, "approve").await.location();
    assert!(location.starts_with("https://client.example/callback?"));
    let sent = parameters(&location);
    assert_eq!((sent["state"].as_str(), sent["iss"].as_str()), ("client-state", "https://as.example"));
    let tokens = redeem(&provider, &client, &location).await.unwrap();
    let access = provider.load_access_token(tokens.access_token.expose()).await.unwrap().unwrap();
    assert_eq!((access.subject.as_deref(), access.scopes.join(" ")), (Some("ada"), "read write".to_owned()));
}

#[tokio::test]
async fn client_receives_an_error_when_the_user_denies() {
    let provider = password_provider();
    let url = authorize(&provider, &client("c"), "read").await;
    let mut browser = Browser::new(provider);
    let page = browser.open_as(&url, "ada").await;
    let sent = parameters(&browser.press(&page, "deny").await.location());
    assert_eq!((sent["error"].as_str(), sent["state"].as_str()), ("access_denied", "client-state"));
    assert_eq!(sent["iss"], "https://as.example");
    assert_eq!(browser.press(&page, "approve").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn session_skips_the_login_but_not_the_consent() {
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("a"), "read").await;
    let page = browser.open_as(&url, "ada").await;
    browser.press(&page, "approve").await.location();
    let url = authorize(&provider, &client("b"), "read").await;
    let page = browser.get(&url).await;
    assert!(page.has_button("approve") && page.html.contains("Client b"));
    // The session can be ended on the page.
    let page = browser.press(&page, "sign_out").await;
    assert_eq!(page.location(), url);
    assert!(!browser.cookies.contains_key("__Host-mcp-session"));
    assert!(browser.get(&url).await.html.contains("type=\"password\""));
}

#[tokio::test]
async fn warning_is_shown_when_the_redirect_is_local() {
    //
    let provider = password_provider();
    let mut browser = Browser::new(provider.clone());
    let mut local = client("https://app.example/client.json");
    local.is_metadata_document = true;
    local.redirect_uris = vec!["http://127.0.0.1:7/cb".to_owned(), "http://localhost/cb".to_owned()];
    let url = authorize(&provider, &local, "read").await;
    let page = browser.open_as(&url, "ada").await;
    assert!(page.html.contains("runs on your device") && page.html.contains("127.0.0.1:7"), "{}", page.html);
    assert!(page.html.contains("Published by</dt><dd>app.example<"), "{}", page.html);
    let mut remote = local.clone();
    remote.redirect_uris.insert(0, "https://app.example/cb".to_owned());
    let url = authorize(&provider, &remote, "read").await;
    assert!(!browser.get(&url).await.html.contains("runs on your device"));
}

#[tokio::test]
async fn consent_is_remembered_when_enabled() {
    //
    let provider = password_provider().remember_consent(Duration::from_secs(3600));
    let mut browser = Browser::new(provider.clone());
    let url = authorize(&provider, &client("c"), "read write").await;
    let page = browser.open_as(&url, "ada").await;
    browser.press(&page, "approve").await.location();
    let url = authorize(&provider, &client("c"), "read").await;
    let location = browser.get(&url).await.location();
    assert_eq!(redeem(&provider, &client("c"), &location).await.unwrap().scopes, ["read"]);
    assert_eq!(browser.get(&url).await.status, StatusCode::BAD_REQUEST, "the page is used once");

    let mut moved = client("c");
    moved.redirect_uris = vec!["https://client.example/callback2".to_owned()];
    for (client, scopes) in [(client("c"), "read admin"), (client("d"), "read"), (moved, "read")] {
        let url = authorize(&provider, &client, scopes).await;
        assert!(browser.get(&url).await.has_button("approve"), "{client:?} {scopes}");
    }
    // Another user of the same browser.
    let url = authorize(&provider, &client("c"), "read").await;
    browser.cookies.clear();
    assert!(browser.open_as(&url, "bob").await.has_button("approve"));
}

#[tokio::test]
async fn trap_local_redirect_of_a_client_that_also_has_a_remote_one() {
    // any program on the device can use the ID of a public client.
    let provider = password_provider().remember_consent(Duration::from_secs(3600));
    let mut browser = Browser::new(provider.clone());
    for is_metadata_document in [true, false] {
        let mut client = client("https://app.example/client.json");
        client.is_metadata_document = is_metadata_document;
        client.redirect_uris = vec!["http://127.0.0.1:7/cb".to_owned(), "https://app.example/cb".to_owned()];
        let url = authorize(&provider, &client, "read").await;
        let mut page = browser.get(&url).await;
        if !page.has_button("approve") {
            page = browser.open_as(&url, "ada").await;
        }
        assert!(page.html.contains("runs on your device"), "{}", page.html);
        browser.press(&page, "approve").await.location();
        let url = authorize(&provider, &client, "read").await;
        assert!(browser.get(&url).await.has_button("approve"), "the consent is not remembered");
        // The remote redirect of the same client is not affected.
        client.redirect_uris.reverse();
        let url = authorize(&provider, &client, "read").await;
        if let page @ Page { status: StatusCode::OK, .. } = browser.get(&url).await {
            assert!(!page.html.contains("runs on your device"));
            browser.press(&page, "approve").await.location();
        }
        let url = authorize(&provider, &client, "read").await;
        assert!(browser.get(&url).await.location().contains("code="));
    }
}

#[tokio::test]
async fn browser_user_identifies_who_completes_an_elicitation() {
    //
    let provider = password_provider();
    let url = authorize(&provider, &client("c"), "read").await;
    let mut browser = Browser::new(provider.clone());
    browser.open_as(&url, "ada").await;
    let headers = |browser: &Browser| {
        let cookies: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        HeaderMap::from_iter([(http::header::COOKIE, cookies.join("; ").parse().unwrap())])
    };
    let user = provider.browser_user(&headers(&browser)).await.unwrap();
    assert_eq!(user.map(|user| user.subject).as_deref(), Some("ada"));
    assert_eq!(provider.browser_user(&headers(&browser.other())).await.unwrap(), None);
    provider.revoke_user("ada").await.unwrap();
    assert_eq!(provider.browser_user(&headers(&browser)).await.unwrap(), None);
}

#[tokio::test]
async fn memory_provider_works_without_configuration() {
    const LOCAL: &str = "http://127.0.0.1:8000";
    let local = |client| {
        let mut request = request(client, "read");
        request.issuer = LOCAL.to_owned();
        request
    };
    let client = client("c");
    let provider = MemoryProvider::new().user("grace").auto_approve();
    provider.start(LOCAL).unwrap();
    let location = provider.authorize(&client, local(&client)).await.unwrap();
    let code = parameters(&location).remove("code").unwrap();
    let code = provider.load_authorization_code(&client, &code).await.unwrap().unwrap();
    assert_eq!(code.subject, "grace");

    let provider = MemoryProvider::new();
    provider.register_client(client.clone()).await.unwrap();
    assert!(provider.get_client("c").await.unwrap().is_some());
    let url = provider.authorize(&client, local(&client)).await.unwrap();
    let mut browser = Browser::new(provider);
    let page = browser.get(&url).await;
    assert!(page.html.contains("developer") && !page.has_button("sign_out"));
    assert!(page.set_cookies().iter().all(|cookie| cookie.starts_with("mcp-browser=") && !cookie.contains("Secure")));
    let (id, csrf) = (page.hidden("id"), page.hidden("csrf"));
    let fields = [("id", &*id), ("csrf", &*csrf), ("action", "approve")];
    let page = browser.post_from("/consent", &fields, &[("origin", LOCAL)]).await;
    assert!(page.location().contains("code="));
    let public = MemoryProvider::new().start("https://as.example").unwrap_err().to_string();
    assert!(public.contains("MemoryProvider") && public.contains("PasswordLogin"), "{public}");
}

/// A login by a header of a reverse proxy.
struct ProxyLogin;

impl UserLogin for ProxyLogin {
    fn login<'a>(&'a self, request: LoginRequest<'a>) -> ProviderFuture<'a, LoginOutcome> {
        let user = request.headers.get("x-user").map(|name| User::new(name.to_str().unwrap()));
        let outcome = user.map(LoginOutcome::Authenticated);
        Box::pin(async move { outcome.ok_or_else(|| OAuthError::access_denied("not authenticated")) })
    }
}

#[tokio::test]
async fn custom_login_can_deny_or_authenticate_each_request() {
    let provider = StoredProvider::new(ProxyLogin);
    let url = authorize(&provider, &client("c"), "read").await;
    let mut browser = Browser::new(provider.clone());
    let sent = parameters(&browser.get(&url).await.location());
    assert_eq!(sent["error"], "access_denied");

    let url = authorize(&provider, &client("c"), "read").await;
    let page = browser.send(Request::get(&url).header("x-user", "ada").body("".into()).unwrap()).await;
    assert!(page.html.contains("ada"));
    let (id, csrf) = (page.hidden("id"), page.hidden("csrf"));
    let fields = [("id", &*id), ("csrf", &*csrf), ("action", "approve")];
    // The page was shown for another user.
    assert_eq!(browser.post_from("/consent", &fields, &[("x-user", "bob")]).await.status, StatusCode::FORBIDDEN);
    let page = browser.post_from("/consent", &fields, &[("x-user", "ada")]).await;
    assert!(page.location().contains("code="));
}

/// Pages with their own HTML.
struct OwnPages;

impl ConsentPages for OwnPages {
    fn login(&self, view: &LoginView<'_>) -> String {
        format!("own login {} {}", view.hidden_fields, view.form.fields_html)
    }

    fn consent(&self, view: &ConsentView<'_>) -> String {
        let scopes: Vec<_> = view.scopes.iter().map(|scope| scope.name.as_str()).collect();
        format!("own consent {} {} {}", escape_html(view.client_name), scopes.join(","), view.hidden_fields)
    }

    fn error(&self, view: &ErrorView<'_>) -> String {
        format!("own error {}", view.status)
    }
}

#[tokio::test]
async fn pages_can_have_their_own_html() {
    let provider = password_provider().pages(OwnPages);
    let url = authorize(&provider, &client("c"), "read write").await;
    let mut browser = Browser::new(provider.clone());
    let page = browser.open_as(&url, "ada").await;
    assert!(page.html.starts_with("own consent Client c read,write"), "{}", page.html);
    // Without checkboxes, all scopes are granted.
    let location = browser.press(&page, "approve").await.location();
    assert_eq!(redeem(&provider, &client("c"), &location).await.unwrap().scopes, ["read", "write"]);
    assert!(browser.get(&url).await.html.starts_with("own error 400"));
}

#[tokio::test]
async fn other_paths_and_methods_are_rejected() {
    let provider = password_provider();
    assert!(!provider.is_route("/consent"), "no page before the start");
    provider.start("https://as.example").unwrap();
    for path in ["/consent", "/consent/login", "/login/callback"] {
        assert!(provider.is_route(path), "{path}");
        let request = Request::builder().method(Method::PUT).uri(path).body("".into()).unwrap();
        let response = provider.respond(request).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert!(response.headers().contains_key("allow"));
    }
    for path in ["/", "/authorize", "/consent/", "/consent/x", "/mcp"] {
        assert!(!provider.is_route(path), "{path}");
    }
}
