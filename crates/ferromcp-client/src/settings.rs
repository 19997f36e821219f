//! What a client is built with.

use ferromcp_core::model::{ClientCapabilities, Implementation, LogLevel};
use ferromcp_core::{Era, RawJson, RawMap, Revision};

use crate::handler::Handlers;
use crate::limits::ClientLimits;
use crate::verdict::Verdict;

/// Which revisions are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pin {
    /// Whatever the server speaks.
    Any,
    Era(Era),
    Revision(Revision),
}

impl Pin {
    /// Whether `revision` may be spoken.
    pub(crate) fn allows(self, revision: Revision) -> bool {
        match self {
            Self::Any => true,
            Self::Era(era) => revision.era() == era,
            Self::Revision(only) => revision == only,
        }
    }

    /// The newest revision of `era` that may be spoken and is among `offered`, if those are known.
    pub(crate) fn newest(self, era: Era, offered: Option<&[String]>) -> Option<Revision> {
        let offers =
            |revision: &Revision| offered.is_none_or(|names| names.iter().any(|name| name == revision.as_str()));
        Revision::ALL
            .into_iter()
            .rev()
            .find(|revision| revision.era() == era && self.allows(*revision) && offers(revision))
    }
}

/// The settings of a client.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) info: Implementation,
    /// The same, as each modern request carries it.
    pub(crate) info_json: RawJson,
    pub(crate) extensions: RawMap,
    pub(crate) limits: ClientLimits,
    pub(crate) pin: Pin,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) log_level: Option<LogLevel>,
    /// Whether results are held against the output schemas of their tools.
    pub(crate) checks_output: bool,
}

impl Settings {
    pub(crate) fn new(info: Implementation) -> Self {
        let info_json = RawJson::new(&info).unwrap_or_else(|_| RawJson::empty_object()); // names and texts are JSON
        Self {
            info,
            info_json,
            extensions: RawMap::new(),
            limits: ClientLimits::default(),
            pin: Pin::Any,
            verdict: None,
            log_level: None,
            checks_output: true,
        }
    }

    /// What the client can do, as a server of `revision` is told.
    pub(crate) fn capabilities(&self, handlers: &Handlers, revision: Revision) -> ClientCapabilities {
        let mut capabilities = ClientCapabilities::default();
        handlers.declare(&mut capabilities, revision);
        capabilities.extensions = self.extensions.clone();
        capabilities
    }
}
