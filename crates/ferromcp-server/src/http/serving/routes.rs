//! Routes requests to the endpoint or the fallback service.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, Ready, poll_fn, ready};
use std::task::{Context, Poll};

use ::http::{Request, Response, StatusCode};
use bytes::Bytes;
use hyper::body::Incoming;

use super::response_body::{RequestGuard, ResponseBody};
use crate::http::body::Body;
use crate::http::guard::ClientAddr;
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
        client: Option<ClientAddr>,
        guard: RequestGuard,
    ) -> Response<ResponseBody<F::Body>> {
        if self.is_endpoint_path(request.uri().path()) {
            self.endpoint.respond(request, client).await.map(|body| ResponseBody::endpoint(body, guard))
        } else {
            if let Some(client) = client {
                request.extensions_mut().insert(client);
            }
            self.fallback.clone().handle(request).await.map(|body| ResponseBody::fallback(body, guard))
        }
    }

    /// Returns whether a path belongs to the endpoint: its own path, with or without a trailing slash, or the paths of
    /// HTTP+SSE next to it or below it.
    fn is_endpoint_path(&self, path: &str) -> bool {
        let is_endpoint = |path: &str| path == self.path || path.strip_suffix('/') == Some(&self.path);
        let is_near = |folder: &str| folder == parent(&self.path) || is_endpoint(folder);
        is_endpoint(path) || (self.endpoint.is_http_sse_path(path) && is_near(parent(path)))
    }
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
