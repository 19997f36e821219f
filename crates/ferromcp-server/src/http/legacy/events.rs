//! The event store: keeps the events of sessions, so that clients can resume streams.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

mod memory;
mod session_log;

use std::fmt;

use bytes::Bytes;

pub use memory::MemoryEventStore;

use crate::request_state::StoreFuture;

/// Identifies a stream of a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamKey<'a> {
    /// The session id.
    pub session: &'a str,
    /// The number of the stream in its session.
    pub stream: u64,
}

impl fmt::Debug for StreamKey<'_> {
    /// Omits the session id, which is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamKey").field("stream", &self.stream).finish_non_exhaustive()
    }
}

/// The result of [`EventStore::replay`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventReplay {
    /// All events after the requested one, in order and without gaps.
    Events {
        /// The number and the data of each event.
        events: Vec<(u64, Bytes)>,
        /// Whether the stream ended with the last of them.
        ended: bool,
    },
    /// The stream is unknown, or some of the requested events were evicted.
    Lost,
}

/// Stores the events of streams. The events of a stream are numbered from 1 without gaps.
///
/// A session is served by the process that started it. An external store saves the memory of that process, but does not
/// make sessions portable between processes.
pub trait EventStore: Send + Sync + 'static {
    /// Appends an event to a stream.
    fn append<'a>(&'a self, key: StreamKey<'a>, number: u64, data: Bytes) -> StoreFuture<'a, ()>;

    /// Marks a stream as ended: no events follow.
    fn end<'a>(&'a self, key: StreamKey<'a>) -> StoreFuture<'a, ()>;

    /// Returns the events of a stream after number `after`. 0 returns all of them.
    fn replay<'a>(&'a self, key: StreamKey<'a>, after: u64) -> StoreFuture<'a, EventReplay>;

    /// Removes all streams of a session.
    fn forget<'a>(&'a self, session: &'a str) -> StoreFuture<'a, ()>;
}
