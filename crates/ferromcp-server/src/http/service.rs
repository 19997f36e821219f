//! The HTTP endpoint as a tower service, mountable under any path of any router.
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
use super::options::HttpServerOptions;
use super::post::post;
use super::{cors, legacy, reply};
use crate::inner::Inner;
use crate::serve::{self, ServeError};
use crate::server::Server;

/// The HTTP endpoint of a server, for every protocol revision. Clones are cheap and share all state.
///
/// It implements [`tower_service::Service`], so it can be mounted in a router under any path. The first request opens
/// the lifespans; [`shutdown`](Self::shutdown) closes them.
///
/// ```
/// use ferromcp_server::Server;
/// # fn main() -> Result<(), ferromcp_server::ServeError> {
/// let service = Server::new("Demo", "1.0.0").http()?;
/// // axum::Router::new().nest_service("/mcp", service)
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HttpService {
    endpoint: Arc<Endpoint>,
}

impl Server {
    /// Returns the server as a tower service for HTTP, with default options. It can be mounted under any path of a
    /// router and serves every protocol revision.
    ///
    /// # Errors
    /// If [`check`](Self::check) reports errors in the server.
    pub fn http(&self) -> Result<HttpService, ServeError> {
        self.http_with(HttpServerOptions::new())
    }

    /// Returns the server as a tower service for HTTP, with these options.
    ///
    /// # Errors
    /// If [`check`](Self::check) reports errors in the server, or an option is invalid.
    pub fn http_with(&self, options: HttpServerOptions) -> Result<HttpService, ServeError> {
        HttpService::with(Arc::clone(&self.inner), options)
    }
}

impl HttpService {
    /// Validates the server and the options, and creates an endpoint.
    pub(crate) fn with(inner: Arc<Inner>, options: HttpServerOptions) -> Result<Self, ServeError> {
        serve::check(&inner)?;
        let errors = options.errors();
        if !errors.is_empty() {
            return Err(ServeError::configuration(errors));
        }
        Ok(Self { endpoint: Arc::new(Endpoint::new(inner, options)) })
    }

    /// Opens the lifespans now instead of with the first request.
    ///
    /// # Errors
    /// If a lifespan fails to open.
    pub async fn open(&self) -> Result<(), ServeError> {
        self.endpoint.open().await
    }

    /// Shuts down gracefully. New requests are rejected with 503. Subscriptions end with their final result, and
    /// streams close. Requests in flight may finish within
    /// [`HttpServerLimits::shutdown_grace`](super::HttpServerLimits::shutdown_grace); then all sessions end and the
    /// lifespans close.
    pub async fn shutdown(&self) {
        self.endpoint.closing.set();
        self.endpoint.legacy.questions.close(); // the POSTs that carry their answers are rejected from here on
        fence(Ordering::SeqCst);
        let _ = tokio::time::timeout(self.endpoint.options.limits.shutdown_grace, self.endpoint.wait_idle()).await;
        self.endpoint.close().await;
    }

    /// Responds to a request. `client` is the address of the peer, if known.
    pub(crate) async fn respond<B: http_body::Body>(
        &self,
        request: Request<B>,
        client: Option<ClientAddr>,
    ) -> Response<Body> {
        let client = client.map(|client| client.0.ip());
        let (parts, body) = request.into_parts();
        let guard = &self.endpoint.options.guard;
        let mut response = match guard.check(&parts.uri, &parts.headers, client) {
            Err(rejection) => reply::reject(StatusCode::FORBIDDEN, format!("Forbidden: {rejection}")),
            Ok(()) => self.route(&parts, body).await,
        };
        if let Some(origin) = parts.headers.get(ORIGIN) {
            cors::add_headers(guard, origin, response.headers_mut());
        }
        response
    }

    async fn route<B: http_body::Body>(&self, parts: &Parts, body: B) -> Response<Body> {
        if self.endpoint.closing.is_set() {
            return reply::unavailable(reply::SHUTTING_DOWN);
        }
        if parts.method == Method::OPTIONS {
            return cors::preflight(&self.endpoint.options.guard, &parts.headers).map_or_else(
                || reply::method_not_allowed(self.methods()),
                |response| response.map(|()| Body::default()),
            );
        }
        if let Err(error) = self.endpoint.open().await {
            tracing::error!(%error, "cannot open the lifespans of the server");
            return reply::status(StatusCode::INTERNAL_SERVER_ERROR);
        }
        if self.is_http_sse_path(parts.uri.path()) {
            return legacy::http_sse::handle(&self.endpoint, parts, body).await;
        }
        match parts.method {
            Method::POST => post(&self.endpoint, parts, body).await,
            Method::GET => legacy::get(&self.endpoint, parts).await,
            Method::DELETE => legacy::delete(&self.endpoint, parts).await,
            _ => reply::method_not_allowed(self.methods()),
        }
    }

    /// Returns whether a path belongs to HTTP+SSE and that transport is enabled.
    pub(crate) fn is_http_sse_path(&self, path: &str) -> bool {
        self.endpoint.options.http_sse && legacy::http_sse::is_path(path)
    }

    fn methods(&self) -> &'static str {
        if self.endpoint.options.stateless { "POST" } else { "POST, GET, DELETE" }
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
        Box::pin(async move { Ok(service.respond(request, client).await) })
    }
}

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService")
            .field("server", &self.endpoint.inner.info.name)
            .field("sessions", &self.endpoint.legacy.sessions.len())
            .field("options", &self.endpoint.options)
            .finish()
    }
}
