//! An authorization server, and requests to it without a network.

use bytes::Bytes;
use ferromcp_auth::authorization_server::{
    AuthorizationServer, AuthorizationServerOptions, ClientAuthentication, ClientRegistrationOptions,
    ClientSecretDigest, RegisteredClient,
};
use ferromcp_server::http::HttpAuthorization;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, Request, StatusCode};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::provider::TestProvider;

pub(crate) const ISSUER: &str = "https://as.example.com";
pub(crate) const TOKEN_ENDPOINT: &str = "https://as.example.com/token";
pub(crate) const RESOURCE: &str = "https://mcp.example.com/mcp";
pub(crate) const REDIRECT_URI: &str = "https://app.example.com/cb?x=1";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const SECRET: &str = "client-s3cret";

pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

#[derive(Clone)]
pub(crate) struct Harness {
    pub(crate) server: AuthorizationServer,
    pub(crate) provider: TestProvider,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns the status and the code of an error.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["error"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns the redirect URI and the parameters of a redirect.
    pub(crate) fn redirect(&self) -> (String, Vec<(String, String)>) {
        assert_eq!(self.status, StatusCode::FOUND, "{self:?}");
        let mut url = url::Url::parse(self.headers[LOCATION].to_str().unwrap()).unwrap();
        let parameters = url.query_pairs().into_owned().collect();
        url.set_query(None);
        (url.into(), parameters)
    }

    /// Returns a parameter of a redirect, which must not be repeated.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let (_, parameters) = self.redirect();
        let mut found = parameters.into_iter().filter(|(other, _)| other == name).map(|(_, value)| value);
        let first = found.next();
        assert_eq!(found.next(), None, "{name} is repeated");
        first
    }
}

/// Returns options with one resource, valid scopes and registration.
pub(crate) fn options() -> AuthorizationServerOptions {
    AuthorizationServerOptions::new(ISSUER)
        .resource(RESOURCE)
        .required_scopes(["read"])
        .valid_scopes(["read", "write", "admin"])
        .client_registration(ClientRegistrationOptions::new())
}

impl Harness {
    pub(crate) fn new() -> Self {
        Self::with(options())
    }

    /// Creates a server with public and confidential clients.
    pub(crate) fn with(options: AuthorizationServerOptions) -> Self {
        let provider = TestProvider::default();
        provider.state().lifetime = 300;
        for (id, method) in [
            ("public", ClientAuthentication::None),
            ("other", ClientAuthentication::None),
            ("basic", ClientAuthentication::ClientSecretBasic),
            ("post", ClientAuthentication::ClientSecretPost),
            ("machine", ClientAuthentication::ClientSecretBasic),
        ] {
            let mut client = RegisteredClient::new(id, [REDIRECT_URI]);
            client.auth_method = method;
            if method != ClientAuthentication::None {
                client.client_secret = Some(ClientSecretDigest::of(SECRET));
            }
            if id == "machine" {
                client.grant_types = vec!["client_credentials".to_owned()];
            }
            provider.add(client);
        }
        let server = AuthorizationServer::new(options, provider.clone()).unwrap();
        Self { server, provider }
    }

    pub(crate) async fn send(&self, request: Request<Bytes>) -> Reply {
        let path = request.uri().path().to_owned();
        assert!(self.server.is_route(&path), "{path}");
        let response = self.server.respond(request).await;
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, target: &str) -> Reply {
        self.send(Request::get(target).body(Bytes::new()).unwrap()).await
    }

    /// Sends a form with headers.
    pub(crate) async fn form(&self, path: &str, headers: Fields<'_>, fields: Fields<'_>) -> Reply {
        let mut request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(HeaderName::try_from(*name).unwrap(), *value);
        }
        self.send(request.body(Bytes::from(encode(fields))).unwrap()).await
    }

    /// Sends a token request.
    pub(crate) async fn token(&self, fields: Fields<'_>) -> Reply {
        self.form("/token", &[], fields).await
    }

    pub(crate) async fn json(&self, path: &str, document: &Value) -> Reply {
        let request = Request::post(path).header(CONTENT_TYPE, "application/json");
        self.send(request.body(Bytes::from(document.to_string())).unwrap()).await
    }

    /// Sends a valid authorization request of the client `public` with changes. An empty value removes a parameter.
    pub(crate) async fn authorize(&self, changes: Fields<'_>) -> Reply {
        self.get(&format!("/authorize?{}", encode(&authorization(changes)))).await
    }

    /// Returns an authorization code.
    pub(crate) async fn code(&self, changes: Fields<'_>) -> String {
        self.authorize(changes).await.parameter("code").unwrap()
    }

    /// Exchanges a new code of the client `public`, and returns the response.
    pub(crate) async fn login(&self) -> Value {
        let code = self.code(&[]).await;
        let reply = self.token(&exchange("public", &code)).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.json()
    }

    /// Returns whether the MCP endpoint accepts an access token.
    pub(crate) async fn accepts(&self, token: &str) -> bool {
        let request = Request::post(RESOURCE).header(AUTHORIZATION, format!("Bearer {token}"));
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        self.server.authorize(&mut parts).await.is_ok()
    }
}

/// Returns a valid authorization request with changes.
pub(crate) fn authorization(changes: Fields<'_>) -> Vec<(&str, &str)> {
    let fields = vec![
        ("response_type", "code"),
        ("client_id", "public"),
        ("redirect_uri", REDIRECT_URI),
        ("state", "a state/+&"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("scope", "read write"),
        ("resource", RESOURCE),
    ];
    changed(fields, changes)
}

/// Returns a valid token request for a code.
pub(crate) fn exchange<'a>(client_id: &'a str, code: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]
}

/// Replaces, adds or (with an empty value) removes fields.
pub(crate) fn changed<'a>(mut fields: Vec<(&'a str, &'a str)>, changes: Fields<'a>) -> Vec<(&'a str, &'a str)> {
    fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    fields.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    fields
}

pub(crate) fn encode(fields: Fields<'_>) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Returns the value of an `Authorization` header.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")))
}
