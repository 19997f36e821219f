//! [`Routes`]: the endpoints as a service of `tower`, for other web frameworks.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use ferromcp_server::http::HttpAuthorization as _;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use tower_service::Service;

use super::response;
use super::server::{AuthorizationServer, MAX_BODY_BYTES};

/// The routes of an [`AuthorizationServer`], such as for `axum::Router::fallback_service`. Cloning is cheap.
///
/// Requests are limited per client address only if their extensions contain a
/// [`ClientAddr`](ferromcp_server::http::ClientAddr), which a layer can insert.
#[derive(Clone)]
pub struct Routes(AuthorizationServer);

impl AuthorizationServer {
    /// Returns the routes as a service. It responds with status 404 to other paths.
    pub fn routes(&self) -> Routes {
        Routes(self.clone())
    }
}

impl<B> Service<Request<B>> for Routes
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let server = self.0.clone();
        Box::pin(async move { Ok(respond(&server, request).await.map(Full::new)) })
    }
}

async fn respond<B>(server: &AuthorizationServer, request: Request<B>) -> Response<Bytes>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    if !server.is_route(parts.uri.path()) {
        return response::empty(http::StatusCode::NOT_FOUND);
    }
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => server.respond(Request::from_parts(parts, body.to_bytes())).await,
        Err(error) if error.is::<LengthLimitError>() => response::too_large(MAX_BODY_BYTES),
        Err(_) => response::empty(http::StatusCode::BAD_REQUEST),
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Routes").field(&self.0).finish()
    }
}
