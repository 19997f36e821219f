//! An MCP server that requires a token, and its authorization server, on one loopback port.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_auth::Secret;
use ferromcp_auth::client::{Grant, OAuth, OAuthOptions, RedirectHandler};
use ferromcp_client::{Client, ClientError};
use ferromcp_server::http::{HttpServerOptions, HttpService};
use ferromcp_server::{Server, Tool};
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_service::Service;
use url::Url;
use url::form_urlencoded::parse;

type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:1/callback";

/// What the authorization server does and has seen.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent deviations of a server")]
pub(crate) struct State {
    /// The path of the issuer. A change is a move to another authorization server.
    pub(crate) tenant: String,
    /// The lifetime of access tokens, in seconds.
    pub(crate) expires_in: Option<u64>,
    /// The status of the token endpoint, instead of a response.
    pub(crate) token_status: Option<u16>,
    /// The scope that a tool call requires.
    pub(crate) required_scope: Option<&'static str>,
    /// Whether a refresh token can be used once only.
    pub(crate) rotates: bool,
    /// Fixed responses by path: status, media type, body. `{origin}` is replaced.
    pub(crate) fixed: HashMap<&'static str, (u16, &'static str, String)>,
    /// The challenge of the MCP server, instead of a correct one. Empty: no header.
    pub(crate) challenge: Option<String>,
    /// The status of each MCP response, whichever token is sent.
    pub(crate) refuses_with: Option<u16>,
    /// Fields of the token response that replace those of a correct one.
    pub(crate) token_fields: Value,
    /// Fields of the metadata of the authorization server that replace correct ones.
    pub(crate) metadata_fields: Value,
    /// Whether clients may request only the scopes that they have registered.
    pub(crate) limits_scopes: bool,
    /// The scope of each registered client.
    pub(crate) registered_scopes: HashMap<String, String>,
    /// A scope that the server rejects in authorization requests.
    pub(crate) refused_scope: Option<&'static str>,
    /// A scope that the server rejects in registrations.
    pub(crate) unknown_scope: Option<&'static str>,
    /// The number of token requests for which the server is overloaded, and its `Retry-After` header.
    pub(crate) overload: (usize, &'static str),
    /// Whether the server rejects refresh requests with scopes.
    pub(crate) rejects_refresh_scopes: bool,
    /// How long the server takes to send a token response.
    pub(crate) token_delay: Duration,
    /// A path for which the server sends no response.
    pub(crate) silent_path: Option<&'static str>,
    /// Registered clients that the server knows; `None` if it does not check them.
    pub(crate) clients: Option<Vec<String>>,
    /// Whether the server issues a refresh token only after a login with `prompt=consent`.
    pub(crate) requires_consent: bool,
    /// The parameters of each authorization request.
    pub(crate) authorizations: Vec<HashMap<String, String>>,
    /// Valid access tokens, and their scopes.
    pub(crate) access: HashMap<String, String>,
    pub(crate) refresh: HashMap<String, String>,
    pub(crate) used: Vec<String>,
    pub(crate) codes: HashMap<String, String>,
    pub(crate) counter: usize,
    pub(crate) registrations: usize,
    pub(crate) logins: usize,
    pub(crate) refreshes: usize,
    /// A refresh token was used twice.
    pub(crate) reused: usize,
    /// The token requests, as forms.
    pub(crate) token_requests: Vec<HashMap<String, String>>,
    /// The revocation requests, as forms.
    pub(crate) revocations: Vec<HashMap<String, String>>,
    /// The paths that were requested.
    pub(crate) paths: Vec<String>,
    /// Secrets that the server has issued or received.
    pub(crate) secrets: Vec<String>,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Protected {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Protected {
    pub(crate) async fn start(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let protected = Self { address: listener.local_addr().unwrap(), state: Arc::new(Mutex::new(state)) };
        let server =
            Server::new("protected", "1.0.0").with_tool(Tool::sync("add", |a: i64, b: i64| a + b).args(["a", "b"]));
        let mcp = server.http_with(HttpServerOptions::new()).unwrap();
        let serving = protected.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, mcp) = (serving.clone(), mcp.clone());
                let service = service_fn(move |request| {
                    let (serving, mcp) = (serving.clone(), mcp.clone());
                    async move { Ok::<_, Infallible>(serving.respond(mcp, request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        protected
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn counts<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state())
    }

    /// Moves to another authorization server, which does not know the tokens of this one.
    pub(crate) fn move_to(&self, tenant: &str) {
        let mut state = self.state();
        tenant.clone_into(&mut state.tenant);
        state.access.clear();
        state.token_requests.clear();
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/mcp", self.origin())
    }

    /// Returns options with a user who agrees to each authorization.
    pub(crate) fn options(&self) -> OAuthOptions {
        self.options_for_resource(&self.url())
    }

    /// Returns options for a server whose metadata has another identifier than its URL.
    pub(crate) fn options_for_resource(&self, resource: &str) -> OAuthOptions {
        let (server, resource) = (self.clone(), resource.to_owned());
        let prompt = RedirectHandler::new(REDIRECT_URI, move |request: ferromcp_auth::client::AuthorizationRequest| {
            let response = server.agree(request.url(), &resource);
            async move { Ok(response) }
        });
        OAuthOptions::new(self.url()).client_name("test").grant(Grant::authorization_code(prompt))
    }

    pub(crate) async fn connect(&self, oauth: &OAuth) -> Result<Client, ClientError> {
        Client::builder("test", "1.0.0").credentials(oauth.clone()).connect(&*self.url()).await
    }

    /// Authorizes the client, and returns the redirect. `url` is that of the authorization page.
    pub(crate) fn agree_to(&self, url: &str) -> String {
        self.agree(url, &self.url())
    }

    fn agree(&self, url: &str, resource: &str) -> String {
        let parameters: HashMap<String, String> = Url::parse(url).unwrap().query_pairs().into_owned().collect();
        assert_eq!(parameters["code_challenge_method"], "S256");
        assert_eq!(parameters["resource"], resource);
        let mut state = self.state();
        let registered = state.registered_scopes.get(&parameters["client_id"]).cloned().unwrap_or_default();
        let mut requested = parameters.get("scope").map_or("", String::as_str).split(' ');
        let is_limited = |scope: &str| state.limits_scopes && !registered.split(' ').any(|other| other == scope);
        if requested.any(|scope| is_limited(scope) || state.refused_scope == Some(scope)) {
            let (redirect, issuer) = (&parameters["redirect_uri"], self.issuer(&state));
            return format!("{redirect}?error=invalid_scope&state={}&iss={issuer}", parameters["state"]);
        }
        state.logins += 1;
        state.authorizations.push(parameters.clone());
        let code = state.next("code");
        state.codes.insert(code.clone(), parameters.get("scope").cloned().unwrap_or_default());
        state.secrets.push(parameters["state"].clone());
        let (redirect, issuer) = (&parameters["redirect_uri"], self.issuer(&state));
        format!("{redirect}?code={code}&state={}&iss={issuer}", parameters["state"])
    }

    fn issuer(&self, state: &State) -> String {
        format!("{}{}", self.origin(), state.tenant)
    }

    async fn respond(&self, mut mcp: HttpService, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        if path == "/mcp" {
            if let Some(challenge) = self.challenge(&request) {
                return challenge;
            }
            return mcp.call(request).await.unwrap().map(|body| body.map_err(Into::into).boxed_unsync());
        }
        let authorization = request.headers().get(AUTHORIZATION).cloned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let is_token = path.ends_with("/token");
        if self.state().silent_path.is_some_and(|silent| silent == path) {
            self.state().paths.push(path);
            return std::future::pending().await;
        }
        let response = self.authorization_server(&path, authorization.as_ref(), &body);
        if is_token {
            let delay = self.state().token_delay;
            tokio::time::sleep(delay).await;
        }
        response
    }

    fn authorization_server(&self, path: &str, authorization: Option<&HeaderValue>, body: &[u8]) -> Response<Body> {
        let mut state = self.state();
        state.paths.push(path.to_owned());
        if let Some((status, media_type, text)) = state.fixed.get(path).cloned() {
            match path {
                "/token" => state.token_requests.push(parse(body).into_owned().collect()),
                "/revoke" => state.revocations.push(parse(body).into_owned().collect()),
                _ => {}
            }
            return fixed(status, media_type, text.replace("{origin}", &self.origin()));
        }
        let issuer = self.issuer(&state);
        let well_known = format!("/.well-known/oauth-authorization-server{}", state.tenant);
        let document = match path {
            "/.well-known/oauth-protected-resource/mcp" => {
                json!({ "resource": self.url(), "authorization_servers": [issuer], "scopes_supported": ["read"] })
            }
            path if path == well_known => {
                let metadata = json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                    "registration_endpoint": format!("{issuer}/register"),
                    "code_challenge_methods_supported": ["S256"],
                    "authorization_response_iss_parameter_supported": true,
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                });
                patched(metadata, &state.metadata_fields)
            }
            path if path == format!("{}/register", state.tenant) => {
                state.registrations += 1;
                let metadata: Value = serde_json::from_slice(body).unwrap();
                let scope = metadata["scope"].as_str().unwrap_or_default().to_owned();
                if state.unknown_scope.is_some_and(|unknown| scope.split(' ').any(|it| it == unknown)) {
                    return respond(StatusCode::BAD_REQUEST, &json!({ "error": "invalid_client_metadata" }));
                }
                let secret = state.next("secret");
                let id = format!("client-{}{}", state.registrations, state.tenant);
                state.clients.iter_mut().for_each(|clients| clients.push(id.clone()));
                state.registered_scopes.insert(id.clone(), scope);
                json!({ "client_id": id, "client_secret": secret, "token_endpoint_auth_method": "client_secret_post" })
            }
            path if path == format!("{}/token", state.tenant) => return state.token(authorization, body),
            path if path == format!("{}/revoke", state.tenant) => {
                let form = form(authorization, body);
                state.access.remove(&form["token"]);
                state.refresh.remove(&form["token"]);
                state.revocations.push(form);
                return fixed(200, "text/plain", "");
            }
            _ => return respond(StatusCode::NOT_FOUND, &json!({})),
        };
        respond(StatusCode::OK, &document)
    }

    /// Returns a challenge if the request has no sufficient token.
    fn challenge(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        let token = request.headers().get(AUTHORIZATION).map(|token| token.to_str().unwrap());
        let state = self.state();
        if let Some(status) = state.refuses_with {
            let mut response = respond(StatusCode::from_u16(status).unwrap(), &json!({}));
            let challenge = state.challenge.as_deref().unwrap_or("Bearer error=\"invalid_token\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
            return Some(response);
        }
        let metadata = format!("resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"", self.origin());
        let (status, parameters) = match token.and_then(|token| state.access.get(token.strip_prefix("Bearer ")?)) {
            None if token.is_some() => (StatusCode::UNAUTHORIZED, format!("error=\"invalid_token\", {metadata}")),
            None => (StatusCode::UNAUTHORIZED, metadata),
            Some(scopes) => match state.required_scope.filter(|scope| !scopes.split(' ').any(|it| it == *scope)) {
                Some(scope) => {
                    (StatusCode::FORBIDDEN, format!("error=\"insufficient_scope\", scope=\"{scope}\", {metadata}"))
                }
                None => return None,
            },
        };
        let mut response = respond(status, &json!({}));
        let challenge = state.challenge.clone().unwrap_or_else(|| format!("Bearer {parameters}"));
        if !challenge.is_empty() {
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, challenge.replace("{origin}", &self.origin()).parse().unwrap());
        }
        Some(response)
    }
}

impl State {
    fn next(&mut self, kind: &str) -> String {
        self.counter += 1;
        let secret = format!("{kind}-s3cret-{}", self.counter);
        self.secrets.push(secret.clone());
        secret
    }

    pub(crate) fn forget_refresh_tokens(&mut self) {
        self.refresh.clear();
    }

    fn token(&mut self, authorization: Option<&HeaderValue>, body: &[u8]) -> Response<Body> {
        let form = form(authorization, body);
        self.secrets.extend(form.get("code_verifier").cloned());
        self.token_requests.push(form.clone());
        if let Some(status) = self.token_status {
            return respond(StatusCode::from_u16(status).unwrap(), &json!({}));
        }
        if self.overload.0 > 0 {
            self.overload.0 -= 1;
            let mut response = respond(StatusCode::TOO_MANY_REQUESTS, &json!({ "error": "slow_down" }));
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(self.overload.1));
            return response;
        }
        if self.rejects_refresh_scopes && form["grant_type"] == "refresh_token" && form.contains_key("scope") {
            return respond(StatusCode::BAD_REQUEST, &json!({ "error": "invalid_scope" }));
        }
        if self.clients.as_ref().is_some_and(|clients| !clients.contains(&form["client_id"])) {
            return respond(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_client" }));
        }
        let scopes = match form["grant_type"].as_str() {
            "authorization_code" => self.codes.remove(&form["code"]),
            "refresh_token" => {
                self.refreshes += 1;
                self.reused += usize::from(self.used.contains(&form["refresh_token"]));
                self.used.extend(self.rotates.then(|| form["refresh_token"].clone()));
                if self.rotates {
                    self.refresh.remove(&form["refresh_token"])
                } else {
                    self.refresh.get(&form["refresh_token"]).cloned()
                }
            }
            _ => Some(form.get("scope").cloned().unwrap_or_default()),
        };
        let Some(scopes) = scopes else {
            return respond(StatusCode::BAD_REQUEST, &json!({ "error": "invalid_grant" }));
        };
        let (access, refresh) = (self.next("access"), self.next("refresh"));
        self.access.insert(access.clone(), scopes.clone());
        self.refresh.insert(refresh.clone(), scopes);
        let tokens = json!({
            "access_token": access, "token_type": "bearer", "refresh_token": refresh, "expires_in": self.expires_in,
        });
        let mut tokens = patched(tokens, &self.token_fields);
        let has_consent =
            self.authorizations.last().is_some_and(|it| it.get("prompt").is_some_and(|it| it == "consent"));
        if self.requires_consent && !has_consent && form["grant_type"] == "authorization_code" {
            tokens["refresh_token"].take();
        }
        respond(StatusCode::OK, &tokens)
    }
}

/// Returns the parameters of a request, and its `Authorization` header.
fn form(authorization: Option<&HeaderValue>, body: &[u8]) -> HashMap<String, String> {
    let mut form: HashMap<String, String> = parse(body).into_owned().collect();
    if let Some(authorization) = authorization {
        assert!(!form.contains_key("client_secret"), "two authentication methods");
        form.insert("authorization".to_owned(), authorization.to_str().unwrap().to_owned());
    }
    form
}

fn respond(status: StatusCode, json: &Value) -> Response<Body> {
    fixed(status.as_u16(), "application/json", json.to_string())
}

fn fixed(status: u16, media_type: &str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(body.into()).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let name = if response.status().is_redirection() { LOCATION } else { CONTENT_TYPE };
    response.headers_mut().insert(name, media_type.parse().unwrap());
    response
}

/// Replaces fields of a document. Fields with the text `absent` are removed.
fn patched(mut document: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().into_iter().flatten() {
        document[name] = value.clone();
    }
    document.as_object_mut().unwrap().retain(|_, value| value != "absent");
    document
}

/// A client that was registered by its operator.
pub(crate) fn registration() -> ferromcp_auth::client::ClientRegistration {
    ferromcp_auth::client::ClientRegistration::new("configured").secret(Secret::new("configured-s3cret"))
}
