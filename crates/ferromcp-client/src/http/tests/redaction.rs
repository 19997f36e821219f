//! Secrets are omitted from errors and debug output.

use std::error::Error;
use std::fmt::Write as _;

use super::wire::{STREAM, Wire, chunk, run_both};
use super::{options, response};
use crate::http::endpoint::Endpoint;
use crate::http::failure::Failure;
use crate::http::legacy::HttpSse;
use crate::http::request_headers::RequestHeaders;

/// Formats a failure and its sources with `Display` and `Debug`.
fn everything(failure: &Failure) -> String {
    let mut text = format!("{failure} {failure:?}");
    let mut source = failure.source();
    while let Some(error) = source {
        write!(text, " {error} {error:?}").expect("memory");
        source = error.source();
    }
    text
}

#[tokio::test]
async fn failures_omit_secrets_of_url() {
    let wire = Wire::new().await;
    let url = wire.url("/mcp?key=s3cret").replace("http://", "http://me:s3cret@");
    let endpoint = Endpoint::new(&url, options().header("X-Key", "s3cret")).expect("an endpoint");
    assert!(!format!("{endpoint:?}").contains("s3cret"), "{endpoint:?}");
    for answer in ["", "nonsense", &response(404, "text/plain", "no s3cret"), &response(401, "text/plain", "s3cret")] {
        let (outcome, asked) =
            run_both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), wire.answer(answer)).await;
        assert_eq!(asked.target, "/mcp?key=s3cret");
        assert_eq!(asked.header("x-key"), Some("s3cret"));
        assert_eq!(asked.header("authorization"), Some("Basic bWU6czNjcmV0"));
        let failure = outcome.expect_err("a failure");
        assert!(!everything(&failure).contains("s3cret"), "{}", everything(&failure));
    }
    drop(wire);
    let failure = endpoint.post(&RequestHeaders::initialize(), "{}".into()).await.expect_err("connection refused");
    assert!(!everything(&failure).contains("s3cret"), "{}", everything(&failure));
}

#[tokio::test]
async fn debug_omits_message_url_of_http_sse() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let server = async {
        let (_, mut peer) = wire.asked().await;
        peer.say([STREAM.as_bytes(), &chunk("event: endpoint\ndata: /say?session=s3cret\n\n")].concat()).await;
        peer
    };
    let (outcome, _peer) = run_both(HttpSse::connect(&endpoint), server).await;
    let pipe = outcome.expect("a pipe");
    assert!(!format!("{pipe:?}").contains("s3cret"), "{pipe:?}");
}

#[tokio::test]
async fn debug_omits_session_id() {
    // S-176
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let answer = "HTTP/1.1 200 OK\r\nMcp-Session-Id: s3cret\r\nContent-Type: application/json\r\n\r\n{}";
    let reply = run_both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), wire.answer(answer))
        .await
        .0
        .expect("a reply");
    let head = RequestHeaders::legacy(ferromcp_core::Revision::LATEST_LEGACY, reply.session.clone());
    assert!(!format!("{reply:?} {head:?}").contains("s3cret"), "{reply:?} {head:?}");
}
