//! How much a server may cost its client, and how long it may take, all in one place.

use std::time::Duration;

use ferromcp_core::wire::DecodeLimits;

/// The bounds of a client. Each has a default that suits a desktop application; set what differs.
///
/// ```
/// use ferromcp_client::ClientLimits;
/// let mut limits = ClientLimits::default();
/// limits.rounds = 4;
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ClientLimits {
    /// The deepest JSON nesting and the largest batch. How long a message may be is its transport's matter.
    pub decode: DecodeLimits,
    /// The most requests under way at once; one more waits for its turn. Default 256.
    pub in_flight: usize,
    /// Bytes waiting to be written beyond which requests wait. Default 4 MiB.
    pub outbound_bytes: usize,
    /// The most questions of a legacy server answered at once; one more is refused with -32603. Default 32.
    pub questions: usize,
    /// The most questions in one answer of a modern server. Default 64.
    pub questions_per_round: usize,
    /// How often one call may be answered with questions before it fails. Default 16.
    pub rounds: usize,
    /// How long a call that failed for want of a visit to a URL (2025-11-25) waits, after the user agreed, for word that
    /// it is done; then it is made again in any case. Default 2 min.
    pub url_completion: Duration,
    /// The first wait before a call is repeated that got state and no question; it doubles each time. Default 100 ms.
    pub round_backoff: Duration,
    /// The most changes that wait in a subscription; beyond it they become one `Gap`. Default 1,024.
    pub queued_changes: usize,
    /// The most subscriptions at once. Default 64.
    pub subscriptions: usize,
    /// The most pages of one list. Default 1,000.
    pub pages: usize,
    /// The most items of one list. Default 100,000.
    pub list_items: usize,
    /// The most tools whose annotations are remembered. Default 4,096.
    pub tools_remembered: usize,
    /// The most bytes of output schemas that are remembered; the results of further tools are not checked. Default
    /// 16 MiB.
    pub schema_bytes: usize,
    /// How often in a row a server that ends is started again. Default 5.
    pub restart_attempts: u32,
    /// The wait before the second start in a row; it doubles each time, up to 30 s. Default 200 ms.
    pub restart_backoff: Duration,
    /// How often one safe request is sent again after its connection was lost. Default 2.
    pub resends: u32,
    /// How long the first question, `server/discover`, may go unanswered before the server is taken for a legacy
    /// one. Default 10 s.
    pub probe_timeout: Duration,
    /// How long opening and `initialize` may take, each. Default 60 s: some servers are downloaded first.
    pub connect_timeout: Duration,
    /// How long a request may go without an answer or a sign of progress. Default 60 s.
    pub request_timeout: Duration,
    /// How long a request may take however much progress it makes. Default 30 min.
    pub request_cap: Duration,
    /// How long a server may take to end by itself once the client is closed. Default 2 s.
    pub shutdown_grace: Duration,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            decode: DecodeLimits::default(),
            in_flight: 256,
            outbound_bytes: 4 << 20,
            questions: 32,
            questions_per_round: 64,
            rounds: 16,
            url_completion: Duration::from_secs(120),
            round_backoff: Duration::from_millis(100),
            queued_changes: 1024,
            subscriptions: 64,
            pages: 1000,
            list_items: 100_000,
            tools_remembered: 4096,
            schema_bytes: 16 << 20,
            restart_attempts: 5,
            restart_backoff: Duration::from_millis(200),
            resends: 2,
            probe_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(60),
            request_timeout: Duration::from_secs(60),
            request_cap: Duration::from_secs(30 * 60),
            shutdown_grace: Duration::from_secs(2),
        }
    }
}
