//! The authorization server with the built-in provider: from the registration to the revocation.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ferromcp_auth::authorization_server::{
    AuthorizationServer, AuthorizationServerOptions, ClientRegistrationOptions, MemoryProvider,
};
use ferromcp_server::Principal;
use ferromcp_server::http::HttpAuthorization;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::browser::{Browser, ISSUER, REDIRECT_URI, RESOURCE, parameters, password_provider};

const LOCAL_REDIRECT_URI: &str = "http://127.0.0.1:7/callback";
const VERIFIER: &str = "a-verifier-of-the-client-with-at-least-43-characters";

/// A client of the server.
struct Client {
    server: AuthorizationServer,
    id: String,
    redirect_uri: &'static str,
}

impl Client {
    async fn register(server: AuthorizationServer) -> Self {
        Self::register_with(server, REDIRECT_URI).await
    }

    async fn register_with(server: AuthorizationServer, redirect_uri: &'static str) -> Self {
        let metadata = json!({ "redirect_uris": [redirect_uri], "client_name": "Test <client>",
            "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"] });
        let request = Request::post("/register").header(CONTENT_TYPE, "application/json");
        let response = server.respond(request.body(metadata.to_string().into()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::CREATED, "{response:?}");
        let registered: Value = serde_json::from_slice(response.body()).unwrap();
        Self { server, id: registered["client_id"].as_str().unwrap().to_owned(), redirect_uri }
    }

    fn authorization_url(&self) -> String {
        self.authorization_url_for("read")
    }

