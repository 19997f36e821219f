//! A protected MCP server in the test process, and the requests that its authorization server receives.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use ferromcp::auth::authorization_server::{AuthorizationProvider, AuthorizationServer};
use ferromcp::server::http::{AuthorizationFuture, HttpAuthorization, http_on};
use ferromcp_conformance::protected;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Request, Response};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The values of these parameters differ in each run, or are secret.
const UNSTABLE: [&str; 7] =
    ["client_id", "client_secret", "code", "code_challenge", "code_verifier", "refresh_token", "state"];

/// The server; stops when dropped.
pub(crate) struct ProtectedServer {
    origin: String,
    requests: Requests,
    task: JoinHandle<()>,
}

impl ProtectedServer {
    /// Starts the server with an authorization that is created for its origin and the URL of its endpoint.
    pub(crate) async fn start<A: HttpAuthorization>(authorization: impl FnOnce(&str, &str) -> A) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let requests = Requests::default();
        let inner = authorization(&origin, &format!("{origin}/mcp"));
        let transport = http_on(listener).authorization(Recorder { inner, requests: requests.clone() });
        let task = tokio::spawn(async move { protected::server().serve(transport).await.unwrap() });
        Self { origin, requests, task }
    }

    /// Starts the server with an embedded authorization server.
    pub(crate) async fn embedded(provider: impl AuthorizationProvider) -> Self {
        Self::start(|origin, url| AuthorizationServer::new(protected::options(origin, url), provider).unwrap()).await
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    /// Returns the parameters of all requests to a path of the authorization server. Unstable values are omitted.
    pub(crate) fn requests_to(&self, path: &str) -> Vec<Value> {
        let received = self.requests.0.lock().unwrap();
        let of_path = received.routes.iter().filter(|(requested, _)| requested == path);
        of_path.map(|(_, parameters)| stable(&Value::Object(parameters.clone()), &self.origin)).collect()
    }

    /// Returns the `Authorization` header of the last request to the endpoint.
    pub(crate) fn last_authorization(&self) -> Option<HeaderValue> {
        self.requests.0.lock().unwrap().authorization.clone()
    }
}

impl Drop for ProtectedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The requests that a server has received.
#[derive(Clone, Default)]
struct Requests(Arc<Mutex<Received>>);

#[derive(Default)]
struct Received {
    /// The requests to `/register`, `/authorize` and `/token`, in order.
    routes: Vec<(String, Map<String, Value>)>,
    /// The `Authorization` header of the last request to the endpoint.
    authorization: Option<HeaderValue>,
}

impl Requests {
    fn record(&self, request: &Request<Bytes>) {
        let path = request.uri().path();
        let (query, body) = (request.uri().query().unwrap_or_default(), request.body());
        let mut parameters = match path {
            "/register" => serde_json::from_slice(body).unwrap_or_default(),
            "/authorize" if body.is_empty() => form(query.as_bytes()),
            "/authorize" | "/token" => form(body),
            _ => return,
        };
        if let Some(value) = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()) {
            parameters.insert("(Authorization)".to_owned(), value.split(' ').next().into());
        }
        if let Some(value) = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) {
            parameters.insert("(Content-Type)".to_owned(), value.into());
        }
        self.0.lock().unwrap().routes.push((path.to_owned(), parameters));
    }
}

/// Returns the parameters of a form.
fn form(text: &[u8]) -> Map<String, Value> {
    url::form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into())).collect()
}

/// Replaces what differs in each run.
fn stable(value: &Value, origin: &str) -> Value {
    match value {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                let value = if UNSTABLE.contains(&name.as_str()) { json!("…") } else { stable(value, origin) };
                (name.clone(), value)
            };
            Value::Object(fields.iter().map(field).collect())
        }
        Value::Array(items) => items.iter().map(|item| stable(item, origin)).collect(),
        Value::String(text) if text.ends_with("/callback") => json!("(callback)"),
        Value::String(text) => json!(text.replace(origin, "(origin)")),
        other => other.clone(),
    }
}

/// Records the requests to the routes of an authorization.
struct Recorder<A> {
    inner: A,
    requests: Requests,
}

impl<A: HttpAuthorization> HttpAuthorization for Recorder<A> {
    fn authorize<'a>(&'a self, request: &'a mut Parts) -> AuthorizationFuture<'a, Result<(), Response<Bytes>>> {
        self.requests.0.lock().unwrap().authorization = request.headers.get(AUTHORIZATION).cloned();
        self.inner.authorize(request)
    }

    fn is_route(&self, path: &str) -> bool {
        self.inner.is_route(path)
    }

    fn respond(&self, request: Request<Bytes>) -> AuthorizationFuture<'_, Response<Bytes>> {
        self.requests.record(&request);
        self.inner.respond(request)
    }
}
