//! The session, or the stateless endpoint, that a legacy message belongs to.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use std::sync::Arc;

use ferromcp_core::header::field::lower;
use ferromcp_core::model::ClientCapabilities;
use ferromcp_core::{ClientRequest, Error, Identity, RawJson, RequestId, Revision};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Response, StatusCode};

use super::session::{SessionCalls, SessionGuard};
use super::stateless_session_id::EncodedCapabilities;
use crate::call::{Extensions, Peer};
use crate::era;
use crate::era::legacy::stateless_peer;
use crate::http::accept::Accepts;
use crate::http::body::Body;
use crate::http::endpoint::Endpoint;
use crate::http::modern::PROTOCOL_VERSION;
use crate::http::reply;
use crate::http::respond::ResponseMode;
use crate::peer::Caller;
use crate::pending_requests::Responder;
use crate::principal::Principal;

/// `Mcp-Session-Id`, parsed once.
pub(super) static SESSION_ID: HeaderName = HeaderName::from_static(lower::SESSION_ID);

/// The scope of a legacy message.
pub(crate) enum LegacyScope {
    /// A session.
    Session(SessionGuard),
    /// A stateless endpoint: the revision of the client, and its capabilities as far as the session id encodes them.
    Stateless(Revision, Option<Arc<ClientCapabilities>>),
}

impl LegacyScope {
    pub(super) fn revision(&self) -> Revision {
        match self {
            Self::Session(session) => session.revision(),
            Self::Stateless(revision, _) => *revision,
        }
    }

    /// Validates a request and returns its peer.
    ///
    /// # Errors
    /// If the revision does not define the method, or the session does not allow it yet.
    pub(super) fn peer(&self, request: &ClientRequest, caller: &Caller) -> Result<Peer, Error> {
        let peer = match self {
            Self::Session(session) => session.negotiated().admit(request),
            Self::Stateless(revision, capabilities) => {
                stateless_peer(request, *revision).map(|peer| match capabilities {
                    Some(capabilities) => peer.with_capabilities(Arc::clone(capabilities)),
                    None => peer,
                })
            }
        }?;
        Ok(peer.called_by(caller))
    }

    /// Returns the session, if there is one.
    pub(super) fn session(&self) -> Option<&SessionGuard> {
        match self {
            Self::Session(session) => Some(session),
            Self::Stateless(..) => None,
        }
    }

    /// Delivers the client's response to a server request.
    pub(super) fn deliver_response(
        &self,
        endpoint: &Endpoint,
        identity: Option<&Identity>,
        id: Option<&RequestId>,
        outcome: Result<RawJson, Error>,
    ) {
        let session = self.session().map(|session| Arc::clone(&session.id));
        endpoint.legacy.questions.resolve(id, outcome, &Responder { identity: identity.cloned(), session });
    }

    /// Records the scopes of a request in the session, whose stored events may depend on them.
    pub(super) fn record_scopes(&self, endpoint: &Endpoint, principal: Option<&Principal>) {
        if let Some(session) = self.session().filter(|_| endpoint.options.events.is_some()) {
            session.scopes.add(principal);
        }
    }

    /// Returns whether a request with this id is in flight in the session.
    pub(super) fn is_in_flight(&self, id: &RequestId) -> bool {
        matches!(self, Self::Session(session) if session.is_in_flight(id))
    }

    /// Checks that the session may start one more call, in addition to `starting` calls that are about to start.
    ///
    /// # Errors
    /// -32603 naming the limit.
    pub(super) fn check_in_flight(&self, endpoint: &Endpoint, starting: usize) -> Result<(), Error> {
        let limit = endpoint.inner.limits.in_flight;
        match self {
            Self::Session(session) if session.in_flight() + starting >= limit => Err(era::too_many_calls(limit)),
            _ => Ok(()),
        }
    }

    /// Returns how to respond to a request of this scope.
    pub(super) fn response_mode(self, accepts: Accepts, extensions: Extensions) -> ResponseMode {
        let supports_reconnect = self.session().is_some() && self.revision() == Revision::V2025_11_25;
        let session = match self {
            Self::Session(session) => Some(SessionCalls::new(session)),
            Self::Stateless(..) => None,
        };
        ResponseMode { accepts, session, extensions, detach_on_disconnect: true, supports_reconnect }
    }
}

/// Returns the scope of a message other than `initialize`.
///
/// # Errors
/// The response to send: 400 if the session id is missing, or the revision is not supported or not the negotiated one;
/// 404 if the session has ended.
pub(super) fn find_scope(endpoint: &Endpoint, parts: &Parts) -> Result<LegacyScope, Box<Response<Body>>> {
    let declared = revision(&parts.headers)?;
    if endpoint.options.stateless {
        // Without a header, it is 2025-03-26: later revisions require one.
        let id = parts.headers.get(&SESSION_ID).and_then(|id| id.to_str().ok());
        let encoded = id.and_then(EncodedCapabilities::decode);
        let revision = declared.or(encoded.as_ref().map(|it| it.revision)).unwrap_or(Revision::V2025_03_26);
        return Ok(LegacyScope::Stateless(revision, encoded.map(|it| Arc::new(it.capabilities))));
    }
    match find_session(endpoint, parts)? {
        Some(session) => match declared.filter(|declared| *declared != session.revision()) {
            Some(declared) => {
                let why = format!(
                    "Bad request: the MCP-Protocol-Version header is {declared}, but the session has negotiated {}",
                    session.revision()
                );
                Err(rejected(StatusCode::BAD_REQUEST, &why))
            }
            None => Ok(LegacyScope::Session(session)),
        },
        None => Err(rejected(
            StatusCode::BAD_REQUEST,
            "Bad request: missing Mcp-Session-Id header; send `initialize` to get one",
        )),
    }
}

/// Returns the session that the request names, or `None` if it names none.
///
/// # Errors
/// The response to send: 404 if the session is unknown, has ended, or belongs to another identity; 400 if the header is
/// repeated.
pub(super) fn find_session(endpoint: &Endpoint, parts: &Parts) -> Result<Option<SessionGuard>, Box<Response<Body>>> {
    let mut ids = parts.headers.get_all(&SESSION_ID).iter();
    let Some(id) = ids.next() else { return Ok(None) };
    if ids.next().is_some() {
        return Err(rejected(StatusCode::BAD_REQUEST, "Bad request: repeated Mcp-Session-Id header; send it once"));
    }
    let identity = parts.extensions.get::<Identity>();
    match id.to_str().ok().and_then(|id| endpoint.legacy.sessions.find(id, identity)) {
        Some(session) => Ok(Some(session)),
        None => {
            Err(rejected(StatusCode::NOT_FOUND, "Session not found or expired; send `initialize` to start a new one"))
        }
    }
}

/// Returns the revision in the `MCP-Protocol-Version` header, if there is one.
fn revision(headers: &HeaderMap) -> Result<Option<Revision>, Box<Response<Body>>> {
    let mut values = headers.get_all(&PROTOCOL_VERSION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let known = value.to_str().ok().and_then(|name| Revision::parse(name.trim())).filter(|it| !it.is_modern());
    match known {
        Some(revision) if values.next().is_none() => Ok(Some(revision)),
        _ => Err(rejected(
            StatusCode::BAD_REQUEST,
            "Bad request: the MCP-Protocol-Version header does not name a supported revision with sessions",
        )),
    }
}

fn rejected(status: StatusCode, why: &str) -> Box<Response<Body>> {
    Box::new(reply::error(status, Error::invalid_request(why), None, Revision::LATEST_LEGACY))
}
