//! Requests, notifications and responses of handshake revisions, and the DELETE that ends a session.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http>.

use std::sync::Arc;

use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientNotification, ClientRequest, Error, RawJson, RequestId, Revision};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

use super::scope::{LegacyScope, SESSION_ID, find_scope, find_session};
use super::session_expiry::start_session_expiry;
use super::session_source::Source;
use super::sessions::{Added, NotAdded};
use super::stateless_session_id::EncodedCapabilities;
use crate::call::{Call, Peer, Reply};
use crate::dispatch;
use crate::era;
use crate::era::legacy::Session;
use crate::http::accept::Accepts;
use crate::http::authorization::caller;
use crate::http::body::Body;
use crate::http::connection::Client;
use crate::http::endpoint::{Endpoint, Limit};
use crate::http::reply::EncodedReply;
use crate::http::respond::ResponseMode;
use crate::http::{modern, reply};
use crate::random;

/// Validates a request other than `initialize`, and returns its peer and how to respond to it.
///
/// # Errors
/// The response to send, if the request has no valid session, its id is in use, or its revision does not define the
/// method.
pub(crate) fn admit(
    endpoint: &Endpoint,
    parts: &Parts,
    accepts: Accepts,
    id: &RequestId,
    request: &ClientRequest,
) -> Result<(Peer, ResponseMode), Box<Response<Body>>> {
    let scope = find_scope(endpoint, parts)?;
    if scope.is_in_flight(id) {
        return Err(Box::new(reply::error(StatusCode::BAD_REQUEST, era::id_in_use(id), Some(id), scope.revision())));
    }
    scope.record_scopes(endpoint, parts.extensions.get());
    match scope.check_in_flight(endpoint, 0).and_then(|()| scope.peer(request, &caller(parts))) {
        Ok(peer) => Ok((peer, scope.response_mode(accepts, endpoint.request_extensions(parts)))),
        Err(error) => Err(Box::new(reply::error(StatusCode::OK, error, Some(id), scope.revision()))),
    }
}

/// Handles `initialize`: starts a session and returns its id in the `Mcp-Session-Id` header. A stateless endpoint
/// returns an id that encodes the client's capabilities instead.
pub(crate) async fn initialize(
    endpoint: &Arc<Endpoint>,
    parts: &Parts,
    client: &Client<'_>,
    id: RequestId,
    request: ClientRequest,
) -> Response<Body> {
    let stateless = endpoint.options.stateless;
    // A stateless endpoint ignores a stale session id.
    match if stateless { Ok(None) } else { find_session(endpoint, parts) } {
        Err(response) if response.status() == StatusCode::NOT_FOUND => {
            let error = Error::invalid_request(
                "Session not found or expired; send `initialize` without the Mcp-Session-Id header to start a new one",
            );
            return reply::error(StatusCode::NOT_FOUND, error, None, Revision::LATEST_LEGACY);
        }
        Err(response) => return *response,
        Ok(Some(session)) => {
            let error = Error::invalid_request("Invalid request: the session is already initialized");
            return reply::error(StatusCode::BAD_REQUEST, error, Some(&id), session.revision());
        }
        Ok(None) => {}
    }
    let _permit = match endpoint.acquire(Limit::InFlight, client) {
        Ok(permit) => permit,
        Err(reason) => return reply::refused(reason),
    };
    let caller = caller(parts);
    let mut negotiated = if stateless {
        Session::default()
    } else {
        Session::with_notifications(Arc::clone(&endpoint.inner.broadcaster)).scoped()
    };
    let peer = match negotiated.admit(&request) {
        Ok(peer) => peer.called_by(&caller),
        Err(error) => return reply::error(StatusCode::OK, error, Some(&id), Revision::LATEST_LEGACY),
    };
    let revision = peer.revision();
    let encoded = if stateless { EncodedCapabilities::new(revision, peer.capabilities()) } else { None };
    let mut call = Call::new(request, peer).id(id.clone());
    call.extensions = endpoint.request_extensions(parts);
    let reply = dispatch::run(&endpoint.inner, call).await;
    let starts_session = !stateless && matches!(reply, Reply::Done(_));
    let reply = EncodedReply::new(endpoint, client.responses(&endpoint.sending.responses), &id, reply, revision);
    let mut response = reply::json(reply, client.ends_when_written());
    if let Some(encoded) = encoded {
        let id = random::id().ok().and_then(|random| HeaderValue::from_str(&encoded.to_session_id(&random)).ok());
        id.map(|id| response.headers_mut().insert(&SESSION_ID, id));
    }
    if starts_session {
        let address = endpoint.options.guard.client_address(&parts.headers, client.address);
        let source = Source::new(client.connection.map(|connection| connection.id), caller.identity(), address);
        let session = match endpoint.legacy.sessions.add(caller.identity().cloned(), source, negotiated) {
            Ok(Added { session, evicted }) => {
                endpoint.legacy.purge_events(evicted).await;
                session
            }
            Err(reason) => return cannot_start(&reason),
        };
        start_session_expiry(endpoint);
        if let Ok(id) = HeaderValue::from_str(&session.id) {
            response.headers_mut().insert(&SESSION_ID, id);
        }
    }
    response
}

