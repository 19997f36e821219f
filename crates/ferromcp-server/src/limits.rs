//! [`ServerLimits`]: resource limits of a server for peers of every transport.

use std::time::Duration;

/// Maximum size of one tool's input or output schema, in bytes, because every client and its model read the schemas.
///
/// A tool with a larger schema is a build error of the server.
pub(crate) const MAX_SCHEMA_BYTES: usize = 256 << 10;

/// Maximum total size of the URIs that one session or one `subscriptions/listen` stream subscribes to, in bytes.
/// Without it, [`ServerLimits::subscriptions`] would not bound the memory of a peer.
///
/// A subscription above the limit fails with error -32602.
pub(crate) const MAX_SUBSCRIPTION_BYTES: usize = 256 << 10;

/// Maximum number of resources that the `list` function of one template returns. All of them are in memory at once.
pub(crate) const MAX_LISTED_RESOURCES: usize = 10_000;

/// Maximum size in bytes of the client's capabilities that a session stores, and of the client's name and description.
///
/// Above it, experimental capabilities, extensions and icons are not stored. If the rest is still larger, `initialize` fails.
pub(crate) const MAX_CLIENT_BYTES: usize = 16 << 10;

/// Maximum number of nested calls that handlers make to the own server, because each level uses memory and stack.
///
/// A call above the limit fails, as a tool error in a tool.
pub(crate) const MAX_CALL_DEPTH: usize = 16;

/// Resource limits of a server, for peers of every transport.
///
/// [`HttpServerLimits`](crate::http::HttpServerLimits) has the additional limits of HTTP.
///
/// # Fixed limits
///
/// | limit of | value | if exceeded |
/// |---|---|---|
/// | nesting of arrays and objects in a message | 64 levels | error -32600 |
/// | messages in a batch (2025-03-26) | 64 | error -32600 |
/// | one tool's input or output schema | 256 KiB | the server does not start |
/// | resources that the function of one template lists | 10,000 | the rest is skipped, with a warning |
/// | nested calls with `Ctx::call_tool` and `Ctx::read_resource` | 16 levels | the call fails |
/// | capabilities, or name and description, of a client with a session | 16 KiB | optional parts are ignored, or error -32602 |
/// | URIs subscribed by one session or one `subscriptions/listen` stream | 256 KiB in total | error -32602 |
///
/// ```
/// use std::time::Duration;
/// use ferromcp_server::{Server, ServerLimits};
///
/// let limits = ServerLimits::new().page_size(50).shutdown_grace(Duration::from_secs(5));
/// let server = Server::new("demo", "1.0.0").limits(limits);
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "limits do nothing until they are passed to a server"]
pub struct ServerLimits {
    pub(crate) in_flight: usize,
    pub(crate) outbound_bytes: usize,
    pub(crate) shutdown_grace: Duration,
    pub(crate) page_size: usize,
    pub(crate) subscriptions: usize,
    pub(crate) questions: usize,
    pub(crate) answer_timeout: Duration,
}

impl ServerLimits {
    /// Creates the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of concurrent calls of one peer. Default: 1,024.
    ///
    /// A call above the limit fails with error -32603, "Too many in-flight calls". A call of a batch (2025-03-26)
    /// counts from the arrival of the batch.
    pub fn in_flight(mut self, calls: usize) -> Self {
        self.in_flight = calls;
        self
    }

    /// Sets the maximum size of one peer's outbound buffer, in bytes. Default: 4 MiB.
    ///
    /// While the buffer is full, no further messages are read from the peer. HTTP has its own buffers.
    pub fn outbound_bytes(mut self, bytes: usize) -> Self {
        self.outbound_bytes = bytes;
        self
    }

    /// Sets the time for in-flight calls to finish after the peer closes its side or shutdown begins. Default: 1.5 s.
    ///
    /// Calls that are still running when it expires end with an error.
    pub fn shutdown_grace(mut self, time: Duration) -> Self {
        self.shutdown_grace = time;
        self
    }

    /// Sets the number of items on one page of a list. Default: 1,000.
    ///
    /// Longer lists are paginated. The default is high because some hosts read the first page only.
    pub fn page_size(mut self, items: usize) -> Self {
        self.page_size = items;
        self
    }

    /// Sets the maximum number of resource subscriptions of one session or one `subscriptions/listen` stream. Default:
    /// 1,024.
    ///
    /// A subscription above the limit fails with error -32602.
    pub fn subscriptions(mut self, subscriptions: usize) -> Self {
        self.subscriptions = subscriptions;
        self
    }

    /// Sets the maximum number of pending client requests (elicitation, sampling, roots). Default: 64.
    ///
    /// The limit applies per peer on stdio and other pipes, per session and per request over HTTP, and per round of a
    /// multi-round-trip request. One principal may have four times as many over HTTP. A question above the limit fails the
    /// call that sends it.
    pub fn questions(mut self, questions: usize) -> Self {
        self.questions = questions;
        self
    }

    /// Sets the timeout of a request to the client that sets no timeout itself. Default: 10 minutes.
    ///
    /// It applies to handshake revisions, where the handler waits while the client's user responds. When it expires,
    /// the request is cancelled and the question fails.
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.answer_timeout = timeout;
        self
    }
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            in_flight: 1024,
            outbound_bytes: 4 << 20,
            shutdown_grace: Duration::from_millis(1500),
            page_size: 1000,
            subscriptions: 1024,
            questions: 64,
            answer_timeout: Duration::from_secs(10 * 60),
        }
    }
}
