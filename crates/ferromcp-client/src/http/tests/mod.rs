//! Tests of single HTTP requests and of HTTP+SSE, against a scripted server and against a real server. Tests of connected
//! clients are in `tests/http`.

mod failures;
mod http_sse;
mod post;
mod real_server;
mod redaction;
mod request_headers;
mod resumption;
mod sessions;
mod streams;
#[path = "../../../tests/http/wire.rs"]
mod wire;

use tokio::time::timeout;

use super::channel_error::channel_error;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::limits::HttpLimits;
use super::options::HttpOptions;
use super::post::{Content, PostResponse};
use super::stream::EventStream;
use crate::error::ClientError;
use wire::{ReceivedRequest, TEST_TIMEOUT, Wire};

/// Options for a local server.
fn options() -> HttpOptions {
    HttpOptions::new().no_proxy()
}

/// Options with limits set by the test.
fn bounded(set: impl FnOnce(&mut HttpLimits)) -> HttpOptions {
    let mut options = options();
    set(&mut options.limits);
    options
}

/// Creates a response with a body.
fn response(status: u16, media_type: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Said\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n{body}")
}

impl Wire {
    fn endpoint(&self) -> Endpoint {
        self.endpoint_with(options())
    }

    fn endpoint_with(&self, options: HttpOptions) -> Endpoint {
        Endpoint::new(&self.url("/mcp"), options).expect("an endpoint")
    }

    /// Responds to a request on a new connection, then closes it.
    async fn answer(&self, bytes: impl AsRef<[u8]>) -> ReceivedRequest {
        let (asked, mut peer) = self.asked().await;
        peer.say(bytes).await;
        asked
    }
}

/// Returns the error of a client whose request fails with this failure.
fn client_error(failure: Failure, endpoint: &Endpoint) -> ClientError {
    ClientError::of("tools/call", channel_error(failure, endpoint))
}

/// Returns the event stream of a response.
fn events(reply: PostResponse) -> EventStream {
    match reply.content {
        Content::Events(events) => *events,
        other => panic!("no stream: {other:?}"),
    }
}

/// Returns the JSON of a response.
fn json(reply: PostResponse) -> String {
    match reply.content {
        Content::Json(json) => String::from_utf8(json.to_vec()).expect("text"),
        other => panic!("no JSON: {other:?}"),
    }
}

/// Returns the next message of a stream.
async fn message(events: &mut EventStream) -> String {
    let message = timeout(TEST_TIMEOUT, events.next()).await.expect("a message in time").expect("an open stream");
    String::from_utf8(message.expect("a message").data.to_vec()).expect("text")
}
