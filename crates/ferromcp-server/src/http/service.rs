//! The endpoint as a tower service: mounts under any path of any router.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::task::{Context, Poll};

use http::header::ORIGIN;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};

use super::body::Body;
use super::endpoint::Endpoint;
use super::guard::ClientAddr;
use super::options::HttpOptions;
use super::{cors, get, http_sse, legacy, post, reply};
use crate::inner::Inner;
use crate::serve::{self, ServeError};
use crate::server::Server;

/// A server's HTTP endpoint: every revision at once. Cloning is cheap and shares everything.
///
/// It is a [`tower_service::Service`], so that it mounts in a router of your own, under any path. Lifespans open with
/// the first request; [`shutdown`](Self::shutdown) ends everything in good order.
///
/// ```
/// use ferromcp_server::Server;
/// let service = Server::new("Demo", "1.0.0").http();
/// // axum::Router::new().nest_service("/mcp", service)
/// ```
#[derive(Clone)]
pub struct HttpService {
    endpoint: Arc<Endpoint>,
}

impl Server {
    /// The server as a tower service for HTTP, every revision on one endpoint: mounts under any path of a router.
    ///
    /// # Panics
    /// When [`check`](Self::check) finds mistakes; [`http_with`](Self::http_with) gives them as an error.
    pub fn http(&self) -> HttpService {
        match self.http_with(HttpOptions::new()) {
            Ok(service) => service,
            Err(mistakes) => panic!("{mistakes}"),
        }
    }

    /// The same, with options.
    ///
    /// # Errors
    /// When [`check`](Self::check) finds mistakes, or the options have some.
    pub fn http_with(&self, options: HttpOptions) -> Result<HttpService, ServeError> {
        HttpService::with(Arc::clone(&self.inner), options)
    }
}

impl HttpService {
    /// An endpoint of a server, if server and options are sound.
    pub(crate) fn with(inner: Arc<Inner>, options: HttpOptions) -> Result<Self, ServeError> {
        serve::check(&inner)?;
        let mistakes = options.mistakes();
        if !mistakes.is_empty() {
            return Err(ServeError::mistakes(mistakes));
        }
        Ok(Self { endpoint: Arc::new(Endpoint::new(inner, options)) })
    }

    /// Opens the lifespans now rather than with the first request.
    ///
    /// # Errors
    /// When one does not open.
    pub async fn open(&self) -> Result<(), ServeError> {
        self.endpoint.open().await
    }

    /// Ends everything in good order: subscriptions with their closing result, and streams; then waits for requests
    /// under way, up to [`HttpLimits::shutdown_grace`](super::HttpLimits::shutdown_grace), ends all sessions and closes
    /// the lifespans. Requests that come later are answered with 503.
    pub async fn shutdown(&self) {
        self.endpoint.closing.set();
        fence(Ordering::SeqCst);
        let _ = tokio::time::timeout(self.endpoint.options.limits.shutdown_grace, self.endpoint.answered()).await;
        self.endpoint.close().await;
    }

    /// Answers a request of a client whose address may be known.
    pub(crate) async fn handle<B: http_body::Body>(
        &self,
        request: Request<B>,
        client: Option<ClientAddr>,
    ) -> Response<Body> {
        let client = client.map(|client| client.0.ip());
        let (parts, body) = request.into_parts();
        let guard = &self.endpoint.options.guard;
        let mut response = match guard.check(&parts.uri, &parts.headers, client) {
            Err(refused) => reply::refuse(StatusCode::FORBIDDEN, format!("Forbidden: {refused}")),
            Ok(()) => self.route(&parts, body).await,
        };
        if let Some(origin) = parts.headers.get(ORIGIN) {
            cors::decorate(guard, origin, response.headers_mut());
        }
        response
    }

    async fn route<B: http_body::Body>(&self, parts: &Parts, body: B) -> Response<Body> {
        if self.endpoint.closing.is_set() {
            return reply::busy(reply::SHUTTING_DOWN);
        }
        if parts.method == Method::OPTIONS {
            return cors::preflight(&self.endpoint.options.guard, &parts.headers).map_or_else(
                || reply::method_not_allowed(self.methods()),
                |response| response.map(|()| Body::default()),
            );
        }
        if let Err(error) = self.endpoint.open().await {
            tracing::error!(%error, "the server does not open");
            return reply::status(StatusCode::INTERNAL_SERVER_ERROR);
        }
        if self.serves_beside(parts.uri.path()) {
            return http_sse::answer(&self.endpoint, parts, body).await;
        }
        match parts.method {
            Method::POST => post::answer(&self.endpoint, parts, body).await,
            Method::GET => get::answer(&self.endpoint, parts).await,
            Method::DELETE => self.delete(parts).await,
            _ => reply::method_not_allowed(self.methods()),
        }
    }

    /// Whether a path is one beside the endpoint: those of HTTP+SSE, if that is on.
    pub(crate) fn serves_beside(&self, path: &str) -> bool {
        self.endpoint.options.http_sse && http_sse::is_at(path)
    }

    fn methods(&self) -> &'static str {
        if self.endpoint.options.stateless { "POST" } else { "POST, GET, DELETE" }
    }

    /// Ends a session.
    async fn delete(&self, parts: &Parts) -> Response<Body> {
        if self.endpoint.options.stateless || super::modern::is_meant(&parts.headers) {
            return reply::method_not_allowed("POST");
        }
        match legacy::belongs(&self.endpoint, parts) {
            Ok(legacy::Belongs::Session(session)) => {
                self.endpoint.sessions.end(&session);
                self.endpoint.forget([Arc::clone(&session)]).await;
                reply::status(StatusCode::NO_CONTENT)
            }
            Ok(legacy::Belongs::Nothing(..)) => reply::method_not_allowed("POST"),
            Err(response) => *response,
        }
    }
}

impl<B> tower_service::Service<Request<B>> for HttpService
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        let client = request.extensions().get().copied();
        Box::pin(async move { Ok(service.handle(request, client).await) })
    }
}

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService")
            .field("server", &self.endpoint.inner.info.name)
            .field("sessions", &self.endpoint.sessions.len())
            .field("options", &self.endpoint.options)
            .finish()
    }
}
