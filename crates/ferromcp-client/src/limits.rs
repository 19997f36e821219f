//! [`ClientLimits`]: limits and timeouts of a client, and its fixed limits.

use std::time::Duration;

/// Size of the write buffer of a pipe in bytes. Requests wait while it is full.
pub(crate) const OUTBOUND_BYTES: usize = 4 << 20;

/// Maximum number of concurrent requests from a legacy server, because each one may occupy the user or a model.
///
/// Further ones are rejected with -32603.
pub(crate) const MAX_SERVER_REQUESTS: usize = 32;

/// Maximum number of input requests in one `input_required` response (2026-07-28), and of URLs in one error -32042
/// (2025-11-25), because each one may occupy the user or a model.
pub(crate) const MAX_INPUT_REQUESTS: usize = 64;

/// Timeout for the completion notification of a URL elicitation, after the user consented (2025-11-25). The call is
/// retried after the notification or the timeout, because the notification is optional.
pub(crate) const URL_COMPLETION_TIMEOUT: Duration = Duration::from_secs(120);

/// Initial delay before a call is repeated when an `input_required` response contains only state. It doubles each time.
pub(crate) const ROUND_BACKOFF: Duration = Duration::from_millis(100);

/// Initial delay between consecutive restarts of a connection or subscription. It doubles each time.
pub(crate) const RESTART_BACKOFF: Duration = Duration::from_millis(200);

/// Maximum number of queued changes of a subscription, which bounds the memory of a subscriber that does not read.
///
/// On overflow they are replaced by one [`Change::Gap`](crate::Change::Gap).
pub(crate) const MAX_QUEUED_CHANGES: usize = 1024;

/// Maximum number of concurrent subscriptions, because each one has a task and, over HTTP, a connection.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 64;

/// Maximum length of a cursor in bytes, because the client sends it back.
pub(crate) const MAX_CURSOR_BYTES: usize = 64 << 10;

/// Maximum number of pages of one list, which ends a list whose cursors never end.
pub(crate) const MAX_PAGES: usize = 1000;

/// Maximum number of consecutive pages without a new item, which ends a list whose server ignores the cursor.
pub(crate) const MAX_STALE_PAGES: usize = 100;

/// Maximum number of tools whose annotations and output schemas are cached.
pub(crate) const MAX_CACHED_TOOLS: usize = 4096;

/// Maximum total size of cached output schemas in bytes. The output of further tools is not validated.
pub(crate) const MAX_SCHEMA_BYTES: usize = 16 << 20;

/// Limits and timeouts of a client. The defaults suit a desktop application.
///
/// # Fixed limits
///
/// | limit of | value | if exceeded |
/// |---|---|---|
/// | nesting of arrays and objects in a message | 64 levels | the message is rejected |
/// | nesting of a list item or another value in a response | 64 levels | the item or the optional value is skipped |
/// | nesting of a response | 1,000 levels | the call fails |
/// | messages in a batch | 64 | the message is rejected |
/// | write buffer of a pipe | 4 MiB | requests wait |
/// | concurrent requests from a legacy server | 32 | -32603 |
/// | input requests in one `input_required` response | 64 | the call fails |
/// | completion of a URL elicitation (2025-11-25) | 2 min | the call is retried |
/// | queued changes of a subscription | 1,024 | replaced by one [`Change::Gap`](crate::Change::Gap) |
/// | concurrent subscriptions | 64 | a further subscription fails |
/// | pages of one list | 1,000 | the list fails |
/// | consecutive pages without a new item | 100 | the list ends, with a warning |
/// | a cursor | 64 KiB | the list fails |
/// | cached tools | 4,096 | the metadata of further tools is not cached |
/// | cached output schemas | 16 MiB | the output of further tools is not validated |
///
/// Consecutive restarts, and attempts to send a request over HTTP, are delayed by 200 ms, doubling up to 30 s. Rounds whose
/// response contains only state are delayed by 100 ms, doubling up to 5 s.
///
/// ```
/// use std::time::Duration;
/// use ferromcp_client::{Client, ClientLimits};
/// let limits = ClientLimits::new().rounds(4).request_timeout(Duration::from_secs(10));
/// let builder = Client::builder("demo", "1.0.0").limits(limits);
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "limits do nothing until they are passed to a client"]
pub struct ClientLimits {
    pub(crate) in_flight: usize,
    pub(crate) request_timeout: Duration,
    pub(crate) request_time_limit: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) probe_timeout: Duration,
    pub(crate) shutdown_grace: Duration,
    pub(crate) rounds: usize,
    pub(crate) retries: u32,
    pub(crate) restart_attempts: u32,
    pub(crate) list_items: usize,
    pub(crate) list_bytes: usize,
    pub(crate) list_time_limit: Duration,
}

