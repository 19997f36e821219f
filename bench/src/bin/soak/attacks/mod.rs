//! Hostile traffic: each attack once succeeded against an endpoint.

mod bodies;
mod events;
mod initialize;
mod questions;
mod unread;

pub(crate) use self::client::ClientAttack;

pub(crate) mod client;

use std::sync::Arc;
use std::time::Duration;

use crate::process::Memory;
use crate::target::Target;

/// An attack on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attack {
    /// HTTP/2 clients that do not open the window for large responses.
    UnreadHttp2,
    /// HTTP/1.1 clients that do not read large responses.
    UnreadHttp1,
    /// HTTP/1.1 clients that do not complete their request bodies.
    BodiesHttp1,
    /// An HTTP/2 client that does not complete its request bodies.
    BodiesHttp2,
    /// Clients that disconnect when they are asked a question.
    Questions,
    /// Sessions of clients with large capabilities.
    LargeSessions,
    /// Many sessions from one connection.
    ManySessions,
    /// Streams with many progress notifications.
    Progress,
    /// Sessions with many events.
    Events,
}

/// An attack that runs.
pub(crate) struct Attacker {
    /// The server, from the address of the attacker.
    pub(crate) target: Target,
    /// The server, from the address of another client.
    pub(crate) other: Target,
    /// The memory of the server.
    pub(crate) memory: Arc<Memory>,
    /// How long connections stay open without progress.
    pub(crate) hold: Duration,
}

impl Attack {
    pub(crate) const ALL: [Self; 9] = [
        Self::UnreadHttp2,
        Self::UnreadHttp1,
        Self::BodiesHttp1,
        Self::BodiesHttp2,
        Self::Questions,
        Self::LargeSessions,
        Self::ManySessions,
        Self::Progress,
        Self::Events,
    ];

    /// The attacks of one round of the soak.
    pub(crate) const ROUND: [Self; 7] = [
        Self::UnreadHttp2,
        Self::BodiesHttp1,
        Self::Questions,
        Self::UnreadHttp1,
        Self::BodiesHttp2,
        Self::LargeSessions,
        Self::ManySessions,
    ];

    /// Returns the name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UnreadHttp2 => "unread-http2",
            Self::UnreadHttp1 => "unread-http1",
            Self::BodiesHttp1 => "bodies-http1",
            Self::BodiesHttp2 => "bodies-http2",
            Self::Questions => "questions",
            Self::LargeSessions => "large-sessions",
            Self::ManySessions => "many-sessions",
            Self::Progress => "progress",
            Self::Events => "events",
        }
    }

    /// Returns what the attack does.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::UnreadHttp2 => "4 HTTP/2 connections with a window of 0 and 250 requests each for 6 MB",
            Self::UnreadHttp1 => "400 HTTP/1.1 connections that do not read a response of 5 MB",
            Self::BodiesHttp1 => "250 HTTP/1.1 connections that do not complete a body of 4 MB",
            Self::BodiesHttp2 => "250 streams of an HTTP/2 connection that do not complete a body of 4 MB",
            Self::Questions => "4,096 elicitations in 4 sessions whose clients disconnect",
            Self::LargeSessions => "200 sessions with capabilities of 3.6 MB",
            Self::ManySessions => "11,000 pipelined `initialize` on one connection",
            Self::Progress => "100 rounds of 16 streams with 100 progress notifications",
            Self::Events => "100 sessions with 3,000 events each",
        }
    }

    /// Runs the attack. Returns what the attacker observed.
    pub(crate) async fn run(self, attacker: &Attacker) -> anyhow::Result<String> {
        match self {
            Self::UnreadHttp2 => unread::http2(attacker).await,
            Self::UnreadHttp1 => unread::http1(attacker).await,
            Self::BodiesHttp1 => bodies::http1(attacker).await,
            Self::BodiesHttp2 => bodies::http2(attacker).await,
            Self::Questions => questions::run(attacker).await,
            Self::LargeSessions => initialize::large(attacker).await,
            Self::ManySessions => initialize::many(attacker).await,
            Self::Progress => events::progress(attacker).await,
            Self::Events => events::fill(attacker).await,
        }
    }
}
