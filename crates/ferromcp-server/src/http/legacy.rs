//! Messages of the legacy era over HTTP: each belongs to a session, unless the endpoint keeps none.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http>.

use std::sync::Arc;

use ferromcp_core::model::ClientCapabilities;
use ferromcp_core::{ClientNotification, ClientRequest, Error, Identity, RawJson, RequestId, Revision};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::accept::Accepts;
use super::body::Body;
use super::endpoint::{Endpoint, Place};
use super::respond::Manner;
use super::session::Busy;
use super::sessions::Added;
use super::told::Told;
use super::work::encoded;
use super::{fields, modern, reply};
use crate::asks::live::Asked;
use crate::call::{Call, Extensions, Peer, Reply};
use crate::dispatch;
use crate::era;
use crate::era::legacy::{Session, stateless_peer};
use crate::random;

/// What a message belongs to.
pub(crate) enum Belongs {
    /// A session.
    Session(Busy),
    /// Nothing: the endpoint is stateless. The revision its client speaks, and what it can do, as far as it says so.
    Nothing(Revision, Option<Arc<ClientCapabilities>>),
}

impl Belongs {
    pub(crate) fn revision(&self) -> Revision {
        match self {
            Self::Session(session) => session.revision(),
            Self::Nothing(revision, _) => *revision,
        }
    }

    pub(crate) fn peer(&self, request: &ClientRequest, identity: Option<&Identity>) -> Result<Peer, Error> {
        let peer = match self {
            Self::Session(session) => session.agreed().admit(request),
            Self::Nothing(revision, told) => stateless_peer(request, *revision).map(|peer| match told {
                Some(capabilities) => peer.with_capabilities(Arc::clone(capabilities)),
                None => peer,
            }),
        }?;
        Ok(peer.identified(identity))
    }

    /// The session, if it is one.
    pub(crate) fn session(&self) -> Option<&Busy> {
        match self {
            Self::Session(session) => Some(session),
            Self::Nothing(..) => None,
        }
    }

    /// Takes the answer to a question that the server asked.
    pub(crate) fn answers(
        &self,
        endpoint: &Endpoint,
        identity: Option<&Identity>,
        id: Option<&RequestId>,
        outcome: Result<RawJson, Error>,
    ) {
        let session = self.session().map(|session| Arc::clone(&session.id));
        endpoint.questions.answer(id, outcome, &Asked { identity: identity.cloned(), session });
    }

    pub(crate) fn is_under_way(&self, id: &RequestId) -> bool {
        matches!(self, Self::Session(session) if session.is_under_way(id))
    }

    /// Whether its client may have one more call under way beside `more` that are about to begin.
    ///
    /// # Errors
    /// -32603 naming the limit.
    pub(crate) fn has_room(&self, endpoint: &Endpoint, more: usize) -> Result<(), Error> {
        let limit = endpoint.inner.limits.in_flight;
        match self {
            Self::Session(session) if session.under_way() + more >= limit => Err(era::too_many_calls(limit)),
            _ => Ok(()),
        }
    }

    pub(crate) fn manner(self, accepts: Accepts, extensions: Extensions) -> Manner {
        let polls = self.revision() == Revision::V2025_11_25;
        match self {
            Self::Session(session) => Manner { accepts, session: Some(session), extensions, survives: true, polls },
            Self::Nothing(..) => Manner { accepts, session: None, extensions, survives: true, polls: false },
        }
    }
}

/// What a message other than `initialize` belongs to.
///
/// # Errors
/// With the response: 400 without a session id or with a revision that is not spoken, 404 for a session that is over.
pub(crate) fn belongs(endpoint: &Endpoint, parts: &Parts) -> Result<Belongs, Box<Response<Body>>> {
    let named = revision(&parts.headers)?;
    if endpoint.options.stateless {
        // A client that does not say is one from before there was a header to say it in.
        let id = parts.headers.get(&fields::SESSION_ID).and_then(|id| id.to_str().ok());
        let told = id.and_then(Told::read);
        let revision = named.or(told.as_ref().map(|told| told.revision)).unwrap_or(Revision::V2025_03_26);
        return Ok(Belongs::Nothing(revision, told.map(|told| Arc::new(told.capabilities))));
    }
    match session(endpoint, parts)? {
        Some(session) => Ok(Belongs::Session(session)),
        None => Err(refused(
            StatusCode::BAD_REQUEST,
            "Bad request: the header Mcp-Session-Id is missing; `initialize` gives one",
        )),
    }
}

/// The session that the request names; `None` if it names none.
///
/// # Errors
/// 404 when it is over, never was, or is somebody else's; 400 when there are two.
pub(crate) fn session(endpoint: &Endpoint, parts: &Parts) -> Result<Option<Busy>, Box<Response<Body>>> {
    let mut ids = parts.headers.get_all(&fields::SESSION_ID).iter();
    let Some(id) = ids.next() else { return Ok(None) };
    if ids.next().is_some() {
        return Err(refused(StatusCode::BAD_REQUEST, "Bad request: the header Mcp-Session-Id is there more than once"));
    }
    let identity = parts.extensions.get::<Identity>();
    match id.to_str().ok().and_then(|id| endpoint.sessions.find(id, identity)) {
        Some(session) => Ok(Some(session)),
        None => Err(refused(StatusCode::NOT_FOUND, "Session not found: it is over; begin another with `initialize`")),
    }
}

