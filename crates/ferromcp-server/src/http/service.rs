//! The HTTP endpoint as a tower service, mountable under any path of any router.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::ORIGIN;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};

use super::authorization::SharedAuthorization;
use super::body::Body;
use super::connection::Client;
use super::endpoint::Endpoint;
use super::guard::ClientAddr;
use super::options::HttpServerOptions;
use super::post::{post, reject_authorization_body};
use super::{cors, legacy, reply, request_body};
use crate::inner::Inner;
use crate::principal::Principal;
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
        inner.registry.log_host_warnings(&inner.info.name);
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
    /// [`HttpServerLimits::shutdown_grace`](super::HttpServerLimits::shutdown_grace); the others end with an error. Then
    /// all sessions end and the lifespans close.
    pub async fn shutdown(&self) {
        self.endpoint.begin_shutdown();
        self.endpoint.finish_requests().await;
        self.endpoint.close().await;
    }

    /// Returns the endpoint.
    pub(crate) fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// Responds to a request.
    pub(crate) async fn respond<B: http_body::Body>(&self, request: Request<B>, client: &Client<'_>) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        let guard = &self.endpoint.options.guard;
        let mut response = match guard.check(&parts.uri, &parts.headers, client.address) {
            Err(rejection) => reply::reject(StatusCode::FORBIDDEN, format!("Forbidden: {rejection}")),
            Ok(()) => match self.authorize(&mut parts).await {
                Ok(()) => self.route(&parts, body, client).await,
                Err(response) => *response,
            },
        };
        if let Some(origin) = parts.headers.get(ORIGIN) {
            cors::add_headers(guard, origin, response.headers_mut());
        }
        response
    }

    /// Returns whether a path outside of the endpoint belongs to its authorization.
    pub(crate) fn is_authorization_path(&self, path: &str) -> bool {
        self.endpoint.options.authorization.as_ref().is_some_and(|SharedAuthorization(it)| it.is_route(path))
    }

    /// Responds to a request for a path of the authorization. Pages of all origins may send it.
    pub(crate) async fn respond_for_authorization<B: http_body::Body>(
        &self,
        request: Request<B>,
        client: &Client<'_>,
    ) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        let Some(SharedAuthorization(authorization)) = &self.endpoint.options.authorization else {
            return reply::status(StatusCode::NOT_FOUND);
        };
        let guard = &self.endpoint.options.guard;
        if let Err(rejection) = guard.check_host(&parts.uri, &parts.headers, client.address) {
            return reply::reject(StatusCode::FORBIDDEN, format!("Forbidden: {rejection}"));
        }
        let forwarded = guard.client_address(&parts.headers, client.address).filter(|it| Some(*it) != client.address);
        if let Some(address) = forwarded {
            parts.extensions.insert(ClientAddr(SocketAddr::new(address, 0)));
        }
        let (bytes, _lease) = match request_body::read_for_authorization(body, &self.endpoint, client).await {
            Ok(read) => read,
            Err(error) => return reject_authorization_body(&self.endpoint, error),
        };
        reply::of_authorization(authorization.respond(Request::from_parts(parts, bytes)).await)
    }

    /// Checks the credentials of a request, and binds it to the identity of its principal.
    async fn authorize(&self, parts: &mut Parts) -> Result<(), Box<Response<Body>>> {
        if let Some(SharedAuthorization(authorization)) = &self.endpoint.options.authorization {
            if parts.method != Method::OPTIONS {
                let checked = authorization.authorize(parts).await;
                checked.map_err(|response| Box::new(reply::of_authorization(response)))?;
            }
        }
        if let Some(identity) = parts.extensions.get::<Principal>().map(|principal| principal.identity().clone()) {
            parts.extensions.insert(identity);
        }
        Ok(())
    }

    async fn route<B: http_body::Body>(&self, parts: &Parts, body: B, client: &Client<'_>) -> Response<Body> {
        if self.endpoint.sending.closing.is_set() {
            return reply::unavailable(reply::SHUTTING_DOWN);
        }
        if parts.method == Method::OPTIONS {
            return match cors::preflight(&self.endpoint.options.guard, &parts.headers) {
                None => reply::method_not_allowed(self.methods()),
                Some(Ok(response)) => response.map(|()| Body::default()),
                Some(Err(rejection)) => {
                    // Browsers do not show the body of a preflight response, so the developer looks here.
                    tracing::warn!(%rejection, "rejected a CORS preflight request");
                    reply::reject(StatusCode::FORBIDDEN, format!("Forbidden: {rejection}"))
                }
            };
        }
        if let Err(error) = self.endpoint.open().await {
            tracing::error!(%error, "cannot open the lifespans of the server");
            return reply::status(StatusCode::INTERNAL_SERVER_ERROR);
        }
        if self.is_http_sse_path(parts.uri.path()) {
            return legacy::http_sse::handle(&self.endpoint, parts, body, client).await;
        }
        match parts.method {
            Method::POST => post(&self.endpoint, parts, body, client).await,
            Method::GET => legacy::get(&self.endpoint, parts, client).await,
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
        let address = request.extensions().get().map(|ClientAddr(address)| address.ip());
        Box::pin(async move { Ok(service.respond(request, &Client { address, connection: None }).await) })
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
