//! Secrets of whole conversations do not reach logs, `Debug` or errors.

use std::convert::Infallible;
use std::error::Error;
use std::fmt::Write as _;

use bytes::Bytes;
use ferromcp_auth::authorization_server::{
    AuthorizationProvider, AuthorizationServer, AuthorizationServerOptions, ClientRegistrationOptions,
};
use ferromcp_auth::client::{AuthorizationRequest, Grant, OAuth, OAuthOptions, RedirectHandler};
use ferromcp_client::Client;
use ferromcp_server::http::{HttpAuthorization as _, HttpServerOptions};
use ferromcp_server::{Principal, Server, Tool};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_service::Service as _;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::browser::{Browser, ISSUER, Page, REDIRECT_URI, RESOURCE, parameters, password_provider};
use crate::identity_provider::{IdentityProvider, SECRET};
use crate::log::Log;
use crate::recorder::Recorder;
use crate::upstream;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The state of a client.
const STATE: &str = "s3cret-state-of-the-client";

type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;
type Recorded = Recorder<AuthorizationServer>;

fn recorded(issuer: &str, provider: impl AuthorizationProvider) -> Recorded {
    let options = AuthorizationServerOptions::new(issuer)
        .resource(format!("{issuer}/mcp"))
        .client_registration(ClientRegistrationOptions::new())
        .revocation(true)
        .valid_scopes(["read", "write"]);
    Recorder::new(AuthorizationServer::new(options, provider).unwrap())
}

/// A confidential client, without a network.
struct App {
    server: Recorded,
    id: String,
    secret: String,
}

impl App {
    async fn register(server: &Recorded) -> Self {
        let metadata = json!({ "redirect_uris": [REDIRECT_URI], "client_name": "App",
            "token_endpoint_auth_method": "client_secret_post", "grant_types": ["authorization_code", "refresh_token"] });
        let request = Request::post("/register").header(CONTENT_TYPE, "application/json");
        let response = server.respond(request.body(metadata.to_string().into()).unwrap()).await;
        let client: Value = serde_json::from_slice(response.body()).unwrap();
        let field = |name: &str| client[name].as_str().unwrap().to_owned();
        Self { server: server.clone(), id: field("client_id"), secret: field("client_secret") }
    }

