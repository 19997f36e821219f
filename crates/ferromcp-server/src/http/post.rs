//! A POST: reads its message, and finds out to which era it belongs.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

use std::sync::Arc;

use ferromcp_core::message::{FromClient, Incoming, Message, Rejection};
use ferromcp_core::wire::{decode, method_of};
use ferromcp_core::{ClientRequest, Error, ErrorCode, RequestId, Revision};
use http::header::{CONNECTION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

use super::accept::{Accepts, is_json};
use super::body::Body;
use super::endpoint::Endpoint;
use super::read::{self, Unread};
use super::respond::{self, Manner};
use super::{batch, legacy, modern, reply};
use crate::call::Peer;
use crate::era::modern::{has_named, with_claim};

/// Answers a POST.
pub(crate) async fn answer<B: http_body::Body>(endpoint: &Arc<Endpoint>, parts: &Parts, body: B) -> Response<Body> {
    if !parts.headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return reply::not_json();
    }
    let accepts = Accepts::of(&parts.headers);
    if !accepts.json && !accepts.events {
        let why = "Not acceptable: answers are application/json or text/event-stream";
        return reply::refuse(StatusCode::NOT_ACCEPTABLE, why);
    }
    let bytes = match read::whole(body, &endpoint.options.limits).await {
        Ok(bytes) => bytes,
        Err(unread) => return refuse_body(endpoint, unread),
    };
    // Every connection holds this future, so what is rare waits on the heap.
    let (id, request) = match decode::<FromClient>(bytes.clone(), &endpoint.inner.limits.decode) {
        Ok(Incoming::One(Message::Request { id, request })) => (id, request),
        Ok(Incoming::One(Message::Notification(said))) => return legacy::notification(endpoint, parts, &said),
        Ok(Incoming::One(Message::Response { id, outcome })) => {
            return legacy::response(endpoint, parts, id.as_ref(), outcome);
        }
        Ok(Incoming::Batch(messages)) if !modern::is_meant(&parts.headers) => {
            return Box::pin(batch::answer(endpoint, parts, accepts, messages)).await;
        }
        Ok(Incoming::Batch(_)) => {
            return reply::refuse(StatusCode::BAD_REQUEST, "Invalid request: one message at a time, no batches");
        }
        Err(rejection) => return refuse_message(parts, &bytes, rejection),
    };
    answer_request(endpoint, parts, accepts, id, request).await
}

async fn answer_request(
    endpoint: &Arc<Endpoint>,
    parts: &Parts,
    accepts: Accepts,
    id: RequestId,
    request: ClientRequest,
) -> Response<Body> {
    let (peer, manner) = match modern_peer(endpoint, parts, &request) {
        Ok(Some(peer)) => {
            let peer = peer.identified(parts.extensions.get());
            let extensions = endpoint.shown(parts);
            (peer, Manner { accepts, session: None, extensions, survives: false, polls: false })
        }
        Ok(None) if matches!(request, ClientRequest::Initialize(_)) => {
            return Box::pin(legacy::initialize(endpoint, parts, id, request)).await;
        }
        Ok(None) => match legacy::admit(endpoint, parts, accepts, &id, &request) {
            Ok(admitted) => admitted,
            Err(response) => return *response,
        },
        Err(error) => return reply::modern_error(error, Some(&id)),
    };
    respond::one(endpoint, id, request, peer, manner).await
}

/// The peer of a modern request; `None` of a legacy one.
fn modern_peer(endpoint: &Endpoint, parts: &Parts, request: &ClientRequest) -> Result<Option<Peer>, Error> {
    let meant = || modern::is_meant(&parts.headers);
    with_claim(request, meant, |claim| {
        claim.map(|claim| modern::admit(&endpoint.inner, claim, request, &parts.headers)).transpose()
    })
}

/// The refusal of a message that could not be read.
fn refuse_message(parts: &Parts, bytes: &[u8], rejection: Rejection) -> Response<Body> {
    let Rejection { id, error, .. } = rejection;
    // Whether a method exists comes before what its parameters are.
    let gone = |method: &String| !has_named(method, Revision::LATEST);
    if error.code == ErrorCode::INVALID_PARAMS && modern::is_meant(&parts.headers) {
        if let Some(method) = method_of(bytes).filter(gone) {
            return reply::modern_error(Error::method_not_found(&method), id.as_ref());
        }
    }
    reply::error(StatusCode::BAD_REQUEST, error, id.as_ref(), Revision::LATEST)
}

/// The refusal of a request whose body was not read.
pub(crate) fn refuse_body(endpoint: &Endpoint, unread: Unread) -> Response<Body> {
    const CLOSE: HeaderValue = HeaderValue::from_static("close");
    let limits = &endpoint.options.limits;
    let (status, why) = match unread {
        Unread::TooLong => (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body is longer than {} bytes; `HttpLimits::body_bytes` sets how long", limits.body_bytes),
        ),
        Unread::TooSlow => (
            StatusCode::REQUEST_TIMEOUT,
            format!("The body took longer than {:?}; `HttpLimits::body_time` sets how long", limits.body_time),
        ),
        Unread::Broken => (StatusCode::BAD_REQUEST, "The body broke off".to_owned()),
    };
    let mut response = reply::refuse(status, why);
    response.headers_mut().insert(CONNECTION, CLOSE); // what is left of the body is not read
    response
}
