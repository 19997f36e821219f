//! Routes requests to the endpoint, its authorization, or the fallback service.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, Ready, poll_fn, ready};
use std::task::{Context, Poll};

use ::http::{Request, Response, StatusCode};
use bytes::Bytes;
use hyper::body::{Body as _, Incoming};

use super::response_body::{RequestGuard, ResponseBody};
use crate::http::body::Body;
use crate::http::connection::Client;
use crate::http::guard::ClientAddr;
use crate::http::limits::MAX_HEADER_BYTES;
use crate::http::reply;
use crate::http::service::HttpService;

/// The service for paths other than the endpoint: any infallible tower service for HTTP requests, such as an
/// `axum::Router`.
pub trait Fallback: Clone + Send + Sync + 'static {
    /// The body type of its responses.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    /// Handles a request.
    fn handle(self, request: Request<Incoming>) -> impl Future<Output = Response<Self::Body>> + Send;
}

impl<S, B> Fallback for S
where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    type Body = B;

    async fn handle(mut self, request: Request<Incoming>) -> Response<B> {
        match poll_fn(|cx| self.poll_ready(cx)).await {
            Ok(()) => {}
            Err(never) => match never {},
        }
        match self.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// The default fallback: responds with 404.
#[derive(Debug, Clone, Copy)]
pub struct NotFound;

impl tower_service::Service<Request<Incoming>> for NotFound {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Incoming>) -> Self::Future {
        ready(Ok(reply::reject(StatusCode::NOT_FOUND, "Not found: the endpoint is at another path")))
    }
}

/// The endpoint and the fallback service.
pub(super) struct Routes<F> {
    pub(super) endpoint: HttpService,
    pub(super) path: String,
    pub(super) fallback: F,
}

impl<F: Fallback> Routes<F> {
    pub(super) async fn handle(
        &self,
        mut request: Request<Incoming>,
        address: Option<ClientAddr>,
        guard: RequestGuard,
    ) -> Response<ResponseBody<F::Body>> {
        let has_body = !request.body().is_end_stream();
        let connection = guard.connection();
        if connection.state.take_received() > READ_AHEAD && header_bytes(&request) > MAX_HEADER_BYTES as usize {
            let why = format!("Request headers exceed {MAX_HEADER_BYTES} bytes");
            let response = reply::reject(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, why);
            connection.state.set_unread(has_body);
            return response.map(|body| ResponseBody::endpoint(body, guard));
        }
        if self.is_endpoint_path(request.uri().path()) {
            let client = Client { address: address.map(|address| address.0.ip()), connection: Some(connection) };
            let response = self.endpoint.respond(request, &client).await;
            connection.state.set_unread(has_body && response.status().is_client_error());
            return response.map(|body| ResponseBody::endpoint(body, guard));
        }
        if let Some(address) = address {
            request.extensions_mut().insert(address);
        }
        if self.endpoint.is_authorization_path(request.uri().path()) {
            let client = Client { address: address.map(|address| address.0.ip()), connection: Some(connection) };
            let response = Box::pin(self.endpoint.respond_for_authorization(request, &client)).await;
            let is_error = response.status().is_client_error() || response.status().is_server_error();
            connection.state.set_unread(has_body && is_error);
            return response.map(|body| ResponseBody::endpoint(body, guard));
        }
        let response = self.fallback.clone().handle(request).await;
        connection.state.set_unread(has_body && response.status().is_client_error());
        response.map(|body| ResponseBody::fallback(body, guard))
    }

    /// Returns whether a path belongs to the endpoint: its own path, with or without a trailing slash, or the paths of
    /// HTTP+SSE next to it or below it.
    fn is_endpoint_path(&self, path: &str) -> bool {
        let is_endpoint = |path: &str| path == self.path || path.strip_suffix('/') == Some(&self.path);
        let is_near = |folder: &str| folder == parent(&self.path) || is_endpoint(folder);
        is_endpoint(path) || (self.endpoint.is_http_sse_path(path) && is_near(parent(path)))
    }
}

/// Headers are measured only after this many bytes, since most requests are smaller. A request whose beginning was read with
/// the previous one may exceed the limit by as much.
const READ_AHEAD: usize = 8 << 10;

/// Returns the size of the target and the headers of a request. HTTP/1.1 reads ahead, so its buffer is not an exact limit.
fn header_bytes(request: &Request<Incoming>) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() + target
}

/// Returns a path without its last segment.
fn parent(path: &str) -> &str {
    path.rfind('/').map_or("", |end| &path[..=end])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ferromcp_core::model::Implementation;

    use super::*;
    use crate::http::options::HttpServerOptions;
    use crate::inner::Inner;

    fn endpoint_paths(path: &str, http_sse: bool) -> Vec<&'static str> {
        let inner = Arc::new(Inner::new(Implementation::new("t", "1")));
        let endpoint = HttpService::with(inner, HttpServerOptions::new().http_sse(http_sse)).unwrap();
        let routes = Routes { endpoint, path: path.to_owned(), fallback: NotFound };
        let requested = [
            "/",
            "/mcp",
            "/mcp/",
            "/mcps",
            "/sse",
            "/messages",
            "/mcp/sse",
            "/mcp/x/sse",
            "/blog/messages",
            "/a/mcp",
            "/a/sse",
            "/sse/",
        ];
        requested.into_iter().filter(|path| routes.is_endpoint_path(path)).collect()
    }

    #[test]
    fn routes_only_endpoint_paths_to_the_endpoint() {
        // M26-143, S-116
        assert_eq!(endpoint_paths("/mcp", false), ["/mcp", "/mcp/"]);
        assert_eq!(endpoint_paths("/mcp", true), ["/mcp", "/mcp/", "/sse", "/messages", "/mcp/sse"]);
        assert_eq!(endpoint_paths("/a/mcp", true), ["/a/mcp", "/a/sse"]);
        assert_eq!(endpoint_paths("/", true), ["/", "/sse", "/messages"]);
    }
}
