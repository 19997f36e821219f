//! The resource server as a tower layer.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, Ready, poll_fn, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use ferromcp_auth::resource_server::{ResourceServer, StaticTokens};
use ferromcp_server::{Principal, Server, Tool};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use serde_json::Value;
use tower_layer::Layer;
use tower_service::Service;

const RESOURCE: &str = "http://localhost:3000/mcp";
const METADATA_PATH: &str = "/.well-known/oauth-protected-resource/mcp";

fn resource_server() -> ResourceServer {
    let tokens = StaticTokens::new(RESOURCE).token("s3cret", "ada", ["read"]);
    ResourceServer::builder(RESOURCE, tokens).authorization_server("http://localhost:3001").build().unwrap()
}

/// Responds with the subject of the principal. It must be polled until it is ready before each call.
#[derive(Clone, Default)]
struct WhoAmI {
    is_ready: bool,
}

impl<B> Service<Request<B>> for WhoAmI {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "the service is not ready");
        let principal = request.extensions().get::<Principal>();
        let subject = principal.and_then(Principal::subject).unwrap_or("none").to_owned();
        ready(Ok(Response::new(Full::new(subject.into()))))
    }
}

/// Calls a service in the way of `axum::Router`, whose requirements it has.
async fn call<S, B>(service: &mut S, request: Request<Full<Bytes>>) -> (StatusCode, http::HeaderMap, Bytes)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Future + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>> + std::fmt::Debug,
{
    poll_fn(|cx| service.poll_ready(cx)).await.unwrap();
    let (parts, body) = service.call(request).await.unwrap().into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

fn request(method: &str, path: &str, token: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Full::default()).unwrap()
}

#[tokio::test]
async fn service_receives_authorized_requests_only() {
    // A-116, A-201
    let mut service = resource_server().layer(WhoAmI::default());
    for method in ["GET", "POST", "DELETE"] {
        let (status, _, body) = call(&mut service, request(method, "/mcp", Some("s3cret"))).await;
        assert_eq!((status, &*body), (StatusCode::OK, b"ada".as_slice()));
        for token in [None, Some("wrong")] {
            let (status, headers, body) = call(&mut service, request(method, "/mcp", token)).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED);
            assert!(headers.contains_key("www-authenticate"));
            assert_eq!(headers["access-control-allow-origin"], "*");
            assert!(headers["access-control-expose-headers"].to_str().unwrap().contains("WWW-Authenticate"));
            assert!(serde_json::from_slice::<Value>(&body).unwrap()["error"].is_string());
        }
    }
    // Preflight requests have no credentials.
    let (status, _, body) = call(&mut service, request("OPTIONS", "/mcp", None)).await;
    assert_eq!((status, &*body), (StatusCode::OK, b"none".as_slice()));
}

#[tokio::test]
async fn metadata_is_public() {
    // A-009, A-014, A-015
    let mut service = resource_server().layer(WhoAmI::default());
    for path in [METADATA_PATH, "/.well-known/oauth-protected-resource"] {
        let (status, headers, body) = call(&mut service, request("GET", path, None)).await;
        assert_eq!((status, headers["content-type"].to_str().unwrap()), (StatusCode::OK, "application/json"));
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["resource"], RESOURCE);
        let (status, _, _) = call(&mut service, request("POST", path, Some("s3cret"))).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    }
    let mut metadata = resource_server().metadata_service();
    let (status, _, body) = call(&mut metadata, request("GET", "/anywhere", None)).await;
    assert!(status == StatusCode::OK && !body.is_empty());
}

#[tokio::test]
async fn http_service_is_protected() {
    // A-201
    let server =
        Server::new("protected", "1.0.0").with_tool(Tool::sync("add", |a: i64, b: i64| a + b).args(["a", "b"]));
    let mut service = resource_server().layer(server.http().unwrap());
    let call = async |service: &mut ferromcp_auth::resource_server::Protected<_>, token: Option<&str>| {
        let mut request = Request::post("http://localhost:3000/mcp")
            .header("host", "localhost:3000")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",
            "capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
        call(service, request.body(Full::from(body)).unwrap()).await
    };
    let (status, _, _) = call(&mut service, None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, _, body) = call(&mut service, Some("s3cret")).await;
    let body = String::from_utf8_lossy(&body);
    assert!(status == StatusCode::OK && body.contains("protected"), "{status} {body}");
}

#[test]
fn layers_apply_to_services_of_other_bodies() {
    fn is_service<B>(_: &impl Service<Request<B>>) {}
    is_service::<Empty<Bytes>>(&resource_server().layer(WhoAmI::default()));
}
