//! Responses: an answer as JSON, a stream of events, or a refusal that says why.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#error-responses>.

use bytes::{Bytes, BytesMut};
use ferromcp_core::wire::encode;
use ferromcp_core::{Error, ErrorCode, RequestId, Revision};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::body::Body;
use super::endpoint::{Endpoint, Place};
use super::event_body::EventBody;
use crate::call::Reply;

/// An answer, encoded, with the status that fits it while no header has been sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// The answer as JSON.
pub(crate) fn json(answer: Answer) -> Response<Body> {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let mut response = Response::new(Body::whole(answer.body));
    *response.status_mut() = answer.status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// A stream of events. Proxies are told to pass each on at once and to keep none.
pub(crate) fn events(events: EventBody) -> Response<Body> {
    const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
    const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-cache, no-transform");
    const NOT_BUFFERED: (HeaderName, HeaderValue) =
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    let mut response = Response::new(Body::events(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, EVENTS);
    headers.insert(CACHE_CONTROL, NOT_KEPT);
    headers.insert(NOT_BUFFERED.0, NOT_BUFFERED.1);
    response
}

/// A status alone.
pub(crate) fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

/// 202: a notification or response was taken.
pub(crate) fn accepted() -> Response<Body> {
    status(StatusCode::ACCEPTED)
}

/// An error in place of an answer. `id` is the request's, where it could be read.
pub(crate) fn error(status: StatusCode, error: Error, id: Option<&RequestId>, revision: Revision) -> Response<Body> {
    tracing::debug!(%status, %error, "a request was refused");
    let mut body = BytesMut::with_capacity(192);
    encode::error(&mut body, id, error, revision);
    json(Answer { status, body: body.freeze() })
}

/// A refusal on grounds of HTTP, before any message was read.
pub(crate) fn refuse(status: StatusCode, why: impl Into<String>) -> Response<Body> {
    error(status, Error::invalid_request(why), None, Revision::LATEST)
}

/// 415: the body is not JSON.
pub(crate) fn not_json() -> Response<Body> {
    refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type: say application/json")
}

/// 406: a GET from a client that takes no stream.
pub(crate) fn only_events() -> Response<Body> {
    refuse(StatusCode::NOT_ACCEPTABLE, "Not acceptable: a GET is answered with text/event-stream")
}

/// 405, naming what there is.
pub(crate) fn method_not_allowed(allowed: &'static str) -> Response<Body> {
    let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, format!("Method not allowed; there is {allowed}"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// 503: there is no place of this kind left, or none any more.
pub(crate) fn full(endpoint: &Endpoint, place: Place) -> Response<Body> {
    busy(match place {
        _ if endpoint.closing.is_set() => SHUTTING_DOWN,
        Place::Call => "Too many requests under way; `HttpLimits::in_flight` sets how many",
        Place::Stream => "Too many open streams; `HttpLimits::streams` sets how many",
    })
}

/// What those hear who come too late.
pub(crate) const SHUTTING_DOWN: &str = "The server is shutting down";

/// 503: not now.
pub(crate) fn busy(why: &str) -> Response<Body> {
    const SOON: HeaderValue = HeaderValue::from_static("1");
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, Error::internal(why), None, Revision::LATEST);
    response.headers_mut().insert(RETRY_AFTER, SOON);
    response
}

/// The status that goes with a reply. In the legacy era an error is an answer like any other.
pub(crate) fn status_of(reply: &Reply, revision: Revision) -> StatusCode {
    match reply {
        Reply::Failed(error) if revision.is_modern() => status_of_error(error),
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

/// The response to a modern request that did not get as far as a function.
pub(crate) fn modern_error(wrong: Error, id: Option<&RequestId>) -> Response<Body> {
    let status = match wrong.code {
        ErrorCode::INVALID_PARAMS => StatusCode::BAD_REQUEST,
        _ => status_of_error(&wrong),
    };
    error(status, wrong, id, Revision::LATEST)
}
