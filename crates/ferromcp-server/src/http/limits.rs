//! Limits for HTTP peers, in addition to the [`Limits`](crate::Limits) for any peer.

use std::time::Duration;

/// Limits of an HTTP server. The defaults are for a dedicated process.
///
/// ```
/// use ferromcp_server::http::HttpServerLimits;
/// let mut limits = HttpServerLimits::default();
/// limits.body_bytes = 1 << 20;
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct HttpServerLimits {
    /// The maximum size of a request body in bytes. A larger one is rejected with 413. Default: 4 MiB.
    pub body_bytes: usize,
    /// The timeout for receiving a request body. A slower one is rejected with 408. Default: 30 s.
    pub body_time: Duration,
    /// The maximum size of the headers of a request in bytes (HTTP/1.1 and HTTP/2). Default: 64 KiB.
    pub header_bytes: usize,
    /// The timeout for receiving request headers, and the idle timeout of a connection. Default: 30 s.
    pub header_time: Duration,
    /// The write timeout: a connection is closed if its peer reads nothing for this long. Default: 60 s.
    pub stall_time: Duration,
    /// The maximum number of requests in flight, without subscriptions. Another one is rejected with 503. Default:
    /// 4,096.
    pub in_flight: usize,
    /// The maximum number of long-lived streams: GET streams, `subscriptions/listen` and HTTP+SSE together. Another one
    /// is rejected with 503. Default: 65,536.
    pub streams: usize,
    /// The maximum number of GET streams of one session. Another one is rejected with 429. Default: 8.
    pub streams_per_session: usize,
    /// The maximum number of sessions (handshake revisions). Beyond it, the longest idle sessions are evicted; if none
    /// is idle, a new session is rejected with 503. Default: 10,000.
    pub sessions: usize,
    /// The idle timeout of a session: it expires without a request or open stream. Default: 30 min.
    pub session_idle: Duration,
    /// The size of the write buffer of one stream in bytes. Handlers wait while it is full. Default: 1 MiB.
    pub stream_bytes: usize,
    /// The maximum number of connections. Others wait to be accepted. Default: 65,536.
    pub connections: usize,
    /// The maximum number of concurrent requests of one HTTP/2 connection. Default: 256.
    pub http2_streams: u32,
    /// The shutdown timeout: how long requests in flight may continue after shutdown begins. Default: 10 s.
    pub shutdown_grace: Duration,
}

impl Default for HttpServerLimits {
    fn default() -> Self {
        Self {
            body_bytes: 4 << 20,
            body_time: Duration::from_secs(30),
            header_bytes: 64 << 10,
            header_time: Duration::from_secs(30),
            stall_time: Duration::from_secs(60),
            in_flight: 4096,
            streams: 65_536,
            streams_per_session: 8,
            sessions: 10_000,
            session_idle: Duration::from_secs(30 * 60),
            stream_bytes: 1 << 20,
            connections: 65_536,
            http2_streams: 256,
            shutdown_grace: Duration::from_secs(10),
        }
    }
}
