//! Limits and timeouts of a client.

use std::time::Duration;

use ferromcp_core::DecodeLimits;

/// Limits and timeouts of a client. The defaults suit a desktop application.
///
/// ```
/// use ferromcp_client::ClientLimits;
/// let mut limits = ClientLimits::default();
/// limits.rounds = 4;
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ClientLimits {
    /// Maximum JSON nesting and batch size. The transport limits the length of messages.
    pub decode: DecodeLimits,
    /// Maximum number of in-flight requests; further requests wait. Default: 256.
    pub in_flight: usize,
    /// Size of the write buffer in bytes; requests wait while it is full. Default: 4 MiB.
    pub outbound_bytes: usize,
    /// Maximum number of concurrent requests from a legacy server; further ones are rejected with -32603. Default: 32.
    pub questions: usize,
    /// Maximum number of input requests in one `input_required` response (2026-07-28). Default: 64.
    pub questions_per_round: usize,
    /// Maximum number of `input_required` responses to one call. Default: 16.
    pub rounds: usize,
    /// Timeout for the completion notification of a URL elicitation, after the user consented (2025-11-25). The call is
    /// retried after the notification or the timeout. Default: 2 min.
    pub url_completion: Duration,
    /// Initial delay before a call is repeated when an `input_required` response contains only state; doubles each
    /// time. Default: 100 ms.
    pub round_backoff: Duration,
    /// Maximum number of queued changes of a subscription; on overflow they are replaced by one
    /// [`Change::Gap`](crate::Change::Gap). Default: 1,024.
    pub queued_changes: usize,
    /// Maximum number of concurrent subscriptions. Default: 64.
    pub subscriptions: usize,
    /// Maximum number of pages of one list. Default: 1,000.
    pub pages: usize,
    /// Maximum number of items of one list. Default: 100,000.
    pub list_items: usize,
    /// Maximum number of tools whose annotations and output schemas are cached. Default: 4,096.
    pub cached_tools: usize,
    /// Maximum total size of cached output schemas in bytes; the output of further tools is not validated. Default:
    /// 16 MiB.
    pub schema_bytes: usize,
    /// Maximum number of consecutive reconnects or restarts. Default: 5.
    pub restart_attempts: u32,
    /// Initial delay between consecutive restarts; doubles each time, up to 30 s. Default: 200 ms.
    pub restart_backoff: Duration,
    /// Maximum number of retries of an idempotent request after its connection was lost. Default: 2.
    pub retries: u32,
    /// Timeout of the initial `server/discover`; on expiry over a pipe, the server is treated as legacy. Default: 10 s.
    pub probe_timeout: Duration,
    /// Timeout of opening the connection, and of `initialize`. Default: 60 s, because some servers are downloaded
    /// first.
    pub connect_timeout: Duration,
    /// Timeout of a request; restarts on each progress notification. Default: 60 s.
    pub request_timeout: Duration,
    /// Maximum duration of a request, regardless of progress. Default: 30 min.
    pub request_time_limit: Duration,
    /// Grace period for a child process to exit after the client is closed. Default: 2 s.
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
            cached_tools: 4096,
            schema_bytes: 16 << 20,
            restart_attempts: 5,
            restart_backoff: Duration::from_millis(200),
            retries: 2,
            probe_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(60),
            request_timeout: Duration::from_secs(60),
            request_time_limit: Duration::from_secs(30 * 60),
            shutdown_grace: Duration::from_secs(2),
        }
    }
}
