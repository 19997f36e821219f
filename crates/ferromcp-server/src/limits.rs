//! [`Limits`]: every resource limit of a server.

use std::time::Duration;

use ferromcp_core::DecodeLimits;

/// Resource limits of a server.
///
/// Every limit has a default. Change individual fields and pass the result to
/// [`Server::limits`](crate::Server::limits).
///
/// ```
/// use std::time::Duration;
/// use ferromcp_server::{Limits, Server};
///
/// let mut limits = Limits::default();
/// limits.page_size = 50;
/// limits.shutdown_grace = Duration::from_secs(5);
/// let server = Server::new("demo", "1.0.0").limits(limits);
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// Limits of the JSON decoder: nesting depth and number of messages in a batch.
    pub decode: DecodeLimits,
    /// Maximum number of concurrent calls of one peer. Default: 1,024.
    ///
    /// A call above the limit fails with error -32603, "Too many in-flight calls".
    pub in_flight: usize,
    /// Maximum size of one peer's outbound buffer, in bytes. Default: 4 MiB.
    ///
    /// While the buffer is full, no further messages are read from the peer.
    pub outbound_bytes: usize,
    /// Time that in-flight calls have to finish after the peer has closed its side or shutdown has begun. Default: 1.5 s.
    ///
    /// Calls that are still running when it expires are dropped.
    pub shutdown_grace: Duration,
    /// Number of items on one page of a list. Default: 1,000.
    ///
    /// The default is high because some hosts read the first page only.
    pub page_size: usize,
    /// Maximum size of one tool's input or output schema, in bytes. Default: 256 KiB.
    ///
    /// A larger schema fails the registration of the tool.
    pub schema_bytes: usize,
    /// Maximum number of resource subscriptions of one session or one `subscriptions/listen` stream. Default: 1,024.
    ///
    /// A subscription above the limit fails with error -32602.
    pub subscriptions: usize,
    /// Maximum total size of the URIs that one session or one `subscriptions/listen` stream subscribes to, in bytes.
    /// Default: 256 KiB.
    ///
    /// A subscription above the limit fails with error -32602.
    pub subscription_bytes: usize,
    /// Maximum number of pending client requests (elicitation, sampling, roots). Default: 64.
    ///
    /// The limit applies per peer on stdio and other pipes, per HTTP request, and per round of a multi-round-trip request.
    /// A question above the limit fails the call that sends it.
    pub questions: usize,
    /// Timeout of a request to the client that sets no timeout itself. Default: 10 minutes.
    ///
    /// It applies to handshake revisions, where the handler waits while the client's user responds.
    pub answer_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            decode: DecodeLimits::default(),
            in_flight: 1024,
            outbound_bytes: 4 << 20,
            shutdown_grace: Duration::from_millis(1500),
            page_size: 1000,
            schema_bytes: 256 << 10,
            subscriptions: 1024,
            subscription_bytes: 256 << 10,
            questions: 64,
            answer_time: Duration::from_secs(10 * 60),
        }
    }
}
