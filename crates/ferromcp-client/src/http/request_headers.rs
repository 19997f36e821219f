//! MCP headers of a request: revision, session, and the members of the body that 2026-07-28 mirrors.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#standard-request-headers>.

use std::fmt;

use ferromcp_core::header::field::lower;
use ferromcp_core::header::{Annotation, HeaderError, HeaderMismatch, MismatchReason, encode, field, mirror, name_of};
use ferromcp_core::{ClientRequest, Era, Revision};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::legacy::{SessionId, has_version_header};

const SESSION_ID: HeaderName = HeaderName::from_static(lower::SESSION_ID);
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static(lower::PROTOCOL_VERSION);
const METHOD: HeaderName = HeaderName::from_static(lower::METHOD);
const NAME: HeaderName = HeaderName::from_static(lower::NAME);

/// The MCP headers of a message.
#[derive(Clone)]
pub(super) struct RequestHeaders {
    era: Era,
    revision: Option<HeaderValue>,
    session: Option<SessionId>,
    /// Headers mirrored from the body.
    mirrored: HeaderMap,
}

impl RequestHeaders {
    /// Creates the headers of `initialize`, which has neither revision nor session.
    pub(super) fn initialize() -> Self {
        Self { era: Era::Legacy, revision: None, session: None, mirrored: HeaderMap::new() }
    }

    /// Creates the headers of legacy messages after `initialize`: the negotiated revision and the session, if any.
    pub(super) fn legacy(revision: Revision, session: Option<SessionId>) -> Self {
        let revision = has_version_header(revision).then(|| HeaderValue::from_static(revision.as_str()));
        Self { revision, session, ..Self::initialize() }
    }

    /// Creates the headers of a request of 2026-07-28 or later: revision, method, name, and the arguments of a tool call
    /// that its schema annotates with `x-mcp-header` (see [`scan`]).
    ///
    /// # Errors
    /// Fails if an argument cannot be mirrored, such as an integer beyond ±(2^53 - 1). The call must not be sent then.
    ///
    /// [`scan`]: ferromcp_core::header::scan
    pub(super) fn modern(
        revision: Revision,
        request: &ClientRequest,
        annotations: &[Annotation],
    ) -> Result<Self, HeaderMismatch> {
        let mut mirrored = HeaderMap::new();
        mirrored.insert(METHOD, value(field::METHOD, request.method())?);
        if let Some(name) = name_of(request) {
            mirrored.insert(NAME, value(field::NAME, &encode(name))?);
        }
        if let ClientRequest::CallTool(params) = request {
            for (header, text) in mirror(annotations, params.arguments.as_ref())? {
                let name = HeaderName::from_bytes(header.as_bytes()).map_err(|_| unsendable(header))?;
                mirrored.insert(name, value(header, &text)?);
            }
        }
        let revision = Some(HeaderValue::from_static(revision.as_str()));
        Ok(Self { era: Era::Modern, revision, session: None, mirrored })
    }

    /// Returns whether the revision has sessions and resumable streams.
    pub(super) fn is_legacy(&self) -> bool {
        self.era == Era::Legacy
    }

    pub(super) fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    /// Returns the headers with the session set.
    pub(super) fn within(mut self, session: Option<SessionId>) -> Self {
        self.session = session.or(self.session);
        self
    }

    /// Returns the headers common to all requests of a session.
    pub(super) fn common(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(revision) = &self.revision {
            headers.insert(PROTOCOL_VERSION, revision.clone());
        }
        if let Some(session) = &self.session {
            headers.insert(SESSION_ID, session.header());
        }
        headers
    }

    /// Returns the headers of the POST of the message.
    pub(super) fn for_post(&self) -> HeaderMap {
        let mut headers = self.common();
        headers.extend(self.mirrored.clone());
        headers
    }
}

impl fmt::Debug for RequestHeaders {
    /// Omits the values mirrored from the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHeaders")
            .field("revision", &self.revision)
            .field("session", &self.session.is_some())
            .field("mirrored", &self.mirrored.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

fn value(header: &str, text: &str) -> Result<HeaderValue, HeaderMismatch> {
    let mut value = HeaderValue::from_str(text).map_err(|_| unsendable(header))?;
    value.set_sensitive(header != field::METHOD); // arguments may be confidential
    Ok(value)
}

fn unsendable(header: &str) -> HeaderMismatch {
    HeaderMismatch::new(header, MismatchReason::Invalid(HeaderError::Character))
}
