//! Modes and capabilities of the test client.

use ferromcp_core::model::{ClientCapabilities, ElicitationCapability, ListChanged, SamplingCapability};
use ferromcp_core::{RawJson, Revision};

/// How a test client answers requests from the server (elicitation, sampling, roots).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientMode {
    /// Answers requests during the call, on this handshake revision.
    Live(Revision),
    /// Retries the call with all responses of a round (2026-07-28).
    Rounds,
    /// Retries the call with one response at a time, so that the handler runs once per question (2026-07-28).
    OneByOne,
}

impl ClientMode {
    /// All modes. The first, live on the newest handshake revision, is the reference for the others.
    pub const ALL: [Self; 3] = [Self::Live(Revision::LATEST_LEGACY), Self::Rounds, Self::OneByOne];

    /// Returns the protocol revision of this mode.
    pub fn revision(self) -> Revision {
        match self {
            Self::Live(revision) => revision,
            Self::Rounds | Self::OneByOne => Revision::LATEST,
        }
    }
}

/// Returns capabilities that declare elicitation (forms and URLs), sampling (tools and context) and roots.
pub fn all_capabilities() -> ClientCapabilities {
    let supported = RawJson::empty_object;
    ClientCapabilities::default()
        .elicitation(ElicitationCapability::default().form(supported()).url(supported()))
        .sampling(SamplingCapability::default().tools(supported()).context(supported()))
        .roots(ListChanged::default())
}