/// The revision that the header names, where there is one.
fn revision(headers: &HeaderMap) -> Result<Option<Revision>, Box<Response<Body>>> {
    let mut values = headers.get_all(&fields::PROTOCOL_VERSION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let known = value.to_str().ok().and_then(|name| Revision::parse(name.trim())).filter(|it| !it.is_modern());
    match known {
        Some(revision) if values.next().is_none() => Ok(Some(revision)),
        _ => Err(refused(
            StatusCode::BAD_REQUEST,
            "Bad request: the header MCP-Protocol-Version names no revision of sessions that is spoken here",
        )),
    }
}

fn refused(status: StatusCode, why: &str) -> Box<Response<Body>> {
    Box::new(reply::error(status, Error::invalid_request(why), None, Revision::LATEST_LEGACY))
}

/// The peer of a request other than `initialize`, and how it is answered.
///
/// # Errors
/// With the response, when it belongs to nothing, its id is in use, or its revision does not have the method.
pub(crate) fn admit(
    endpoint: &Endpoint,
    parts: &Parts,
    accepts: Accepts,
    id: &RequestId,
    request: &ClientRequest,
) -> Result<(Peer, Manner), Box<Response<Body>>> {
    let belongs = belongs(endpoint, parts)?;
    if belongs.is_under_way(id) {
        return Err(Box::new(reply::error(StatusCode::BAD_REQUEST, era::id_in_use(id), Some(id), belongs.revision())));
    }
    match belongs.has_room(endpoint, 0).and_then(|()| belongs.peer(request, parts.extensions.get())) {
        Ok(peer) => Ok((peer, belongs.manner(accepts, endpoint.shown(parts)))),
        Err(error) => Err(Box::new(reply::error(StatusCode::OK, error, Some(id), belongs.revision()))),
    }
}

/// Begins a session, and gives its id with the answer.
pub(crate) async fn initialize(
    endpoint: &Arc<Endpoint>,
    parts: &Parts,
    id: RequestId,
    request: ClientRequest,
) -> Response<Body> {
    let stateless = endpoint.options.stateless;
    // Where there are no sessions, an id from another time says nothing.
    match if stateless { Ok(None) } else { session(endpoint, parts) } {
        Err(response) => return *response,
        Ok(Some(session)) => {
            let error = Error::invalid_request("Invalid request: this session is initialized already");
            return reply::error(StatusCode::BAD_REQUEST, error, Some(&id), session.revision());
        }
        Ok(None) => {}
    }
    let Some(_permit) = endpoint.permit(Place::Call) else { return reply::full(endpoint, Place::Call) };
    let identity = parts.extensions.get::<Identity>().cloned();
    let mut agreed = if stateless { Session::default() } else { Session::hearing(Arc::clone(&endpoint.inner.hub)) };
    let peer = match agreed.admit(&request) {
        Ok(peer) => peer.identified(identity.as_ref()),
        Err(error) => return reply::error(StatusCode::OK, error, Some(&id), Revision::LATEST_LEGACY),
    };
    let revision = peer.revision();
    let told = if stateless { Told::of(revision, peer.capabilities()) } else { None };
    let mut call = Call::new(request, peer).id(id.clone());
    call.extensions = endpoint.shown(parts);
    let reply = dispatch::run(&endpoint.inner, call).await;
    let begins = !stateless && matches!(reply, Reply::Done(_));
    let mut response = reply::json(encoded(&endpoint.inner, &id, reply, revision));
    if let Some(told) = told {
        let id = random::id().ok().and_then(|random| HeaderValue::from_str(&told.id(&random)).ok());
        id.map(|id| response.headers_mut().insert(&fields::SESSION_ID, id));
    }
    if begins {
        let session = match endpoint.sessions.add(identity, agreed) {
            Ok(Some(Added { session, ended })) => {
                endpoint.forget(ended).await;
                session
            }
            Ok(None) => return reply::busy("Too many sessions; `HttpLimits::sessions` sets how many"),
            Err(error) => {
                tracing::error!(%error, "no random numbers for a session's id");
                return reply::busy("No session can be made");
            }
        };
        endpoint.sweep();
        if let Ok(id) = HeaderValue::from_str(&session.id) {
            response.headers_mut().insert(&fields::SESSION_ID, id);
        }
    }
    response
}

/// Takes a notification.
pub(crate) fn notification(endpoint: &Endpoint, parts: &Parts, notification: &ClientNotification) -> Response<Body> {
    if modern::is_meant(&parts.headers) {
        return reply::accepted(); // there it says nothing: closing the response cancels
    }
    match belongs(endpoint, parts) {
        Ok(belongs) => {
            notice(&belongs, notification);
            reply::accepted()
        }
        Err(response) => *response,
    }
}

/// Does what a notification of a session says.
pub(crate) fn notice(belongs: &Belongs, notification: &ClientNotification) {
    let Belongs::Session(session) = belongs else { return };
    match notification {
        ClientNotification::Initialized(_) => session.initialized(),
        ClientNotification::Cancelled(params) => {
            if let Some(id) = &params.request_id {
                tracing::debug!(?id, reason = params.reason.as_deref(), "a call was cancelled");
                session.cancel(id);
            }
        }
        _ => {}
    }
}

/// Takes a response to something the server asked.
pub(crate) fn response(
    endpoint: &Endpoint,
    parts: &Parts,
    id: Option<&RequestId>,
    outcome: Result<RawJson, Error>,
) -> Response<Body> {
    if modern::is_meant(&parts.headers) {
        return reply::refuse(
            StatusCode::BAD_REQUEST,
            "Invalid request: nothing was asked that a response could answer",
        );
    }
    match belongs(endpoint, parts) {
        Ok(belongs) => {
            belongs.answers(endpoint, parts.extensions.get(), id, outcome);
            reply::accepted()
        }
        Err(response) => *response,
    }
}
