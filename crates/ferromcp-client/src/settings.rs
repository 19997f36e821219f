//! Settings of a client.

use ferromcp_core::model::{ClientCapabilities, Implementation, LogLevel};
use ferromcp_core::{Era, RawJson, RawMap, Revision};

use crate::handler::Handlers;
use crate::limits::ClientLimits;
use crate::negotiated::Negotiated;

/// Restricts the protocol revisions that the client negotiates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionPolicy {
    /// Any supported revision.
    Any,
    Era(Era),
    Revision(Revision),
}

impl VersionPolicy {
    /// Returns whether `revision` is allowed.
    pub(crate) fn allows(self, revision: Revision) -> bool {
        match self {
            Self::Any => true,
            Self::Era(era) => revision.era() == era,
            Self::Revision(only) => revision == only,
        }
    }

    /// Returns the newest allowed revision of `era` that is in `offered`, if that is known.
    pub(crate) fn newest(self, era: Era, offered: Option<&[String]>) -> Option<Revision> {
        let is_offered =
            |revision: &Revision| offered.is_none_or(|names| names.iter().any(|name| name == revision.as_str()));
        Revision::ALL
            .into_iter()
            .rev()
            .find(|revision| revision.era() == era && self.allows(*revision) && is_offered(revision))
    }
}

/// The settings of a client.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) info: Implementation,
    /// `info` as JSON, included in each modern request.
    pub(crate) info_json: RawJson,
    pub(crate) extensions: RawMap,
    pub(crate) limits: ClientLimits,
    pub(crate) version_policy: VersionPolicy,
    pub(crate) negotiated: Option<Negotiated>,
    pub(crate) log_level: Option<LogLevel>,
    /// Whether structured results are validated against the output schemas of their tools.
    pub(crate) validate_output: bool,
}

impl Settings {
    pub(crate) fn new(info: Implementation) -> Self {
        let info_json = RawJson::new(&info).unwrap_or_else(|_| RawJson::empty_object()); // strings always serialize
        Self {
            info,
            info_json,
            extensions: RawMap::new(),
            limits: ClientLimits::default(),
            version_policy: VersionPolicy::Any,
            negotiated: None,
            log_level: None,
            validate_output: true,
        }
    }

    /// Returns the client capabilities to declare to a server of `revision`.
    pub(crate) fn capabilities(&self, handlers: &Handlers, revision: Revision) -> ClientCapabilities {
        let mut capabilities = ClientCapabilities::default();
        handlers.declare_capabilities(&mut capabilities, revision);
        capabilities.extensions = self.extensions.clone();
        capabilities
    }
}
