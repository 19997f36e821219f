//! [`HttpServerLimits`]: limits of HTTP, in addition to [`ServerLimits`](crate::ServerLimits).

use std::time::Duration;

/// Maximum size of the headers of a request in bytes (HTTP/1.1 and HTTP/2). A larger one is rejected with 431.
pub(crate) const MAX_HEADER_BYTES: u32 = 64 << 10;

/// Maximum number of concurrent requests of one HTTP/2 connection. The client waits to send others.
pub(crate) const MAX_HTTP2_STREAMS: u32 = 256;

/// Size of the write buffer of one stream in bytes. Handlers wait while it is full.
pub(crate) const STREAM_BUFFER_BYTES: usize = 1 << 20;

/// Flow-control windows of an HTTP/2 connection and of its streams, in bytes. They limit the data that a client sends ahead
/// of the server.
pub(crate) const HTTP2_WINDOW_BYTES: u32 = 256 << 10;

/// The fraction (1/8) of `HttpServerLimits::total_response_bytes` that one connection may leave unread.
pub(crate) const CONNECTION_SHARE: usize = 8;

/// The fraction (1/4) of `HttpServerLimits::total_body_bytes` that one connection may use.
pub(crate) const BODY_SHARE: u32 = 4;

/// Maximum size of a request body for a path of the authorization, in bytes. A larger one is rejected with 413.
pub(crate) const AUTHORIZATION_BODY_BYTES: usize = 64 << 10;

/// Maximum number of requests for paths of the authorization whose bodies are being received or handled, except bodies up
/// to 16 KiB that have arrived. Another one is rejected with 503.
pub(crate) const AUTHORIZATION_BODIES: usize = 256;

/// Maximum number of GET streams of one session; a client needs one. Another one is rejected with 429.
pub(crate) const MAX_STREAMS_PER_SESSION: usize = 8;

/// Longest timer that hyper can add to the current time, about 30 years. A longer timeout has the same effect.
pub(crate) const MAX_TIMER: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// Limits of an HTTP server. The defaults are for a dedicated process.
///
/// # Fixed limits
///
/// | limit of | value | if exceeded |
/// |---|---|---|
/// | headers of a request | 64 KiB | 431 |
/// | concurrent requests of one HTTP/2 connection | 256 | the client waits |
/// | write buffer of one stream | 1 MiB | handlers wait |
/// | flow-control windows of HTTP/2 | 256 KiB | the client waits |
/// | unread responses of one connection | 1/8 of `total_response_bytes` | 503 |
/// | request bodies of one connection | 1/4 of `total_body_bytes` | the client waits |
/// | GET streams of one session | 8 | 429 |
/// | body of a request for a path of the authorization | 64 KiB | 413 |
/// | such bodies that are being received or handled, except those up to 16 KiB that have arrived | 256 | 503 |
/// | rest of a body over `body_bytes` that is discarded before the 413 | 16 MiB, 1 s | the connection is closed |
///
/// ```
/// use ferromcp_server::http::{HttpServerLimits, HttpServerOptions};
/// let options = HttpServerOptions::new().limits(HttpServerLimits::new().body_bytes(1 << 20).sessions(1000));
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "limits do nothing until they are passed to the options of a server"]
pub struct HttpServerLimits {
    pub(crate) body_bytes: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) connections: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) in_flight: usize,
    pub(crate) sessions: usize,
    pub(crate) session_idle: Duration,
    pub(crate) shutdown_grace: Duration,
    pub(crate) stall_timeout: Duration,
    pub(crate) streams: usize,
    pub(crate) total_body_bytes: usize,
    pub(crate) total_response_bytes: usize,
}

impl HttpServerLimits {
    /// Creates the default limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum size of a request body, in bytes. Default: 4 MiB. A larger one is rejected with 413.
    pub fn body_bytes(mut self, bytes: usize) -> Self {
        self.body_bytes = bytes;
        self
    }

