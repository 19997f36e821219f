//! Tests of expiry, with a clock that tests advance.

use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};

use super::super::visit::SESSION_SECONDS;
use super::*;
use crate::authorization_server::builtin::consent::PasswordLogin;
use crate::authorization_server::client::RegisteredClient;
use crate::authorization_server::provider::{AuthorizationProvider, AuthorizationRequest};

const ISSUER: &str = "https://as.example";

type Provider = StoredProvider<PasswordLogin>;

fn provider() -> Provider {
    StoredProvider::new(PasswordLogin::new(|name, _| async move { Some(User::new(name)) }))
}

async fn authorize(provider: &Provider) -> String {
    let client = RegisteredClient::new("c", ["https://c.example/cb"]);
    let request = AuthorizationRequest::new(ISSUER, "c", "https://c.example/cb", "challenge", "https://as.example/mcp");
    provider.authorize(&client, request).await.unwrap()
}

/// Sends a request, and adds the cookies of the response.
async fn send(provider: &Provider, cookies: &mut Vec<String>, url: &str, form: Option<&str>) -> Response<Bytes> {
    let builder = Request::builder().uri(url).header(COOKIE, cookies.join("; "));
    let request = match form {
        Some(_) => builder.method("POST").header(CONTENT_TYPE, "application/x-www-form-urlencoded"),
        None => builder,
    };
    let response = provider.respond(request.body(Bytes::from(form.unwrap_or_default().to_owned())).unwrap()).await;
    for cookie in response.headers().get_all(SET_COOKIE) {
        cookies.push(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
    }
    response
}

fn html(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

/// Logs in, and returns the cookies.
async fn log_in(provider: &Provider, url: &str) -> Vec<String> {
    let mut cookies = Vec::new();
    let page = send(provider, &mut cookies, url, None).await;
    let csrf = html(&page).split_once("name=\"csrf\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let id = url.split_once("id=").unwrap().1;
    let form = format!("id={id}&csrf={csrf}&username=ada&password=x");
    let page = send(provider, &mut cookies, "/consent/login", Some(&form)).await;
    assert_eq!(page.headers()[LOCATION], url);
    cookies
}

#[tokio::test]
async fn pending_authorizations_expire() {
    //
    let provider = provider();
    let url = authorize(&provider).await;
    let mut cookies = log_in(&provider, &url).await;
    provider.clock.advance(PENDING_SECONDS - 1);
    assert_eq!(send(&provider, &mut cookies, &url, None).await.status(), StatusCode::OK);
    provider.clock.advance(1);
    assert_eq!(send(&provider, &mut cookies, &url, None).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn sessions_expire() {
    //
    let provider = provider();
    let mut cookies = log_in(&provider, &authorize(&provider).await).await;
    provider.clock.advance(SESSION_SECONDS - 1);
    let url = authorize(&provider).await;
    assert!(html(&send(&provider, &mut cookies, &url, None).await).contains("approve"));
    provider.clock.advance(1);
    assert!(html(&send(&provider, &mut cookies, &url, None).await).contains("password"));
}

#[tokio::test]
async fn remembered_consents_expire() {
    //
    let provider = provider().remember_consent(std::time::Duration::from_secs(1000));
    let url = authorize(&provider).await;
    let mut cookies = log_in(&provider, &url).await;
    let page = send(&provider, &mut cookies, &url, None).await;
    let csrf = html(&page).split_once("name=\"csrf\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let form = format!("id={}&csrf={csrf}&action=approve", url.split_once("id=").unwrap().1);
    send(&provider, &mut cookies, "/consent", Some(&form)).await;
    provider.clock.advance(999);
    let url = authorize(&provider).await;
    assert_eq!(send(&provider, &mut cookies, &url, None).await.status(), StatusCode::SEE_OTHER);
    provider.clock.advance(1);
    let url = authorize(&provider).await;
    assert_eq!(send(&provider, &mut cookies, &url, None).await.status(), StatusCode::OK);
}
