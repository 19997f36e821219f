//! Size limits, timeouts and retry limits of HTTP.
//!
//! [`HttpOptions`](super::HttpOptions) sets some of them. The others are fixed; they are fields as well, so that unit
//! tests can use shorter times and smaller sizes.

use std::time::Duration;

use ferromcp_transport::sse::DEFAULT_MAX_EVENT;

/// Maximum size of a session ID or event ID, in bytes, because the client sends it back in a header.
const MAX_ID_BYTES: usize = 8 << 10;

/// Timeout of HTTP+SSE for opening the stream and receiving the `endpoint` event.
const ENDPOINT_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum number of consecutive attempts to resume a stream without new events.
const MAX_RESUMPTIONS: u32 = 5;

/// Maximum backoff between such attempts. The server may set a longer `retry`.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// Maximum number of concurrent POSTs of HTTP+SSE, for servers that respond to a POST only when the call completes.
const MAX_POSTS_IN_FLIGHT: usize = 16;

/// Maximum number of retries of one request after [`Credentials::challenged`](super::Credentials::challenged).
pub(super) const MAX_CHALLENGES: u32 = 3;

/// Maximum number of redirects followed for one request.
pub(super) const MAX_REDIRECTS: usize = 5;

/// Limits of HTTP requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct HttpLimits {
    pub(super) body_bytes: usize,
    pub(super) event_bytes: usize,
    pub(super) connect_timeout: Duration,
    pub(super) id_bytes: usize,
    pub(super) endpoint_timeout: Duration,
    pub(super) resumptions: u32,
    pub(super) max_backoff: Duration,
    pub(super) posts_in_flight: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: DEFAULT_MAX_EVENT,
            event_bytes: DEFAULT_MAX_EVENT,
            connect_timeout: Duration::from_secs(30),
            id_bytes: MAX_ID_BYTES,
            endpoint_timeout: ENDPOINT_TIMEOUT,
            resumptions: MAX_RESUMPTIONS,
            max_backoff: MAX_BACKOFF,
            posts_in_flight: MAX_POSTS_IN_FLIGHT,
        }
    }
}