    /// Sets the timeout for receiving a request body. Default: 30 s. A slower one is rejected with 408.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// Sets the maximum number of connections. Default: 65,536. Others wait to be accepted.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Sets the timeout for receiving request headers, and the idle timeout of a connection. Default: 30 s. A
    /// connection that exceeds it is closed.
    pub fn header_timeout(mut self, timeout: Duration) -> Self {
        self.header_timeout = timeout;
        self
    }

    /// Sets the maximum number of requests in flight, without subscriptions and without calls that wait for an answer of
    /// their client. Default: 4,096. A further request is rejected with 503. The same number limits pending questions.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.in_flight = requests;
        self
    }

    /// Sets the maximum number of sessions (handshake revisions). Default: 10,000.
    ///
    /// A session beyond the maximum evicts idle sessions of the first of these classes that has any, the longest idle
    /// first:
    ///
    /// 1. sessions that were started on the same connection: up to 1/16 of the maximum
    /// 2. sessions without a complete handshake: up to 1/16 of the maximum
    /// 3. sessions of the same principal or address: one
    /// 4. all other sessions: one
    ///
    /// One principal or address may evict 64 sessions of the classes 3 and 4 at once, and 10 per second; a session that
    /// would evict more is rejected with 429. If no session is idle, a new session is rejected with 503.
    ///
    /// One principal or address may start a quarter of the maximum at once (at least 64), and the maximum within a minute
    /// (at least 10 per second); a session beyond that is rejected with 429. IPv6 addresses count by their /64 network.
    pub fn sessions(mut self, sessions: usize) -> Self {
        self.sessions = sessions;
        self
    }

    /// Sets the idle timeout of a session: it expires without a request or open stream. Default: 30 min.
    pub fn session_idle(mut self, timeout: Duration) -> Self {
        self.session_idle = timeout;
        self
    }

    /// Sets the shutdown timeout: how long requests in flight may continue after shutdown begins. Default: 6 s, so that
    /// the lifespans can close before a container is killed (10 s after SIGTERM by default). Requests that are still
    /// running when it expires end with an error.
    pub fn shutdown_grace(mut self, time: Duration) -> Self {
        self.shutdown_grace = time;
        self
    }

    /// Sets the write timeout: a connection is closed if its peer reads nothing for this long, and an HTTP/2 stream is
    /// reset. Default: 60 s.
    ///
    /// A pending question ends when its client has had no connection for this long.
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.stall_timeout = timeout;
        self
    }

    /// Sets the maximum number of long-lived streams: GET streams, `subscriptions/listen` and HTTP+SSE together.
    /// Default: 65,536. Another one is rejected with 503.
    pub fn streams(mut self, streams: usize) -> Self {
        self.streams = streams;
        self
    }

    /// Sets the maximum total size of the request bodies over 16 KiB that are being received or handled, in bytes.
    /// Default: 128 MiB. Others wait for up to [`body_timeout`](Self::body_timeout), then are rejected with 503.
    pub fn total_body_bytes(mut self, bytes: usize) -> Self {
        self.total_body_bytes = bytes;
        self
    }

    /// Sets the maximum total size of the responses over 4 KiB (over HTTP/2: of all) that clients have not read, in bytes.
    /// Default: 256 MiB.
    ///
    /// While the limit is reached, the results of further calls over 4 KiB are replaced by an error, and responses that have
    /// stalled for 1/12 of [`stall_timeout`](Self::stall_timeout) end.
    pub fn total_response_bytes(mut self, bytes: usize) -> Self {
        self.total_response_bytes = bytes;
        self
    }
}

impl Default for HttpServerLimits {
    fn default() -> Self {
        Self {
            body_bytes: 4 << 20,
            body_timeout: Duration::from_secs(30),
            connections: 65_536,
            header_timeout: Duration::from_secs(30),
            in_flight: 4096,
            sessions: 10_000,
            session_idle: Duration::from_secs(30 * 60),
            shutdown_grace: Duration::from_secs(6),
            stall_timeout: Duration::from_secs(60),
            streams: 65_536,
            total_body_bytes: 128 << 20,
            total_response_bytes: 256 << 20,
        }
    }
}
