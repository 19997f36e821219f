//! Which requests go to the endpoint, and which elsewhere.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, Ready, poll_fn, ready};
use std::task::{Context, Poll};

use ::http::{Request, Response, StatusCode};
use bytes::Bytes;
use hyper::body::Incoming;

use super::answer::{Answer, Busy};
use crate::http::body::Body;
use crate::http::guard::ClientAddr;
use crate::http::reply;
use crate::http::service::HttpService;

/// What answers beside the endpoint: any tower service of HTTP requests that never fails, such as an `axum::Router`.
pub trait Fallback: Clone + Send + Sync + 'static {
    /// The body of its responses.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    /// Answers a request.
    fn answer(self, request: Request<Incoming>) -> impl Future<Output = Response<Self::Body>> + Send;
}

impl<S, B> Fallback for S
where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    type Body = B;

    async fn answer(mut self, request: Request<Incoming>) -> Response<B> {
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

/// Nothing beside the endpoint.
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
        ready(Ok(reply::refuse(StatusCode::NOT_FOUND, "There is nothing at this path; is it the endpoint's?")))
    }
}

/// The endpoint and what is beside it.
pub(super) struct Routes<F> {
    pub(super) endpoint: HttpService,
    pub(super) path: String,
    pub(super) fallback: F,
}

impl<F: Fallback> Routes<F> {
    pub(super) async fn answer(
        &self,
        mut request: Request<Incoming>,
        client: Option<ClientAddr>,
        busy: Busy,
    ) -> Response<Answer<F::Body>> {
        if self.is_ours(request.uri().path()) {
            self.endpoint.handle(request, client).await.map(|body| Answer::endpoint(body, busy))
        } else {
            if let Some(client) = client {
                request.extensions_mut().insert(client);
            }
            self.fallback.clone().answer(request).await.map(|body| Answer::beside(body, busy))
        }
    }

    /// The path, with or without a slash behind it, or one of those of HTTP+SSE right beside or below it.
    fn is_ours(&self, path: &str) -> bool {
        let is_endpoint = |path: &str| path == self.path || path.strip_suffix('/') == Some(&self.path);
        let is_near = |folder: &str| folder == parent(&self.path) || is_endpoint(folder);
        is_endpoint(path) || (self.endpoint.serves_beside(path) && is_near(parent(path)))
    }
}

/// A path without its last step.
fn parent(path: &str) -> &str {
    path.rfind('/').map_or("", |end| &path[..=end])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ferromcp_core::model::Implementation;

    use super::*;
    use crate::http::options::HttpOptions;
    use crate::inner::Inner;

    fn ours(path: &str, http_sse: bool) -> Vec<&'static str> {
        let inner = Arc::new(Inner::new(Implementation::new("t", "1")));
        let endpoint = HttpService::with(inner, HttpOptions::new().http_sse(http_sse)).unwrap();
        let routes = Routes { endpoint, path: path.to_owned(), fallback: NotFound };
        let asked = [
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
        asked.into_iter().filter(|path| routes.is_ours(path)).collect()
    }

    #[test]
    fn only_the_paths_of_the_endpoint_are_ours() {
        // M26-143, S-116
        assert_eq!(ours("/mcp", false), ["/mcp", "/mcp/"]);
        assert_eq!(ours("/mcp", true), ["/mcp", "/mcp/", "/sse", "/messages", "/mcp/sse"]);
        assert_eq!(ours("/a/mcp", true), ["/a/mcp", "/a/sse"]);
        assert_eq!(ours("/", true), ["/", "/sse", "/messages"]);
    }
}
