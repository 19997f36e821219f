//! What must not be shown.

use std::error::Error;
use std::fmt::Write as _;

use ferromcp_client::http::{Endpoint, Failure, RequestHeaders, HttpSse};

use crate::wire::{STREAM, Wire, both, chunk, options, response};

/// A failure and all that stands behind it, in both of its forms.
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
async fn a_url_with_secrets_is_in_no_failure() {
    let wire = Wire::new().await;
    let url = wire.url("/mcp?key=s3cret").replace("http://", "http://me:s3cret@");
    let endpoint = Endpoint::new(url, options().header("X-Key", "s3cret")).expect("an endpoint");
    assert!(!format!("{endpoint:?}").contains("s3cret"), "{endpoint:?}");
    for answer in ["", "nonsense", &response(404, "text/plain", "no s3cret"), &response(401, "text/plain", "s3cret")] {
        let (outcome, asked) = both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), wire.answer(answer)).await;
        assert_eq!(asked.target, "/mcp?key=s3cret");
        assert_eq!(asked.header("x-key"), Some("s3cret"));
        assert_eq!(asked.header("authorization"), Some("Basic bWU6czNjcmV0"));
        let failure = outcome.expect_err("nothing");
        assert!(!everything(&failure).contains("s3cret"), "{}", everything(&failure));
    }
    drop(wire);
    let failure = endpoint.post(&RequestHeaders::initialize(), "{}".into()).await.expect_err("nobody");
    assert!(!everything(&failure).contains("s3cret"), "{}", everything(&failure));
}

#[tokio::test]
async fn the_url_for_messages_of_http_sse_is_a_secret() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let server = async {
        let (_, mut peer) = wire.asked().await;
        peer.say([STREAM.as_bytes(), &chunk("event: endpoint\ndata: /say?session=s3cret\n\n")].concat()).await;
        peer
    };
    let (outcome, _peer) = both(HttpSse::connect(&endpoint), server).await;
    let pipe = outcome.expect("a pipe");
    assert!(!format!("{pipe:?}").contains("s3cret"), "{pipe:?}");
}

#[tokio::test]
async fn a_session_is_a_secret() {
    // S-176
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let answer = "HTTP/1.1 200 OK\r\nMcp-Session-Id: s3cret\r\nContent-Type: application/json\r\n\r\n{}";
    let reply = both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), wire.answer(answer)).await.0.expect("a reply");
    let head = RequestHeaders::legacy(ferromcp_core::Revision::LATEST_LEGACY, reply.session.clone());
    assert!(!format!("{reply:?} {head:?}").contains("s3cret"), "{reply:?} {head:?}");
}
