//! The HTTP service of `mcp dev`: the page, its API, and the MCP endpoint for hosts.
//!
//! A request must name this machine in `Host` (protection against DNS rebinding). The API requires the token, and an `Origin`
//! of this service if there is one. The page has a strict Content-Security-Policy.

use std::collections::hash_map::RandomState;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use ferromcp_server::http::HttpService;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{interval, timeout};

use super::Inspector;
use super::assets::ASSETS;
use super::body::ResponseBody;

/// Path of the MCP endpoint.
pub(crate) const ENDPOINT_PATH: &str = "/mcp";

/// Maximum size of a request of the page, in bytes.
const MAX_BODY: usize = 64 << 20;

/// Maximum number of events that wait for the network.
const EVENT_QUEUE: usize = 64;

/// How long a page may leave the stream of events unread.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Interval of comments in the stream of events, which keep the connection open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What the page may load: its own files, and images and audio that it creates from data.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     media-src data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// The secret that a page needs to use the API. `Debug` omits it.
#[derive(Clone)]
pub(crate) struct Token {
    text: String,
    hasher: RandomState,
}

impl Token {
    /// Creates a random token.
    ///
    /// # Errors
    /// Fails if the system has no random numbers.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        Ok(Self { text: format!("{:032x}", u128::from_ne_bytes(random)), hasher: RandomState::new() })
    }

    /// Returns the token as text.
    pub(crate) fn reveal(&self) -> &str {
        &self.text
    }

    /// Returns whether the headers contain the token. Hashes are compared first, so that the time discloses nothing.
    fn is_in(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sent = sent.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        self.hasher.hash_one(sent) == self.hasher.hash_one(&*self.text) && sent == self.text
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Responds to the requests of pages and hosts. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Service {
    inspector: Inspector,
    endpoint: HttpService,
    token: Token,
    address: SocketAddr,
}

impl Service {
    /// Creates the service of a listener at `address`.
    pub(crate) fn new(inspector: Inspector, endpoint: HttpService, token: Token, address: SocketAddr) -> Self {
        Self { inspector, endpoint, token, address }
    }

    /// Responds to a request.
    pub(crate) async fn respond(self, request: Request<Incoming>) -> Result<Response<ResponseBody>, Infallible> {
        let path = request.uri().path();
        if path == ENDPOINT_PATH {
            return self.call_endpoint(request).await;
        }
        let mut response = if !self.is_own_host(request.headers()) {
            reject(StatusCode::FORBIDDEN, "cannot accept the request: `Host` does not name this machine")
        } else if let Some(name) = path.strip_prefix("/api/") {
            let name = name.to_owned();
            self.call_api(&name, request).await
        } else {
            asset(request.method(), path)
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let isolated = HeaderValue::from_static("same-origin");
        headers.insert(HeaderName::from_static("cross-origin-opener-policy"), isolated.clone());
        headers.insert(HeaderName::from_static("cross-origin-resource-policy"), isolated);
        Ok(response)
    }

    async fn call_endpoint(self, request: Request<Incoming>) -> Result<Response<ResponseBody>, Infallible> {
        let mut endpoint = self.endpoint;
        poll_fn(|cx| tower_service::Service::<Request<Incoming>>::poll_ready(&mut endpoint, cx)).await?;
        let response = tower_service::Service::call(&mut endpoint, request).await?;
        Ok(response.map(ResponseBody::Endpoint))
    }

    /// Returns whether the request was sent to a name of this machine, and to this port.
    fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        host.to_str().is_ok_and(|host| self.is_own_authority(host))
    }

    fn is_own_authority(&self, authority: &str) -> bool {
        let port = self.address.port().to_string();
        let name = authority.strip_suffix(&port).and_then(|rest| rest.strip_suffix(':'));
        matches!(name, Some("127.0.0.1" | "localhost" | "[::1]"))
    }

    /// Responds to a request of the page, after checks of its token and origin.
    async fn call_api(&self, name: &str, request: Request<Incoming>) -> Response<ResponseBody> {
        let origin = request.headers().get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
        if origin.is_some_and(|origin| !origin.strip_prefix("http://").is_some_and(|it| self.is_own_authority(it))) {
            return reject(StatusCode::FORBIDDEN, "cannot accept the request: it is from a page of another origin");
        }
        if !self.token.is_in(request.headers()) {
            return reject(
                StatusCode::UNAUTHORIZED,
                "the token is missing or invalid; open the URL that `mcp dev` prints",
            );
        }
        match (name, request.method()) {
            ("events", &Method::GET) => self.events(),
            (_, &Method::POST) => {
                let Ok(body) = Limited::new(request.into_body(), MAX_BODY).collect().await else {
                    return reject(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        "the request is too large, or was not sent as a whole",
                    );
                };
                match self.inspector.handle(name, &body.to_bytes()).await {
                    Ok(value) => json(StatusCode::OK, value.as_str().to_owned()),
                    Err(error) => reject(StatusCode::BAD_REQUEST, &error),
                }
            }
            _ => reject(StatusCode::METHOD_NOT_ALLOWED, "the method is not supported"),
        }
    }

    /// Streams the snapshot and the events after it.
    fn events(&self) -> Response<ResponseBody> {
        let (sender, receiver) = mpsc::channel(EVENT_QUEUE);
        tokio::spawn(send_events(self.inspector.clone(), sender));
        let mut response = Response::new(ResponseBody::Events(receiver));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        response
    }
}

/// Sends events until the page disconnects. A page that is too slow receives another snapshot.
async fn send_events(inspector: Inspector, sender: mpsc::Sender<Bytes>) {
    // A line end in JSON is whitespace, but it would end the event.
    let frame = |json: &str| Bytes::from(format!("data: {}\n\n", json.replace(['\n', '\r'], " ")));
    let mut keep_alive = interval(KEEP_ALIVE);
    'snapshot: loop {
        let (snapshot, mut events) = inspector.hub.subscribe();
        if !matches!(timeout(SEND_TIMEOUT, sender.send(frame(&snapshot))).await, Ok(Ok(()))) {
            return;
        }
        loop {
            let bytes = tokio::select! {
                event = events.recv() => match event {
                    Ok(json) => frame(&json),
                    Err(broadcast::error::RecvError::Lagged(_)) => continue 'snapshot,
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                _ = keep_alive.tick() => Bytes::from_static(b":\n\n"),
                () = sender.closed() => return,
            };
            // A page that does not read is disconnected, and receives a snapshot when it returns.
            if !matches!(timeout(SEND_TIMEOUT, sender.send(bytes)).await, Ok(Ok(()))) {
                return;
            }
        }
    }
}

/// Returns a file of the page.
fn asset(method: &Method, path: &str) -> Response<ResponseBody> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return reject(StatusCode::METHOD_NOT_ALLOWED, "the method is not supported");
    }
    let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
    match ASSETS.iter().find(|asset| asset.path == name) {
        Some(asset) => {
            let mut response = Response::new(ResponseBody::whole(asset.bytes));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
            response
        }
        None => reject(StatusCode::NOT_FOUND, "the inspector has no such file"),
    }
}

fn json(status: StatusCode, text: String) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn reject(status: StatusCode, message: &str) -> Response<ResponseBody> {
    json(status, serde_json::json!({ "message": message }).to_string())
}