impl ClientLimits {
    /// Creates the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of in-flight requests. Default: 256. Further requests wait.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.in_flight = requests;
        self
    }

    /// Sets the timeout of a call, which restarts on each progress notification. Default: 60 s. A call that exceeds it is
    /// cancelled and fails. See [`ClientCall::timeout`](crate::ClientCall::timeout).
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Sets the maximum duration of a call with all its rounds, regardless of progress. Default: 30 min. A call that
    /// exceeds it is cancelled and fails. See [`ClientCall::time_limit`](crate::ClientCall::time_limit).
    pub fn request_time_limit(mut self, time: Duration) -> Self {
        self.request_time_limit = time;
        self
    }

    /// Sets the timeout of opening the connection, and of `initialize`. Default: 60 s, because some servers are
    /// downloaded first. Connecting fails if it is exceeded.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the timeout of the initial `server/discover`. Default: 10 s. On expiry over a pipe, the server is treated
    /// as legacy; over HTTP, connecting fails.
    pub fn probe_timeout(mut self, timeout: Duration) -> Self {
        self.probe_timeout = timeout;
        self
    }

    /// Sets the grace period for a child process to exit after the client is closed. Default: 2 s. Then the process is
    /// terminated.
    pub fn shutdown_grace(mut self, time: Duration) -> Self {
        self.shutdown_grace = time;
        self
    }

    /// Sets the maximum number of `input_required` responses to one call. Default: 16. The call fails with the next
    /// one.
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    /// Sets the maximum number of retries of an idempotent request after its connection was lost. Default: 2. Then the
    /// request fails.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Sets the maximum number of consecutive reconnects or restarts, and of attempts to send a request again over HTTP
    /// that could not be sent. Default: 5. Then requests fail.
    pub fn restart_attempts(mut self, attempts: u32) -> Self {
        self.restart_attempts = attempts;
        self
    }

    /// Sets the maximum number of items of one list. Default: 100,000. A longer list fails.
    pub fn list_items(mut self, items: usize) -> Self {
        self.list_items = items;
        self
    }

    /// Sets the maximum total size of the pages of one list as JSON, in bytes. Default: 64 MiB. A longer list fails.
    pub fn list_bytes(mut self, bytes: usize) -> Self {
        self.list_bytes = bytes;
        self
    }

    /// Sets the maximum time to fetch all pages of one list. Default: 5 min. A list that exceeds it fails. See
    /// [`ListCall::time_limit`](crate::ListCall::time_limit).
    pub fn list_time_limit(mut self, time: Duration) -> Self {
        self.list_time_limit = time;
        self
    }
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            in_flight: 256,
            request_timeout: Duration::from_secs(60),
            request_time_limit: Duration::from_secs(30 * 60),
            connect_timeout: Duration::from_secs(60),
            probe_timeout: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(2),
            rounds: 16,
            retries: 2,
            restart_attempts: 5,
            list_items: 100_000,
            list_bytes: 64 << 20,
            list_time_limit: Duration::from_secs(5 * 60),
        }
    }
}
