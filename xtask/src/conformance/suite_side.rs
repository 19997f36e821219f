//! What the suite tests.

/// What the suite tests: one side of the connection, or an authorization server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SuiteSide {
    Server,
    Client,
    AuthorizationServer,
}

impl SuiteSide {
    /// Returns the name in the lists and commands of the suite.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::AuthorizationServer => "authorization",
        }
    }

    /// Returns the prefix of the result folders.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Server => "server-",
            Self::Client => "",
            Self::AuthorizationServer => "authorization-server-",
        }
    }
}
