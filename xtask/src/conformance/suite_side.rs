//! The side of the connection that the suite tests.

/// The side of the connection that the suite tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SuiteSide {
    Server,
    Client,
}

impl SuiteSide {
    /// Returns the name in the lists and commands of the suite.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }

    /// Returns the prefix of the result folders.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Server => "server-",
            Self::Client => "",
        }
    }
}
