//! The ways in which a test's client speaks with the server.

use ferromcp_core::Revision;

/// How a test's client speaks with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// It is asked in the middle of its calls, at this handshake revision.
    Live(Revision),
    /// Its calls are answered with questions, and it calls again with all the answers (2026-07-28).
    Rounds,
    /// The same, but it gives one answer at a time, so that the handler runs as often as there are questions.
    OneByOne,
}

impl Way {
    /// All of them: live at the newest handshake revision, which is what the others are held against, and in rounds.
    pub const ALL: [Self; 3] = [Self::Live(Revision::LATEST_LEGACY), Self::Rounds, Self::OneByOne];

    /// The revision that is spoken.
    pub fn revision(self) -> Revision {
        match self {
            Self::Live(revision) => revision,
            Self::Rounds | Self::OneByOne => Revision::LATEST,
        }
    }
}
