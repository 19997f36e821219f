//! HTTP: Streamable HTTP for every revision on one endpoint, and the old HTTP+SSE beside it.
//!
//! A request is answered inside the future of its connection: no task, no channel. The response is
//! JSON until a handler says something before its answer; then it becomes a stream of events.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

mod accept;
mod batch;
mod body;
mod clock;
mod conversations;
mod cors;
mod endpoint;
mod event_body;
mod event_id;
mod event_stream;
mod events;
mod exchange;
mod fields;
mod get;
mod guard;
mod http_sse;
mod legacy;
mod limits;
mod modern;
mod options;
mod out;
mod post;
mod read;
mod reply;
mod respond;
mod service;
mod serving;
mod session;
mod sessions;
mod sink;
mod told;
mod work;

pub use body::Body;
pub use events::{EventStore, MemoryEvents, Replay, StoreFuture, StreamKey};
pub use guard::ClientAddr;
pub use limits::HttpLimits;
pub use options::HttpOptions;
pub use service::HttpService;
pub use serving::{Fallback, Http, Listener, NotFound, Tcp, http, http_on};
#[cfg(unix)]
pub use serving::{Unix, http_unix};