/// Responds to `initialize` when no session can be added.
fn cannot_start(reason: &NotAdded) -> Response<Body> {
    match reason {
        NotAdded::Full => reply::unavailable("Too many sessions (`HttpServerLimits::sessions`), and none is idle"),
        NotAdded::TooFast => reply::too_fast("This client starts sessions too fast; reuse a session, or retry later"),
        NotAdded::NoRandomNumbers(error) => {
            tracing::error!(%error, "cannot generate a session id: no random numbers");
            reply::unavailable("Cannot start a session")
        }
    }
}

/// Handles a notification.
pub(crate) fn notification(endpoint: &Endpoint, parts: &Parts, notification: &ClientNotification) -> Response<Body> {
    match find_scope(endpoint, parts) {
        Ok(scope) => {
            apply_notification(&scope, notification);
            reply::accepted()
        }
        Err(response) => *response,
    }
}

/// Applies a notification to its session. A stateless endpoint ignores it.
pub(super) fn apply_notification(scope: &LegacyScope, notification: &ClientNotification) {
    let LegacyScope::Session(session) = scope else { return };
    match notification {
        ClientNotification::Initialized(_) => session.mark_initialized(),
        ClientNotification::Cancelled(params) => {
            if let Some(id) = &params.request_id {
                tracing::debug!(
                    ?id,
                    reason = params.reason.as_deref().map(|reason| excerpt(reason).to_string()),
                    "the client cancelled a request"
                );
                session.cancel(id);
            }
        }
        _ => {}
    }
}

/// Handles the client's response to a server request.
pub(crate) fn response(
    endpoint: &Endpoint,
    parts: &Parts,
    id: Option<&RequestId>,
    outcome: Result<RawJson, Error>,
) -> Response<Body> {
    match find_scope(endpoint, parts) {
        Ok(scope) => {
            scope.deliver_response(endpoint, parts.extensions.get(), id, outcome);
            reply::accepted()
        }
        Err(response) => *response,
    }
}

/// Handles DELETE: ends a session.
pub(crate) async fn delete(endpoint: &Endpoint, parts: &Parts) -> Response<Body> {
    if endpoint.options.stateless || modern::is_declared(&parts.headers) {
        return reply::method_not_allowed("POST");
    }
    match find_scope(endpoint, parts) {
        Ok(LegacyScope::Session(session)) => {
            endpoint.legacy.sessions.end(&session);
            endpoint.legacy.purge_events([Arc::clone(&session)]).await;
            reply::status(StatusCode::NO_CONTENT)
        }
        Ok(LegacyScope::Stateless(..)) => reply::method_not_allowed("POST"),
        Err(response) => *response,
    }
}
