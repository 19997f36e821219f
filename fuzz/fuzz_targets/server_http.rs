//! Sends arbitrary HTTP requests to the HTTP service: bodies are JSON or event streams, and no status is 5xx.
//!
//! Covers `Host`, `Origin`, `Forwarded`, `Accept`, `Mcp-*`, `Last-Event-ID`, session ids with and without state, batches,
//! CORS and HTTP+SSE. `cargo +nightly fuzz run server_http`. The first byte selects the options. Requests are separated by
//! NUL: a line with method and path, header lines, a blank line, the body. The value `$` is the last session id. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.
#![no_main]

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_fuzz::exchange::parse_head;
use ferromcp_fuzz::{SERVER, assert_message, run};
use ferromcp_server::http::{Body, ClientAddr, HttpServerOptions};
use ferromcp_transport::sse::Decoder;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Request, Response};
use http_body::Body as _;
use libfuzzer_sys::fuzz_target;
use tokio::time::timeout;
use tower_service::Service;

/// The time for a response, and for each chunk of its body. The clock is paused.
const TIMEOUT: Duration = Duration::from_millis(100);

const MAX_REQUESTS: usize = 8;

fuzz_target!(|input: &[u8]| {
    let Some((&flags, input)) = input.split_first() else { return };
    let mut options = HttpServerOptions::new().stateless(flags & 1 != 0).http_sse(flags & 2 != 0);
    if flags & 4 != 0 {
        options = options.trust_proxy("10.0.0.0/8").allow_host("mcp.example.com:8443").allow_host("*.example.org");
    }
    if flags & 8 != 0 {
        options = options.allow_origin("https://app.example.com").allow_origin("http://localhost:*");
    }
    let service = SERVER.http_with(options).expect("valid options");
    let chunk_size = if flags & 16 != 0 { 5 } else { usize::MAX };
    run(async {
        let mut session = None;
        let mut replies = Vec::new();
        for request in input.split(|byte| *byte == 0).take(MAX_REQUESTS) {
            let Some(request) = parse(request, session.as_ref(), chunk_size) else { continue };
            let Ok(Ok(response)) = timeout(TIMEOUT, service.clone().call(request)).await else { continue };
            assert!(response.status().as_u16() < 500, "{response:?}");
            session = response.headers().get("mcp-session-id").cloned().or(session);
            let mut reply = Reply::new(response);
            reply.read().await;
            replies.push(reply); // a stream stays connected
        }
        for mut reply in replies {
            reply.read().await;
            reply.check();
        }
        service.shutdown().await;
    });
});

/// Parses a request. Returns `None` if it is not a valid HTTP request.
fn parse(text: &[u8], session: Option<&HeaderValue>, chunk_size: usize) -> Option<Request<Chunks>> {
    let (mut request, rest) = parse_head(text, |value| match (value, session) {
        (b"$", Some(session)) => Some(session.clone()),
        (value, _) => HeaderValue::from_bytes(value).ok(),
    })?;
    let headers = request.headers_mut();
    headers.entry(HOST).or_insert(HeaderValue::from_static("localhost"));
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    request.extensions_mut().insert(ClientAddr(SocketAddr::from(([10, 0, 0, 7], 80))));
    let body = Bytes::copy_from_slice(rest);
    Some(request.map(|()| Chunks { body, chunk_size }))
}

/// A response, whose body is read as far as it is available.
struct Reply {
    content_type: Option<HeaderValue>,
    body: Body,
    bytes: Vec<u8>,
}

impl Reply {
    fn new(response: Response<Body>) -> Self {
        let content_type = response.headers().get(CONTENT_TYPE).cloned();
        Self { content_type, body: response.into_body(), bytes: Vec::new() }
    }

    async fn read(&mut self) {
        let Self { body, bytes, .. } = self;
        while let Ok(Some(frame)) = timeout(TIMEOUT, poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx))).await {
            bytes.extend_from_slice(&frame.expect("infallible").into_data().unwrap_or_default());
        }
    }

    fn check(self) {
        match self.content_type.as_ref().map(HeaderValue::as_bytes) {
            Some(b"application/json") => drop(assert_message(&self.bytes)),
            Some(b"text/event-stream") => {
                let (mut decoder, mut bytes) = (Decoder::default(), Bytes::from(self.bytes));
                while let Some(event) = decoder.decode(&mut bytes).expect("within the limits") {
                    if !event.data.is_empty() && event.event != "endpoint" {
                        assert_message(&event.data);
                    }
                }
            }
            _ => assert!(std::str::from_utf8(&self.bytes).is_ok(), "{:?}", self.bytes),
        }
    }
}

/// The body of a request.
struct Chunks {
    body: Bytes,
    chunk_size: usize,
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        let size = self.body.len().min(self.chunk_size);
        let chunk = self.body.split_to(size);
        Poll::Ready((!chunk.is_empty()).then(|| Ok(http_body::Frame::data(chunk))))
    }
}