    fn authorization_url_for(&self, scope: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", self.redirect_uri),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("scope", scope),
            ("state", "client-state"),
            ("resource", RESOURCE),
        ]);
        format!("{ISSUER}/authorize?{query}")
    }

    async fn authorize(&self) -> String {
        self.authorize_for("read").await
    }

    /// Starts an authorization for scopes, and returns the URL of the page.
    async fn authorize_for(&self, scope: &str) -> String {
        let url = self.authorization_url_for(scope);
        let response = self.server.respond(Request::get(url).body(Bytes::new()).unwrap()).await;
        assert!(response.status().is_redirection(), "{response:?}");
        response.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let body = format!("{}&client_id={}", form(fields), self.id);
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = self.server.respond(request.body(body.into()).unwrap()).await;
        (response.status(), serde_json::from_slice(response.body()).unwrap_or_default())
    }

    async fn redeem(&self, code: &str, verifier: &str) -> (StatusCode, Value) {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri),
            ("code_verifier", verifier),
        ];
        self.post("/token", &fields).await
    }

    /// Sends a request to the MCP server, and returns the subject.
    async fn subject(&self, token: &Value) -> Result<String, StatusCode> {
        let header = format!("Bearer {}", token.as_str().unwrap());
        let request = Request::post(RESOURCE).header(AUTHORIZATION, header).body(()).unwrap();
        let mut parts = request.into_parts().0;
        self.server.authorize(&mut parts).await.map_err(|response| response.status())?;
        Ok(parts.extensions.get::<Principal>().unwrap().subject().unwrap().to_owned())
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn options(issuer: &str, resource: &str) -> AuthorizationServerOptions {
    AuthorizationServerOptions::new(issuer)
        .resource(resource)
        .client_registration(ClientRegistrationOptions::new())
        .revocation(true)
        .valid_scopes(["read", "write"])
}

#[tokio::test]
async fn client_registers_authorizes_refreshes_and_revokes() {
    let server = AuthorizationServer::new(options(ISSUER, RESOURCE), password_provider()).unwrap();
    let client = Client::register(server.clone()).await;
    let url = client.authorize().await;
    assert!(url.starts_with("https://as.example/consent?id="), "{url}");
    let mut browser = Browser::at(server);
    let page = browser.open_as(&url, "ada").await;
    assert!(page.html.contains("Test &lt;client&gt;"), "{}", page.html);
    let sent = parameters(&browser.press(&page, "approve").await.location());
    assert_eq!((sent["state"].as_str(), sent["iss"].as_str()), ("client-state", ISSUER));

    let (status, tokens) = client.redeem(&sent["code"], VERIFIER).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    assert_eq!((tokens["scope"].as_str(), tokens["expires_in"].as_u64()), (Some("read"), Some(3600)));
    assert_eq!(client.subject(&tokens["access_token"]).await.as_deref(), Ok("ada"));

    let refresh = |token: &Value| {
        let token = token.as_str().unwrap().to_owned();
        let client = &client;
        async move { client.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await }
    };
    let (status, second) = refresh(&tokens["refresh_token"]).await;
    assert_eq!(status, StatusCode::OK, "{second}");
    assert_ne!(second["refresh_token"], tokens["refresh_token"]);
    assert_eq!(client.subject(&second["access_token"]).await.as_deref(), Ok("ada"));

    let token = second["refresh_token"].as_str().unwrap();
    assert_eq!(client.post("/revoke", &[("token", token)]).await.0, StatusCode::OK);
    assert_eq!(client.subject(&second["access_token"]).await, Err(StatusCode::UNAUTHORIZED));
    let (status, error) = refresh(&second["refresh_token"]).await;
    assert_eq!((status, error["error"].as_str()), (StatusCode::BAD_REQUEST, Some("invalid_grant")));
}

#[tokio::test]
async fn trap_code_replay_through_the_endpoint() {
    //
    let server = AuthorizationServer::new(options(ISSUER, RESOURCE), password_provider()).unwrap();
    let client = Client::register(server.clone()).await;
    let mut browser = Browser::at(server);
    let page = browser.open_as(&client.authorize().await, "ada").await;
    let code = parameters(&browser.press(&page, "approve").await.location())["code"].clone();
    let (status, error) = client.redeem(&code, &"x".repeat(43)).await;
    assert_eq!((status, error["error"].as_str()), (StatusCode::BAD_REQUEST, Some("invalid_grant")));

    let url = client.authorize().await;
    let page = browser.get(&url).await;
    let code = parameters(&browser.press(&page, "approve").await.location())["code"].clone();
    let (status, tokens) = client.redeem(&code, VERIFIER).await;
    assert_eq!(status, StatusCode::OK);
    let (status, error) = client.redeem(&code, VERIFIER).await;
    assert_eq!((status, error["error"].as_str()), (StatusCode::BAD_REQUEST, Some("invalid_grant")));
    assert_eq!(client.subject(&tokens["access_token"]).await, Err(StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn token_response_names_the_scopes_when_the_user_deselects_one() {
    let options = options(ISSUER, RESOURCE).valid_scopes(["read", "write", "admin"]).required_scopes(["read"]);
    let server = AuthorizationServer::new(options, password_provider()).unwrap();
    let client = Client::register(server.clone()).await;
    let mut browser = Browser::at(server);
    let page = browser.open_as(&client.authorize_for("read write admin").await, "ada").await;
    // The MCP server requires the first one.
    assert!(page.html.contains("<code>read</code> – required"), "{}", page.html);
    let location = browser.press_without(&page, &["read", "write"], "approve").await.location();
    let (status, tokens) = client.redeem(&parameters(&location)["code"], VERIFIER).await;
    assert_eq!((status, tokens["scope"].as_str()), (StatusCode::OK, Some("read admin")), "{tokens}");
    assert_eq!(client.subject(&tokens["access_token"]).await.as_deref(), Ok("ada"));

    let token = tokens["refresh_token"].as_str().unwrap();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let (status, error) = client.post("/token", &[&refresh[..], &[("scope", "read write")]].concat()).await;
    assert_eq!((status, error["error"].as_str()), (StatusCode::BAD_REQUEST, Some("invalid_scope")));
    let (status, tokens) = client.post("/token", &refresh).await;
    assert_eq!((status, tokens["scope"].as_str()), (StatusCode::OK, Some("read admin")), "{tokens}");
}

#[tokio::test]
async fn development_server_needs_no_page() {
    let (issuer, resource) = ("http://127.0.0.1:8000", "http://127.0.0.1:8000/mcp");
    let provider = MemoryProvider::new().user("grace").auto_approve();
    let server = AuthorizationServer::new(options(issuer, resource), provider).unwrap();
    let client = Client::register_with(server, LOCAL_REDIRECT_URI).await;
    let url = client.authorization_url().replace("https%3A%2F%2Fas.example", "http%3A%2F%2F127.0.0.1%3A8000");
    let response = client.server.respond(Request::get(url).body(Bytes::new()).unwrap()).await;
    let sent = parameters(response.headers()["location"].to_str().unwrap());
    let (_, tokens) = client.redeem(&sent["code"], VERIFIER).await;
    assert_eq!(client.subject(&tokens["access_token"]).await.as_deref(), Ok("grace"));
    let error = AuthorizationServer::new(options(ISSUER, RESOURCE), MemoryProvider::new()).unwrap_err();
    assert!(error.to_string().contains("MemoryProvider"), "{error}");
}

#[tokio::test]
async fn trap_site_obtains_a_token_of_a_development_server() {
    let (issuer, resource) = ("http://127.0.0.1:8000", "http://127.0.0.1:8000/mcp");
    let server = AuthorizationServer::new(options(issuer, resource), MemoryProvider::new().auto_approve()).unwrap();
    let client = Client::register(server).await;
    let url = client.authorization_url().replace("https%3A%2F%2Fas.example", "http%3A%2F%2F127.0.0.1%3A8000");
    let response = client.server.respond(Request::get(url).body(Bytes::new()).unwrap()).await;
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.starts_with("http://127.0.0.1:8000/consent?id="), "{location}");
}
