//! The endpoint called as a tower service, for what no raw client can say: who asks.

use std::future::poll_fn;
use std::pin::Pin;

use bytes::BytesMut;
use ferromcp_core::Identity;
use ferromcp_server::http::{Body, HttpService};
use http_body::Body as _;
use serde_json::Value;
use tokio::time::timeout;
use tower_service::Service;

use crate::message::{PATIENCE, Request};

/// Asks as `identity`, if there is one.
pub(crate) async fn ask(service: &HttpService, request: &Request, identity: Option<&str>) -> http::Response<Body> {
    let mut built = http::Request::builder().method(request.method).uri(&request.path).header("Host", "localhost");
    for (name, value) in &request.headers {
        built = built.header(name, value.as_slice());
    }
    if let Some(identity) = identity {
        built = built.extension(Identity::new(identity));
    }
    let request = built.body(String::from_utf8(request.body.clone()).unwrap()).unwrap();
    let answered = timeout(PATIENCE, service.clone().call(request)).await.expect("answered in time");
    answered.expect("it never fails")
}

/// The next bytes of a body; `None` at its end.
pub(crate) async fn chunk(body: &mut Body) -> Option<bytes::Bytes> {
    let frame = timeout(PATIENCE, poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx))).await.expect("something in time");
    frame.map(|frame| frame.expect("it never fails").into_data().expect("data"))
}

/// Status and body of an answer.
pub(crate) async fn answer(service: &HttpService, request: &Request, identity: Option<&str>) -> (u16, Value) {
    let response = ask(service, request, identity).await;
    let status = response.status().as_u16();
    let (mut body, mut bytes) = (response.into_body(), BytesMut::new());
    while let Some(chunk) = chunk(&mut body).await {
        bytes.extend_from_slice(&chunk);
    }
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}
