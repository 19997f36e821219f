//! The part of an endpoint's state that only handshake revisions need, and its maintenance.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use super::session::HttpSession;
use super::sessions::Sessions;
use super::sse_sessions::SseSessions;
use crate::http::endpoint::Endpoint;
use crate::http::options::HttpOptions;
use crate::inner::Inner;
use crate::pending_requests::{IdScheme, PendingRequests};

/// The shortest and the longest interval between sweeps for idle sessions.
const SWEEP_INTERVAL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));

/// State of the handshake revisions.
pub(crate) struct LegacyState {
    pub(crate) sessions: Sessions,
    pub(super) sse_sessions: SseSessions,
    /// Server requests that clients have not answered yet.
    pub(crate) questions: Arc<PendingRequests>,
    /// The number of open HTTP+SSE streams.
    pub(crate) open_sse_streams: AtomicUsize,
    has_sweeper: AtomicBool,
}

impl LegacyState {
    pub(crate) fn new(inner: &Inner, options: &HttpOptions) -> Self {
        let max_questions = options.limits.in_flight.saturating_mul(inner.limits.questions);
        Self {
            sessions: Sessions::new(options.limits.sessions),
            sse_sessions: SseSessions::default(),
            questions: PendingRequests::new(IdScheme::Random, max_questions),
            open_sse_streams: AtomicUsize::new(0),
            has_sweeper: AtomicBool::new(false),
        }
    }
}

impl Endpoint {
    /// Starts the task that ends idle sessions, unless it runs already. The task ends with the endpoint.
    pub(super) fn start_sweeper(self: &Arc<Self>) {
        if self.legacy.has_sweeper.swap(true, Ordering::AcqRel) {
            return;
        }
        let idle = self.options.limits.session_idle;
        let (endpoint, interval) = (Arc::downgrade(self), (idle / 4).clamp(SWEEP_INTERVAL.0, SWEEP_INTERVAL.1));
        tokio::spawn(async move {
            loop {
                sleep(interval).await;
                let Some(endpoint) = endpoint.upgrade() else { return };
                let expired = endpoint.legacy.sessions.sweep(idle);
                if !expired.is_empty() {
                    let left = endpoint.legacy.sessions.len();
                    tracing::debug!(expired = expired.len(), left, "idle sessions expired");
                }
                endpoint.purge_events(expired).await;
            }
        });
    }

    /// Removes the events of ended sessions from the event store.
    pub(crate) async fn purge_events(&self, sessions: impl IntoIterator<Item = Arc<HttpSession>>) {
        let Some(store) = &self.options.events else { return };
        for session in sessions {
            if let Err(error) = store.forget(&session.id).await {
                tracing::warn!(%error, "cannot remove the events of a session from the event store");
            }
        }
    }
}
