//! A scripted identity provider on a loopback port, and requests to a resource server.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use ferromcp_auth::resource_server::ResourceServer;
use ferromcp_server::Principal;
use ferromcp_server::http::HttpAuthorization;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Extensions, HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::keys::{Key, now};

/// The URL of the protected server.
pub(crate) const RESOURCE: &str = "https://mcp.example.com/mcp";
pub(crate) const METADATA_URL: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

/// What the identity provider responds, and has received.
#[derive(Default)]
pub(crate) struct State {
    /// Responses by path: status and JSON.
    pub(crate) documents: HashMap<String, (u16, Value)>,
    /// Introspection responses by token.
    pub(crate) tokens: HashMap<String, Value>,
    /// The paths that were requested.
    pub(crate) paths: Vec<String>,
    /// The headers of the last request.
    pub(crate) headers: HeaderMap,
    /// The form of the last request.
    pub(crate) form: HashMap<String, String>,
}

#[derive(Clone)]
pub(crate) struct Idp {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Idp {
    /// Starts a provider with metadata and these keys.
    pub(crate) async fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let idp = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let metadata = json!({ "issuer": idp.issuer(), "jwks_uri": format!("{}/keys", idp.issuer()) });
        idp.set("/.well-known/oauth-authorization-server", 200, metadata);
        idp.set_keys(keys);
        let serving = idp.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                let service = service_fn(move |request| {
                    let serving = serving.clone();
                    async move { Ok::<_, Infallible>(serving.respond(request).await) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        idp
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn set(&self, path: &str, status: u16, document: Value) {
        self.state().documents.insert(path.to_owned(), (status, document));
    }

    pub(crate) fn set_keys(&self, keys: &[&Key]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        self.set("/keys", 200, json!({ "keys": keys }));
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        self.state().paths.iter().filter(|requested| *requested == path).count()
    }

    /// Returns the claims of a valid token. Fields replace them; fields with `null` are removed.
    pub(crate) fn claims(&self, fields: &Value) -> Value {
        claims(&self.issuer(), fields)
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let mut state = self.state();
        let path = parts.uri.path().to_owned();
        state.form = url::form_urlencoded::parse(&body).into_owned().collect();
        state.headers = parts.headers;
        state.paths.push(path.clone());
        let (status, document) = match state.documents.get(&path) {
            Some((status, document)) => (*status, document.clone()),
            None if path == "/introspect" => {
                let token = state.form.get("token").and_then(|token| state.tokens.get(token));
                (200, token.cloned().unwrap_or(json!({ "active": false })))
            }
            None => (404, json!({})),
        };
        let mut response = Response::new(Full::new(document.to_string().into()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response
    }
}

/// Returns the claims of a valid token of an issuer.
pub(crate) fn claims(issuer: &str, fields: &Value) -> Value {
    let mut claims = json!({
        "iss": issuer, "sub": "ada", "client_id": "app", "aud": RESOURCE, "exp": now() + 300, "scope": "read write",
    });
    for (name, value) in fields.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// A rejected request.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) status: u16,
    pub(crate) challenges: Vec<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Rejected {
    pub(crate) fn error(&self) -> &str {
        self.body["error"].as_str().unwrap()
    }
}

/// Authorizes a request with these headers.
pub(crate) async fn send(
    server: &ResourceServer,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
) -> Result<Extensions, Rejected> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    match server.authorize(&mut parts).await {
        Ok(()) => Ok(parts.extensions),
        Err(response) => {
            let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
            Err(Rejected {
                status: response.status().as_u16(),
                challenges: challenges.map(|it| it.to_str().unwrap().to_owned()).collect(),
                headers: response.headers().clone(),
                body: serde_json::from_slice(response.body()).unwrap(),
            })
        }
    }
}

/// Authorizes a request with a bearer token.
pub(crate) async fn with_token(server: &ResourceServer, token: &str) -> Result<Principal, Rejected> {
    let authorization = format!("Bearer {token}");
    let extensions = send(server, "POST", "/mcp", &[(AUTHORIZATION.as_str(), &authorization)]).await?;
    Ok(extensions.get::<Principal>().unwrap().clone())
}
