//! Builds responses: a reply as JSON, an SSE stream, or an error.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#error-responses>.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ferromcp_core::wire::encode;
use ferromcp_core::{Error, ErrorCode, RequestId, Revision};
use http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::authorization::ScopeChallenge;
use super::body::Body;
use super::byte_budget::{ByteBudget, Reservation};
use super::endpoint::{Endpoint, Limit, Unavailable};
use super::event_body::EventBody;
use super::unwritten::UNTRACKED_BYTES;
use crate::access::InsufficientScope;
use crate::call::Reply;
use crate::era::features::has_error_statuses;

/// The initial capacity of a reply buffer, in bytes. Most replies fit.
const REPLY_CAPACITY: usize = 512;

/// An encoded reply, and the status to use if it is the whole response.
#[derive(Debug)]
pub(crate) struct EncodedReply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// The reservation of a large body, or of a small one over HTTP/2.
    pub(crate) reservation: Option<Reservation>,
}

impl EncodedReply {
    /// Encodes a reply and selects its status. A large reply becomes an error if `responses` is exhausted.
    pub(crate) fn new(
        endpoint: &Endpoint,
        responses: &Arc<ByteBudget>,
        id: &RequestId,
        reply: Reply,
        revision: Revision,
    ) -> Self {
        let status = status_of(&reply, revision);
        let mut body = BytesMut::with_capacity(REPLY_CAPACITY);
        reply.write(&mut body, id, revision, endpoint.inner.info_json());
        if body.len() <= UNTRACKED_BYTES {
            return Self { reservation: responses.reserve_small(body.capacity()), ..Self::small(status, body) };
        }
        match responses.try_reserve(body.capacity()) {
            Some(reservation) => Self { status, body: body.freeze(), reservation: Some(reservation) },
            None => Self::discarded(body.len(), Some(id), revision),
        }
    }

    /// Returns the reply to a batch, whose responses are encoded.
    pub(crate) fn batch(responses: &Arc<ByteBudget>, body: Bytes) -> Self {
        if body.len() <= UNTRACKED_BYTES {
            return Self { status: StatusCode::OK, body, reservation: None };
        }
        match responses.try_reserve(body.len()) {
            Some(reservation) => Self { status: StatusCode::OK, body, reservation: Some(reservation) },
            None => Self::discarded(body.len(), None, Revision::V2025_03_26),
        }
    }

    fn small(status: StatusCode, body: BytesMut) -> Self {
        Self { status, body: body.freeze(), reservation: None }
    }

    /// Returns the error that replaces a reply which must not be held in memory.
    fn discarded(bytes: usize, id: Option<&RequestId>, revision: Revision) -> Self {
        tracing::warn!(bytes, "discarded a reply: the limit of `HttpServerLimits::total_response_bytes` is reached");
        let mut body = BytesMut::with_capacity(REPLY_CAPACITY);
        let why = format!(
            "cannot send the result of {bytes} bytes: too many response bytes are unread; read them, and check whether \
             the call must be repeated, or raise `HttpServerLimits::total_response_bytes`"
        );
        encode::error(&mut body, id, Error::internal(why), revision);
        Self::small(StatusCode::OK, body)
    }
}

/// Returns a JSON response. Over HTTP/2, `ends_when_written` lets the body of a large reply end only after it is written.
pub(crate) fn json(reply: EncodedReply, ends_when_written: bool) -> Response<Body> {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let mut response = Response::new(match reply.reservation {
        reservation if reply.body.len() <= UNTRACKED_BYTES => Body::whole(reply.body, reservation),
        None => Body::whole(reply.body, None),
        Some(reservation) => Body::chunks(reply.body, reservation, ends_when_written),
    });
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
    json(EncodedReply::small(status, body), false)
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

/// Returns 415: the body has a content coding.
pub(crate) fn encoded_body() -> Response<Body> {
    let why = "Unsupported media type: send the request body without `Content-Encoding`";
    let mut response = reject(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
    response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    response
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

/// Returns 403 with a challenge that names the scopes of a request.
pub(crate) fn insufficient_scope(
    parts: &Parts,
    error: InsufficientScope,
    id: &RequestId,
    revision: Revision,
) -> Response<Body> {
    let scopes: Vec<&str> = error.scopes.iter().map(String::as_str).collect();
    let challenge = parts.extensions.get::<ScopeChallenge>().map(|challenge| challenge.header(&scopes));
    // Scopes contain no quotes, so that they need no escapes.
    let plain = || format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", scopes.join(" ")).try_into().ok();
    let challenge = challenge.or_else(plain);
    let mut response = self::error(StatusCode::FORBIDDEN, error.into(), Some(id), revision);
    response.headers_mut().extend(challenge.map(|challenge| (WWW_AUTHENTICATE, challenge)));
    response
}

/// Returns the response of an authorization.
pub(crate) fn of_authorization(response: Response<Bytes>) -> Response<Body> {
    response.map(|body| Body::whole(body, None))
}

/// Returns 503: a limit is reached, or the server is shutting down.
pub(crate) fn refused(reason: Unavailable) -> Response<Body> {
    unavailable(match reason {
        Unavailable::ShuttingDown => SHUTTING_DOWN,
        Unavailable::LimitReached(Limit::InFlight) => "Too many requests in flight (`HttpServerLimits::in_flight`)",
        Unavailable::LimitReached(Limit::Streams) => "Too many open streams (`HttpServerLimits::streams`)",
        Unavailable::UnreadResponses => {
            "Too many response bytes are unread; read the responses first (`HttpServerLimits::total_response_bytes`)"
        }
    })
}

/// The error text during shutdown.
pub(crate) const SHUTTING_DOWN: &str = "The server is shutting down";

/// Returns 503 with `Retry-After`.
pub(crate) fn unavailable(why: &str) -> Response<Body> {
    retry_later(StatusCode::SERVICE_UNAVAILABLE, why)
}

/// Returns 429 with `Retry-After`.
pub(crate) fn too_fast(why: &str) -> Response<Body> {
    retry_later(StatusCode::TOO_MANY_REQUESTS, why)
}

fn retry_later(status: StatusCode, why: &str) -> Response<Body> {
    const ONE_SECOND: HeaderValue = HeaderValue::from_static("1");
    let mut response = error_in_latest(status, Error::internal(why), None);
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
