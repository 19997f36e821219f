//! Size limits, timeouts and retry limits of HTTP.

use std::time::Duration;

use ferromcp_transport::sse::DEFAULT_MAX_EVENT;

/// Limits of HTTP requests. Each has a default.
///
/// There is no timeout for whole responses, because a stream may last for days. Set a timeout for the call instead. The
/// HTTP library limits response headers to 100 fields and about 400 KiB.
///
/// ```
/// use ferromcp_client::http::HttpLimits;
/// let mut limits = HttpLimits::default();
/// limits.body_bytes = 1 << 20;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpLimits {
    /// Maximum size of a body that is not a stream, in bytes. Default: 16 MiB.
    pub body_bytes: usize,
    /// Maximum size of one event, in bytes. Default: 16 MiB.
    pub event_bytes: usize,
    /// Maximum size of a session ID or event ID, in bytes. Default: 8 KiB.
    pub id_bytes: usize,
    /// Timeout of opening a connection, including TLS. Default: 30 s.
    pub connect_timeout: Duration,
    /// Timeout of HTTP+SSE for opening the stream and receiving the `endpoint` event. Default: 30 s.
    pub endpoint_timeout: Duration,
    /// Maximum number of consecutive attempts to resume a stream without new events. Default: 5.
    pub resumptions: u32,
    /// Maximum backoff between such attempts. The server may set a longer `retry`. Default: 30 s.
    pub max_backoff: Duration,
    /// Maximum number of retries of one request after [`Credentials::challenged`]. Default: 3.
    ///
    /// [`Credentials::challenged`]: super::Credentials::challenged
    pub challenges: u32,
    /// Maximum number of redirects followed for one request. Default: 5.
    pub redirects: usize,
    /// Maximum number of concurrent POSTs of HTTP+SSE, for servers that respond to a POST only when the call completes.
    /// Default: 16.
    pub posts_in_flight: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: DEFAULT_MAX_EVENT,
            event_bytes: DEFAULT_MAX_EVENT,
            id_bytes: 8 << 10,
            connect_timeout: Duration::from_secs(30),
            endpoint_timeout: Duration::from_secs(30),
            resumptions: 5,
            max_backoff: Duration::from_secs(30),
            challenges: 3,
            redirects: 5,
            posts_in_flight: 16,
        }
    }
}
