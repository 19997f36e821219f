//! HTTP: Streamable HTTP for every revision on one endpoint, and the older HTTP+SSE transport.
//!
//! A request passes through `service` (`Host` and `Origin` validation, CORS, routing), `post` (parsing, selecting the
//! era), `modern` or `legacy` (header and session validation), `respond` (running the handler), and `reply` or
//! `event_body` (the response). The handler runs inside the future of its connection, so a request needs neither a
//! task nor a channel. The response is JSON unless the handler sends a message first; then it becomes an SSE stream.
//!
//! Sessions, GET streams, resumption, batches and HTTP+SSE exist in handshake revisions only; they are in `legacy`.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

mod accept;
mod authorization;
mod body;
mod body_budget;
mod byte_budget;
mod connection;
mod cors;
mod detached;
mod endpoint;
mod event_body;
mod event_buffer;
mod guard;
mod in_flight;
mod legacy;
mod limits;
mod modern;
mod options;
mod post;
mod received;
mod reply;
mod request_body;
mod respond;
mod send_state;
mod service;
mod serving;
mod sink;
mod unwritten;

pub use authorization::{AuthorizationFuture, HttpAuthorization, ScopeChallenge};
pub use body::Body;
pub use guard::ClientAddr;
#[doc(hidden)]
pub use guard::{client_address, client_network};
pub use legacy::{EventReplay, EventStore, MemoryEventStore, StreamKey};
pub use limits::HttpServerLimits;
pub use options::HttpServerOptions;
pub use service::HttpService;
pub use serving::{Fallback, Http, Listener, NotFound, Tcp, http, http_on};
#[cfg(unix)]
pub use serving::{HttpUnix, http_unix};
