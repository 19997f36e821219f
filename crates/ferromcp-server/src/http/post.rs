//! POST: parses the message, selects its era, and dispatches it.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

use std::sync::Arc;

use ferromcp_core::wire::{DecodeError, Incoming, Message, method_of};
use ferromcp_core::{ClientRequest, Error, ErrorCode, RequestId};
use http::header::{CONNECTION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

use super::accept::{Accepts, is_json, is_unencoded};
use super::authorization::caller;
use super::body::Body;
use super::connection::Client;
use super::endpoint::Endpoint;
use super::limits::AUTHORIZATION_BODY_BYTES;
use super::received::Received;
use super::request_body::{self, BodyError};
use super::respond::{self, ResponseMode};
use super::{legacy, modern, reply};
use crate::access;
use crate::call::Peer;
use crate::decode::decode_frame;
use crate::era::modern::{has_named, with_claim};

/// Responds to a POST.
pub(crate) async fn post<B: http_body::Body>(
    endpoint: &Arc<Endpoint>,
    parts: &Parts,
    body: B,
    client: &Client<'_>,
) -> Response<Body> {
    if !parts.headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return reply::not_json();
    }
    if !is_unencoded(&parts.headers) {
        return reply::encoded_body();
    }
    let accepts = Accepts::of(&parts.headers);
    if !accepts.json && !accepts.events {
        let why = "Not acceptable: the response is application/json or text/event-stream";
        return reply::reject(StatusCode::NOT_ACCEPTABLE, why);
    }
    let (bytes, lease) = match request_body::read(body, &parts.headers, endpoint, client).await {
        Ok(read) => read,
        Err(error) => return reject_body(endpoint, error),
    };
    // Every connection holds this future, so the rare branches are boxed.
    let (id, request) = match decode_frame(bytes.clone()) {
        Ok(Incoming::One(Message::Request { id, request })) => (id, request),
        Ok(other) if modern::is_declared(&parts.headers) => return modern::respond_to_other(&other),
        Ok(Incoming::One(Message::Notification(notification))) => {
            return legacy::notification(endpoint, parts, &notification);
        }
        Ok(Incoming::One(Message::Response { id, outcome })) => {
            return legacy::response(endpoint, parts, id.as_ref(), outcome);
        }
        Ok(Incoming::Batch(messages)) => {
            let mut received = Received { endpoint, parts, client, lease };
            return Box::pin(legacy::batch(&mut received, accepts, messages)).await;
        }
        Err(rejection) => return reject_message(parts, &bytes, rejection),
    };
    dispatch(&mut Received { endpoint, parts, client, lease }, accepts, id, request).await
}

async fn dispatch(
    received: &mut Received<'_>,
    accepts: Accepts,
    id: RequestId,
    request: ClientRequest,
) -> Response<Body> {
    let Received { endpoint, parts, client, .. } = *received;
    let (peer, mode) = match modern_peer(endpoint, parts, &request) {
        Ok(Some(peer)) => {
            let peer = peer.called_by(&caller(parts));
            (peer, ResponseMode::modern(accepts, endpoint.request_extensions(parts)))
        }
        Ok(None) if matches!(request, ClientRequest::Initialize(_)) => {
            return Box::pin(legacy::initialize(endpoint, parts, client, id, request)).await;
        }
        Ok(None) => match legacy::admit(endpoint, parts, accepts, &id, &request) {
            Ok(admitted) => admitted,
            Err(response) => return *response,
        },
        Err(error) => return reply::modern_error(error, Some(&id)),
    };
    if endpoint.inner.registry.has_scopes() {
        if let Err(error) = access::check(&endpoint.inner.registry.snapshot(), &peer, &request) {
            return reply::insufficient_scope(parts, error, &id, peer.revision());
        }
    }
    respond::call(received, id, request, peer, mode).await
}

/// Returns the peer of a modern request, or `None` if the request is a legacy one.
fn modern_peer(endpoint: &Endpoint, parts: &Parts, request: &ClientRequest) -> Result<Option<Peer>, Error> {
    with_claim(
        request,
        || modern::is_declared(&parts.headers),
        |claim| claim.map(|claim| modern::admit(&endpoint.inner, claim, request, &parts.headers)).transpose(),
    )
}

/// Responds to a message that failed to parse.
fn reject_message(parts: &Parts, bytes: &[u8], rejection: DecodeError) -> Response<Body> {
    let DecodeError { id, error, .. } = rejection;
    // An unknown method takes precedence over invalid params.
    let unknown = |method: &String| !has_named(method);
    if error.code == ErrorCode::INVALID_PARAMS && modern::is_declared(&parts.headers) {
        if let Some(method) = method_of(bytes).filter(unknown) {
            return reply::modern_error(Error::method_not_found(&method), id.as_ref());
        }
    }
    reply::error_in_latest(StatusCode::BAD_REQUEST, error, id.as_ref())
}

/// Responds to a request whose body could not be read: 413, 408, 503 or 400. Closes the connection.
pub(crate) fn reject_body(endpoint: &Endpoint, error: BodyError) -> Response<Body> {
    let limits = &endpoint.options.limits;
    let (status, why) = match error {
        BodyError::NoCapacity => {
            let why = "Too many request bodies are being received or handled (`HttpServerLimits::total_body_bytes`)";
            return closing(reply::unavailable(why));
        }
        BodyError::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("Request body exceeds `HttpServerLimits::body_bytes` ({} bytes)", limits.body_bytes),
        ),
        BodyError::TimedOut => (
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "Timed out reading the request body after {:?} (`HttpServerLimits::body_timeout`)",
                limits.body_timeout
            ),
        ),
        BodyError::Incomplete => (StatusCode::BAD_REQUEST, "Request body is incomplete".to_owned()),
    };
    closing(reply::reject(status, why))
}

/// Responds to a request for a path of the authorization whose body could not be read: 413, 408, 503 or 400. Closes the
/// connection.
pub(crate) fn reject_authorization_body(endpoint: &Endpoint, error: BodyError) -> Response<Body> {
    match error {
        BodyError::NoCapacity => closing(reply::unavailable(
            "Too many request bodies for the authorization are being received or handled; try again later",
        )),
        BodyError::TooLarge => closing(reply::reject(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("Request body for the authorization exceeds {AUTHORIZATION_BODY_BYTES} bytes"),
        )),
        BodyError::TimedOut | BodyError::Incomplete => reject_body(endpoint, error),
    }
}

/// Closes the connection after a response, because the rest of the request body stays unread.
fn closing(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
