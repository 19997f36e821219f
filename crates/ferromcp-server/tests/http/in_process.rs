//! Calls the endpoint as a tower service, with an identity.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::BytesMut;
use ferromcp_core::Identity;
use ferromcp_server::http::{Body, HttpService};
use http_body::Body as _;
use serde_json::Value;
use tokio::time::timeout;
use tower_service::Service;

use crate::message::{Request, TIMEOUT};

/// Sends a request as `identity`.
pub(crate) async fn send(service: &HttpService, request: &Request, identity: Option<&str>) -> http::Response<Body> {
    let mut built = http::Request::builder().method(request.method).uri(&request.path).header("Host", "localhost");
    for (name, value) in &request.headers {
        built = built.header(name, value.as_slice());
    }
    if let Some(identity) = identity {
        built = built.extension(Identity::new(identity));
    }
    let request = built.body(String::from_utf8(request.body.clone()).unwrap()).unwrap();
    let response = timeout(TIMEOUT, service.clone().call(request)).await.expect("response timed out");
    response.expect("infallible")
}

/// Reads the next bytes of a body. Returns `None` at the end.
pub(crate) async fn chunk(body: &mut Body) -> Option<bytes::Bytes> {
    let frame = timeout(TIMEOUT, poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx))).await.expect("read timed out");
    frame.map(|frame| frame.expect("infallible").into_data().expect("data"))
}

/// Sends a request, and returns the status and the JSON body of the response.
pub(crate) async fn answer(service: &HttpService, request: &Request, identity: Option<&str>) -> (u16, Value) {
    let response = send(service, request, identity).await;
    let status = response.status().as_u16();
    let (mut body, mut bytes) = (response.into_body(), BytesMut::new());
    while let Some(chunk) = chunk(&mut body).await {
        bytes.extend_from_slice(&chunk);
    }
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}
