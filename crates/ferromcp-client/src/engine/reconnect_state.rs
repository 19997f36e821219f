//! State of reconnect attempts.

use tokio::time::Instant;

use crate::negotiated::Negotiated;

/// State of reconnect attempts.
#[derive(Default)]
pub(super) struct ReconnectState {
    /// Restarts since a connection last lasted for the maximum backoff.
    pub(super) consecutive_restarts: u32,
    pub(super) last_attempt: Option<Instant>,
    pub(super) negotiated: Option<Negotiated>,
    pub(super) opened: bool,
}
