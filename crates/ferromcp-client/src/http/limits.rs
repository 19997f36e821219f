//! How much a server may make this client hold, and how often the client tries again.

use std::time::Duration;

use ferromcp_transport::sse::DEFAULT_MAX_EVENT;

/// The bounds of speaking HTTP to a server. Each has a default; set what differs.
///
/// There is none for the time of a whole answer, since a stream may rightly last for days: bound the wait where the
/// call is made. The head of a response is bounded by the HTTP library to 100 fields and about 400 KiB.
///
/// ```
/// use ferromcp_client::http::HttpLimits;
/// let mut limits = HttpLimits::default();
/// limits.body_bytes = 1 << 20;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpLimits {
    /// Bytes of one body that is no stream. Default 16 MiB.
    pub body_bytes: usize,
    /// Bytes of one event of a stream. Default 16 MiB.
    pub event_bytes: usize,
    /// Bytes of what a server gives to be sent back in a header: a session's or an event's id. Default 8 KiB.
    pub id_bytes: usize,
    /// How long a connection may take to come about, TLS included. Default 30 s.
    pub connect_time: Duration,
    /// How long HTTP+SSE may take until it has said where messages go. Default 30 s.
    pub endpoint_timeout: Duration,
    /// How often in a row a stream may be resumed without anything new on it. Default 5.
    pub resumptions: u32,
    /// The longest pause between two such attempts that the client chooses by itself; a server may ask for a longer
    /// one. Default 30 s.
    pub max_backoff: Duration,
    /// How often one request may be sent again because the credentials' [`challenged`] said so. Default 3.
    ///
    /// [`challenged`]: super::Credentials::challenged
    pub challenges: u32,
    /// How many redirects within the origin are followed for one request. Default 5.
    pub redirects: usize,
    /// How many messages may be on their way at once over HTTP+SSE, in case the server answers a POST only when the
    /// call behind it is done. Default 16.
    pub posts_in_flight: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: DEFAULT_MAX_EVENT,
            event_bytes: DEFAULT_MAX_EVENT,
            id_bytes: 8 << 10,
            connect_time: Duration::from_secs(30),
            endpoint_timeout: Duration::from_secs(30),
            resumptions: 5,
            max_backoff: Duration::from_secs(30),
            challenges: 3,
            redirects: 5,
            posts_in_flight: 16,
        }
    }
}
