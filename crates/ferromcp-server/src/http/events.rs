//! The events of sessions, kept so that a stream which was cut can be resumed.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

mod kept;
mod memory;

use std::fmt;

use bytes::Bytes;

pub use memory::MemoryEvents;

pub use crate::asks::state::StoreFuture;

/// Which stream of which session.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamKey<'a> {
    /// The session's id.
    pub session: &'a str,
    /// The stream's number in its session.
    pub stream: u64,
}

impl fmt::Debug for StreamKey<'_> {
    /// Without the session's id, which is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamKey").field("stream", &self.stream).finish_non_exhaustive()
    }
}

/// What a store has of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// The events after the one asked for, in order, with their numbers; none is missing.
    Events {
        /// Number and data of each.
        events: Vec<(u64, Bytes)>,
        /// Whether the stream has ended with the last of them.
        ended: bool,
    },
    /// The stream is not known, or some of the events asked for are gone.
    Lost,
}

/// Keeps the events of streams. Events of a stream are numbered from 1 on without gaps.
///
/// A session is served by the process that began it, so a store outside of that is for its memory alone.
pub trait EventStore: Send + Sync + 'static {
    /// Keeps an event.
    fn append<'a>(&'a self, key: StreamKey<'a>, number: u64, data: Bytes) -> StoreFuture<'a, ()>;

    /// Notes that the stream has no more events.
    fn end<'a>(&'a self, key: StreamKey<'a>) -> StoreFuture<'a, ()>;

    /// The events of a stream after number `after`; 0 asks for all.
    fn replay<'a>(&'a self, key: StreamKey<'a>, after: u64) -> StoreFuture<'a, Replay>;

    /// Forgets all streams of a session.
    fn forget<'a>(&'a self, session: &'a str) -> StoreFuture<'a, ()>;
}
