//! What a request says in its headers: the revision, the session, and what 2026-07-28 repeats from the body.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#standard-request-headers>.

use std::fmt;

use ferromcp_core::header::field::lower;
use ferromcp_core::header::{Annotation, HeaderError, HeaderMismatch, MismatchReason, encode, field, mirror, name_of};
use ferromcp_core::{ClientRequest, Era, Revision};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::legacy::SessionId;

const SESSION_ID: HeaderName = HeaderName::from_static(lower::SESSION_ID);
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static(lower::PROTOCOL_VERSION);
const METHOD: HeaderName = HeaderName::from_static(lower::METHOD);
const NAME: HeaderName = HeaderName::from_static(lower::NAME);

/// The headers of MCP that go with a message.
#[derive(Clone)]
pub struct RequestHeaders {
    era: Era,
    revision: Option<HeaderValue>,
    session: Option<SessionId>,
    /// What is said again from the body.
    repeated: HeaderMap,
}

impl RequestHeaders {
    /// For `initialize`, which has nothing to say yet: neither revision nor session are agreed on.
    pub fn initialize() -> Self {
        Self { era: Era::Legacy, revision: None, session: None, repeated: HeaderMap::new() }
    }

    /// For whatever follows `initialize`: with the revision agreed on, and the session if the server gave one.
    pub fn legacy(revision: Revision, session: Option<SessionId>) -> Self {
        // Older revisions do not know the header.
        let named = revision >= Revision::V2025_06_18;
        let revision = named.then(|| HeaderValue::from_static(revision.as_str()));
        Self { revision, session, ..Self::initialize() }
    }

    /// For a request of 2026-07-28 on: the revision, its method, what it is about, and the arguments of a call that
    /// the tool's schema wants repeated ([`scan`] finds them).
    ///
    /// # Errors
    /// When an argument cannot be repeated, such as an integer beyond ±(2^53 - 1): the call must not be sent then.
    ///
    /// [`scan`]: ferromcp_core::header::scan
    pub fn modern(revision: Revision, request: &ClientRequest, annotations: &[Annotation]) -> Result<Self, HeaderMismatch> {
        let mut repeated = HeaderMap::new();
        repeated.insert(METHOD, value(field::METHOD, request.method())?);
        if let Some(name) = name_of(request) {
            repeated.insert(NAME, value(field::NAME, &encode(name))?);
        }
        if let ClientRequest::CallTool(params) = request {
            for (header, text) in mirror(annotations, params.arguments.as_ref())? {
                let name = HeaderName::from_bytes(header.as_bytes()).map_err(|_| unsendable(header))?;
                repeated.insert(name, value(header, &text)?);
            }
        }
        let revision = Some(HeaderValue::from_static(revision.as_str()));
        Ok(Self { era: Era::Modern, revision, session: None, repeated })
    }

    /// Whether streams can be resumed and there may be a session.
    pub(super) fn is_legacy(&self) -> bool {
        self.era == Era::Legacy
    }

    pub(super) fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    /// The same within this session.
    pub(super) fn within(mut self, session: Option<SessionId>) -> Self {
        self.session = session.or(self.session);
        self
    }

    /// What stands on every request of the conversation.
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

    /// What stands on the POST of the message.
    pub(super) fn for_post(&self) -> HeaderMap {
        let mut headers = self.common();
        headers.extend(self.repeated.clone());
        headers
    }
}

impl fmt::Debug for RequestHeaders {
    /// Without what is repeated from the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHeaders")
            .field("revision", &self.revision)
            .field("session", &self.session.is_some())
            .field("repeated", &self.repeated.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

fn value(header: &str, text: &str) -> Result<HeaderValue, HeaderMismatch> {
    let mut value = HeaderValue::from_str(text).map_err(|_| unsendable(header))?;
    value.set_sensitive(header != field::METHOD); // arguments may be private
    Ok(value)
}

fn unsendable(header: &str) -> HeaderMismatch {
    HeaderMismatch::new(header, MismatchReason::Invalid(HeaderError::Character))
}
