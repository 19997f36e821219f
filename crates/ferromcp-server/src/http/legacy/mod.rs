//! The handshake revisions over HTTP: sessions, GET streams, resumption, batches, and the HTTP+SSE transport.
//!
//! The rest of `http` uses only the items re-exported here.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http>.

mod batch;
mod event_id;
mod event_stream;
mod events;
mod get;
pub(crate) mod http_sse;
mod messages;
mod questions;
mod response_stream;
mod scope;
mod session;
mod session_expiry;
mod session_scopes;
mod session_source;
mod sessions;
mod sse_messages;
mod sse_sessions;
mod state;
mod stateless_session_id;

pub(crate) use batch::batch;
pub use events::{EventReplay, EventStore, MemoryEventStore, StreamKey};
pub(crate) use get::get;
pub(crate) use messages::{admit, delete, initialize, notification, response};
pub(crate) use questions::QuestionChannel;
pub(crate) use response_stream::drive;
pub(crate) use session::{HttpSession, SessionCalls};
pub(crate) use state::LegacyState;