    /// Opens the page of an authorization.
    async fn open(&self, browser: &mut Browser) -> Page {
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", REDIRECT_URI),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("scope", "read"),
            ("state", STATE),
            ("resource", RESOURCE),
        ]);
        let response = self.server.respond(Request::get(format!("/authorize?{query}")).body("".into()).unwrap()).await;
        browser.get(response.headers()["location"].to_str().unwrap()).await
    }

    async fn post(&self, path: &str, secret: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let fields: Vec<_> =
            fields.iter().copied().chain([("client_id", &*self.id), ("client_secret", secret)]).collect();
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = self.server.respond(request.body(form(&fields).into()).unwrap()).await;
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    async fn redeem(&self, code: &str, verifier: &str, secret: &str) -> (u16, Value) {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", verifier),
        ];
        self.post("/token", secret, &fields).await
    }

    async fn refresh(&self, token: &Value, secret: &str) -> (u16, Value) {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap())];
        self.post("/token", secret, &fields).await
    }

    /// Sends a request to the MCP server.
    async fn call(&self, token: &str) -> u16 {
        let request = Request::post(RESOURCE).header(AUTHORIZATION, format!("Bearer {token}")).body(()).unwrap();
        let result = self.server.authorize(&mut request.into_parts().0).await;
        result.err().map_or(200, |response| response.status().as_u16())
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[tokio::test]
async fn secrets_are_not_logged_when_users_log_in_with_a_password() {
    //
    let (log, _guard) = Log::start();
    let provider = password_provider();
    let server = recorded(ISSUER, provider.clone());
    let app = App::register(&server).await;
    let mut browser = Browser::at(server.clone());
    let page = app.open(&mut browser).await;
    browser.log_in(&page, "ada", "wrong-s3cret").await;
    let page = browser.post("/consent/login", &[("id", "an-unknown-page"), ("csrf", "forged-token")]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let page = app.open(&mut browser).await;
    let page = browser.log_in(&page, "ada", "right").await;
    let page = browser.get(&page.location()).await;
    assert_eq!(browser.post("/consent", &[("id", &page.hidden("id")), ("csrf", "forged-token")]).await.status, 403);
    let sent = parameters(&browser.press(&page, "approve").await.location());
    assert_eq!(
        (browser.press(&page, "approve").await.status, sent["state"].as_str()),
        (StatusCode::BAD_REQUEST, STATE)
    );

    let code = &sent["code"];
    assert_eq!(app.redeem(code, VERIFIER, "another-s3cret").await.0, 401);
    let (_, tokens) = app.redeem(code, VERIFIER, &app.secret).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!((app.call(token).await, app.call("an-unknown-s3cret").await), (200, 401));
    assert_eq!(app.refresh(&tokens["refresh_token"], "another-s3cret").await.0, 401);
    let (status, second) = app.refresh(&tokens["refresh_token"], &app.secret).await;
    assert_eq!(status, 200);
    assert_eq!(app.refresh(&second["refresh_token"], &app.secret).await.0, 200);
    assert_eq!(app.refresh(&tokens["refresh_token"], &app.secret).await.0, 400, "a reuse revokes the grant");
    assert_eq!(app.call(token).await, 401);
    // A code that is redeemed twice, and one with another verifier.
    for verifier in [VERIFIER, "another-verifier-with-at-least-43-characters"] {
        let page = app.open(&mut browser).await;
        let code = parameters(&browser.press(&page, "approve").await.location())["code"].clone();
        app.redeem(&code, verifier, &app.secret).await;
        assert_eq!(app.redeem(&code, verifier, &app.secret).await.0, 400);
    }
    app.post("/revoke", &app.secret, &[("token", token)]).await;
    let shown = format!("{} {:?} {provider:?}", log.text(), server.server());
    for event in ["revoking a grant", "rejecting", "CSRF token", "rejected a request"] {
        assert!(shown.contains(event), "{event} is not logged: {shown}");
    }
    assert!(server.secrets().len() > 25, "{}", server.secrets().len());
    server.assert_none_in(&shown);
}

#[tokio::test]
async fn secrets_are_not_logged_when_users_log_in_upstream() {
    //
    let (log, _guard) = Log::start();
    let upstream = IdentityProvider::start().await;
    upstream.state().expires_in = 1;
    let provider = upstream::provider(upstream::options(&upstream));
    let server = recorded(ISSUER, provider.clone());
    server.add(SECRET);
    let app = App::register(&server).await;
    let mut browser = Browser::at(server.clone());
    let page = app.open(&mut browser).await;
    let callback = upstream.log_in(&browser.press(&page, "approve").await.location());
    let code = parameters(&browser.get(&callback).await.location())["code"].clone();
    let (_, tokens) = app.redeem(&code, VERIFIER, &app.secret).await;
    let (status, second) = app.refresh(&tokens["refresh_token"], &app.secret).await;
    assert_eq!((status, app.call(second["access_token"].as_str().unwrap()).await), (200, 200));
    upstream.state().is_revoked = true;
    assert_eq!(app.refresh(&second["refresh_token"], &app.secret).await.0, 400);
    // Logins that fail: the callback in another browser, a foreign ID token, and an error of the token endpoint.
    for (claims, status) in [(json!({}), None), (json!({ "aud": "other" }), None), (json!({}), Some(500))] {
        let mut browser = Browser::at(server.clone());
        let page = app.open(&mut browser).await;
        let callback = upstream.log_in(&browser.press(&page, "approve").await.location());
        let is_foreign = claims == json!({}) && status.is_none();
        (upstream.state().claims, upstream.state().token_status) = (claims, status);
        if is_foreign {
            browser = browser.other();
        }
        browser.get(&callback).await;
    }
    upstream.state().tokens.iter().for_each(|token| server.add(token));
    let shown = format!("{} {:?} {provider:?}", log.text(), server.server());
    for event in ["another audience", "temporarily_unavailable", "must log in again"] {
        assert!(shown.contains(event), "{event} is not logged: {shown}");
    }
    assert!(server.secrets().len() > 25, "{}", server.secrets().len());
    server.assert_none_in(&shown);
}

/// Serves an MCP server with its authorization server.
async fn serve() -> (String, Recorded) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let server = recorded(&issuer, password_provider());
    let whoami = Tool::sync("whoami", |user: Principal| user.subject().unwrap_or("unknown").to_owned());
    let options = HttpServerOptions::new().authorization(server.clone());
    let mcp = Server::new("notes", "1.0.0").with_tool(whoami).http_with(options).unwrap();
    let routes = server.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (routes, mcp) = (routes.clone(), mcp.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (routes, mut mcp) = (routes.clone(), mcp.clone());
                async move {
                    if !routes.is_route(request.uri().path()) {
                        let response = mcp.call(request).await?;
                        return Ok::<Response<Body>, Infallible>(
                            response.map(|body| body.map_err(Into::into).boxed_unsync()),
                        );
                    }
                    let (parts, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    let response = routes.respond(Request::from_parts(parts, body)).await;
                    Ok(response.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync()))
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (issuer, server)
}

/// Logs in and consents in a browser, and returns the redirect to the client.
async fn consent(server: Recorded, issuer: String, url: String) -> String {
    let url = Url::parse(&url).unwrap();
    let target = format!("{}?{}", url.path(), url.query().unwrap());
    let redirect = server.respond(Request::get(target).body("".into()).unwrap()).await;
    let mut browser = Browser::at(server);
    let headers = [("origin", &*issuer), ("sec-fetch-site", "same-origin")];
    let page = browser.get(redirect.headers()["location"].to_str().unwrap()).await;
    let (id, csrf) = (page.hidden("id"), page.hidden("csrf"));
    let fields = [("id", &*id), ("csrf", &*csrf), ("username", "ada"), ("password", "right")];
    let page = browser.post_from("/consent/login", &fields, &headers).await;
    let page = browser.get(&page.location()).await;
    let (id, csrf) = (page.hidden("id"), page.hidden("csrf"));
    browser.post_from("/consent", &[("id", &id), ("csrf", &csrf), ("action", "approve")], &headers).await.location()
}

#[tokio::test]
async fn secrets_are_not_logged_when_a_client_calls_a_protected_server() {
    //
    let (log, _guard) = Log::start();
    let (issuer, server) = serve().await;
    let mut shown = String::new();
    for dpop in [false, true] {
        let (recorder, issuer) = (server.clone(), issuer.clone());
        let url = format!("{issuer}/mcp");
        let prompt = RedirectHandler::new("http://127.0.0.1:1/callback", move |request: AuthorizationRequest| {
            let (server, issuer) = (recorder.clone(), issuer.clone());
            async move { Ok(consent(server, issuer, request.url().to_owned()).await) }
        });
        let options = OAuthOptions::new(&*url).client_name("test").grant(Grant::authorization_code(prompt));
        let oauth = OAuth::new(if dpop { options.dpop() } else { options }).unwrap();
        let client = Client::builder("test", "1.0.0").credentials(oauth.clone()).connect(&*url).await.unwrap();
        assert_eq!(client.call("whoami", ()).await.unwrap().text_content(), "ada");
        let error = client.call("whoami", json!({ "unknown": 1 })).await;
        write!(shown, "{oauth:?} {client:?} {error:?} {:?}", oauth.stored().await.unwrap()).unwrap();
        client.close().await;
    }
    shown.push_str(&log.text());
    assert!(shown.len() > 2000, "the log is empty");
    assert!(server.secrets().len() > 20, "{}", server.secrets().len());
    server.assert_none_in(&shown);
}
