//! The resource server as a tower layer.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use ferromcp_server::http::HttpAuthorization;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS};
use http::{HeaderValue, Method, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::body::{ProtectedBody, ResponseBody};
use super::server::ResourceServer;

/// Headers that pages may read.
const EXPOSED: HeaderValue = HeaderValue::from_static("WWW-Authenticate, DPoP-Nonce, Retry-After");

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A service that a [`ResourceServer`] protects, created by its [`Layer`] implementation.
///
/// Requests for the metadata are answered. `OPTIONS` requests are passed to the service unchecked, because browsers
/// send CORS preflight requests without credentials. All others need an access token. The service finds the
/// [`Principal`](ferromcp_server::Principal) in the extensions of the request.
#[derive(Clone)]
pub struct Protected<S> {
    resource_server: ResourceServer,
    service: S,
}

/// Serves the metadata of a [`ResourceServer`] at any path, for routers that do not pass its paths to the protected
/// service.
#[derive(Debug, Clone)]
pub struct MetadataService(ResourceServer);

impl ResourceServer {
    /// Returns a service that serves the metadata at any path. A router that passes only the path of the MCP endpoint
    /// to the protected service needs it for the paths of the metadata.
    pub fn metadata_service(&self) -> MetadataService {
        MetadataService(self.clone())
    }
}

impl<S> Layer<S> for ResourceServer {
    type Service = Protected<S>;

    fn layer(&self, service: S) -> Protected<S> {
        Protected { resource_server: self.clone(), service }
    }
}

impl<S, B, R> Service<Request<B>> for Protected<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<ProtectedBody<R>>;
    type Error = S::Error;
    type Future = BoxFuture<Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone is not ready, so it replaces the service that is.
        let clone = self.service.clone();
        let mut service = std::mem::replace(&mut self.service, clone);
        let resource_server = self.resource_server.clone();
        Box::pin(async move {
            if resource_server.is_route(request.uri().path()) {
                return Ok(resource_server.metadata_response(request.method()).map(ProtectedBody::complete));
            }
            let request = if request.method() == Method::OPTIONS {
                request
            } else {
                let (mut parts, body) = request.into_parts();
                if let Err(rejection) = resource_server.authorize(&mut parts).await {
                    return Ok(with_cors(rejection).map(ProtectedBody::complete));
                }
                Request::from_parts(parts, body)
            };
            Ok(service.call(request).await?.map(ProtectedBody::of_service))
        })
    }
}

impl<B> Service<Request<B>> for MetadataService {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        std::future::ready(Ok(self.0.metadata_response(request.method()).map(ResponseBody::new)))
    }
}

/// Lets pages read a rejection, which contains no secrets.
fn with_cors(mut rejection: Response<Bytes>) -> Response<Bytes> {
    rejection.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    rejection.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    rejection
}

impl<S> fmt::Debug for Protected<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protected").field("resource_server", &self.resource_server).finish_non_exhaustive()
    }
}
