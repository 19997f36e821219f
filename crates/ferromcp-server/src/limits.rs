//! How much a peer may ask of a server, all in one place.

use std::time::Duration;

use ferromcp_core::wire::DecodeLimits;

/// The bounds of a server. Each has a default that suits a process of its own; set what differs.
///
/// ```
/// use ferromcp_server::Limits;
/// let mut limits = Limits::default();
/// limits.page_size = 50;
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// The deepest JSON nesting and the largest batch.
    pub decode: DecodeLimits,
    /// The most calls of one peer under way at once; one more is refused with -32603. Default 1,024.
    pub in_flight: usize,
    /// Bytes waiting to be written to one peer beyond which nothing more is read from it. Default 4 MiB.
    pub outbound_bytes: usize,
    /// How long calls under way may go on once the peer has closed its side. Default 1.5 s.
    pub shutdown_grace: Duration,
    /// Items on one page of a list. Default 1,000: hosts that do not turn pages still see most servers whole.
    pub page_size: usize,
    /// Bytes of one tool's input or output schema. Default 256 KiB.
    pub schema_bytes: usize,
    /// The most resources that one session or one `subscriptions/listen` watches; one more is refused with
    /// -32602. Default 1,024.
    pub subscriptions: usize,
    /// Bytes of all the URIs that one session or one `subscriptions/listen` watches; more are refused with
    /// -32602. Default 256 KiB.
    pub subscription_bytes: usize,
    /// The most questions that are out at a time: to one peer on a pipe, of one request over HTTP, in one round of a
    /// call. One more fails the call that asks. Default 64.
    pub questions: usize,
    /// How long a question that is asked live waits for its answer, unless it says so itself. Default 10 minutes: people
    /// take their time.
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
