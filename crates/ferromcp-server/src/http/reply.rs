//! Builds responses: a reply as JSON, an SSE stream, or an error.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#error-responses>.

use bytes::{Bytes, BytesMut};
use ferromcp_core::wire::encode;
use ferromcp_core::{Error, ErrorCode, RequestId, Revision};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::body::Body;
use super::endpoint::{Endpoint, Limit};
use super::event_body::EventBody;
use crate::call::Reply;
use crate::era::features::has_error_statuses;

/// The initial capacity of a reply buffer, in bytes. Most replies fit.
pub(crate) const REPLY_CAPACITY: usize = 512;

/// An encoded reply, and the status to use if it is the whole response.
#[derive(Debug)]
pub(crate) struct EncodedReply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// Returns a JSON response.
pub(crate) fn json(reply: EncodedReply) -> Response<Body> {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let mut response = Response::new(Body::whole(reply.body));
    *response.status_mut() = reply.status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// Returns an SSE response, with headers that disable caching and buffering in proxies.
pub(crate) fn events(events: EventBody) -> Response<Body> {
    const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
    const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache, no-transform");
    const NO_BUFFERING: (HeaderName, HeaderValue) =
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    let mut response = Response::new(Body::events(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, EVENTS);
    headers.insert(CACHE_CONTROL, NO_CACHE);
    headers.insert(NO_BUFFERING.0, NO_BUFFERING.1);
    response
}

/// Returns a response without a body.
pub(crate) fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

/// Returns 202, for a notification or a response of the client.
pub(crate) fn accepted() -> Response<Body> {
    status(StatusCode::ACCEPTED)
}

/// Returns a JSON-RPC error. `id` is the id of the request, if it could be parsed.
pub(crate) fn error(status: StatusCode, error: Error, id: Option<&RequestId>, revision: Revision) -> Response<Body> {
    tracing::debug!(%status, %error, "rejected a request");
    let mut body = BytesMut::with_capacity(192);
    encode::error(&mut body, id, error, revision);
    json(EncodedReply { status, body: body.freeze() })
}

/// Returns a JSON-RPC error in the newest revision, for a modern request or one of an unknown revision.
pub(crate) fn error_in_latest(status: StatusCode, error: Error, id: Option<&RequestId>) -> Response<Body> {
    self::error(status, error, id, Revision::LATEST)
}

/// Returns an error for a request that was rejected before its message was parsed.
pub(crate) fn reject(status: StatusCode, why: impl Into<String>) -> Response<Body> {
    error_in_latest(status, Error::invalid_request(why), None)
}

/// Returns 415: the body is not JSON.
pub(crate) fn not_json() -> Response<Body> {
    reject(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type: set `Content-Type: application/json`")
}

/// Returns 406, for a GET that does not accept an SSE stream.
pub(crate) fn events_not_accepted() -> Response<Body> {
    reject(StatusCode::NOT_ACCEPTABLE, "Not acceptable: a GET requires `Accept: text/event-stream`")
}

/// Returns 405 with the allowed methods.
pub(crate) fn method_not_allowed(allowed: &'static str) -> Response<Body> {
    let mut response = reject(StatusCode::METHOD_NOT_ALLOWED, format!("Method not allowed; use {allowed}"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Returns 503: a limit is reached, or the server is shutting down.
pub(crate) fn limit_exceeded(endpoint: &Endpoint, limit: Limit) -> Response<Body> {
    unavailable(match limit {
        _ if endpoint.closing.is_set() => SHUTTING_DOWN,
        Limit::InFlight => "Too many requests in flight (`HttpServerLimits::in_flight`)",
        Limit::Streams => "Too many open streams (`HttpServerLimits::streams`)",
    })
}

/// The error text during shutdown.
pub(crate) const SHUTTING_DOWN: &str = "The server is shutting down";

/// Returns 503 with `Retry-After`.
pub(crate) fn unavailable(why: &str) -> Response<Body> {
    const ONE_SECOND: HeaderValue = HeaderValue::from_static("1");
    let mut response = error_in_latest(StatusCode::SERVICE_UNAVAILABLE, Error::internal(why), None);
    response.headers_mut().insert(RETRY_AFTER, ONE_SECOND);
    response
}

/// Returns the status for a reply. A legacy error has the status 200, like any other reply.
pub(crate) fn status_of(reply: &Reply, revision: Revision) -> StatusCode {
    match reply {
        Reply::Failed(error) if has_error_statuses(revision) => status_of_error(error),
        _ => StatusCode::OK,
    }
}

fn status_of_error(error: &Error) -> StatusCode {
    match error.code {
        ErrorCode::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
        ErrorCode::PARSE_ERROR
        | ErrorCode::INVALID_REQUEST
        | ErrorCode::HEADER_MISMATCH
        | ErrorCode::MISSING_CLIENT_CAPABILITY
        | ErrorCode::UNSUPPORTED_REVISION => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

/// Returns the error of a modern request that was rejected before it reached a handler.
pub(crate) fn modern_error(rejection: Error, id: Option<&RequestId>) -> Response<Body> {
    let status = match rejection.code {
        ErrorCode::INVALID_PARAMS => StatusCode::BAD_REQUEST,
        _ => status_of_error(&rejection),
    };
    error_in_latest(status, rejection, id)
}
