//! How much HTTP peers may ask of a server, beside what [`Limits`](crate::Limits) says of any peer.

use std::time::Duration;

/// The bounds of serving HTTP. Each has a default that suits a process of its own; set what differs.
///
/// ```
/// use ferromcp_server::http::HttpLimits;
/// let mut limits = HttpLimits::default();
/// limits.body_bytes = 1 << 20;
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct HttpLimits {
    /// Bytes of one request's body; a longer one is refused with 413. Default 4 MiB.
    pub body_bytes: usize,
    /// How long a request's body may take to arrive; a slower one is refused with 408. Default 30 s.
    pub body_time: Duration,
    /// Bytes of all headers of one request (HTTP/1.1 and HTTP/2). Default 64 KiB.
    pub header_bytes: usize,
    /// How long a request's headers may take to arrive, and how long an idle connection is kept. Default 30 s.
    pub header_time: Duration,
    /// How long a peer may refuse to take any byte of an answer before its connection is cut. Default 60 s.
    pub stall_time: Duration,
    /// The most requests being answered at once, subscriptions aside; one more is refused with 503. Default 4,096.
    pub in_flight: usize,
    /// The most streams that stay open: GET streams, `subscriptions/listen` and HTTP+SSE together; one more is
    /// refused with 503. Default 65,536.
    pub streams: usize,
    /// The most GET streams of one session; one more is refused with 429. Default 8.
    pub streams_per_session: usize,
    /// The most sessions (legacy era). When there are more, the one longest idle ends; if none is idle, a new
    /// one is refused with 503. Default 10,000.
    pub sessions: usize,
    /// How long a session lives without a request or open stream. Default 30 min.
    pub session_idle: Duration,
    /// Bytes waiting to be written on one stream beyond which handlers wait. Default 1 MiB.
    pub stream_bytes: usize,
    /// The most connections at once; more wait to be accepted. Default 65,536.
    pub connections: usize,
    /// The most concurrent requests of one HTTP/2 connection. Default 256.
    pub http2_streams: u32,
    /// How long requests under way may go on once the server is told to stop. Default 10 s.
    pub shutdown_grace: Duration,
}

impl Default for HttpLimits {
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
