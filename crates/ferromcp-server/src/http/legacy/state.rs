//! The part of an endpoint's state that only handshake revisions need.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::events::EventStore;
use super::session::HttpSession;
use super::sessions::Sessions;
use super::sse_sessions::SseSessions;
use crate::http::options::HttpServerOptions;
use crate::inner::Inner;
use crate::pending_requests::PendingRequests;

/// The number of sessions whose pending questions one principal may use.
const SESSIONS_PER_IDENTITY: usize = 4;

/// State of the handshake revisions.
pub(crate) struct LegacyState {
    pub(crate) sessions: Sessions,
    pub(super) sse_sessions: SseSessions,
    /// Server requests that clients have not answered yet.
    pub(crate) questions: Arc<PendingRequests>,
    /// The number of open HTTP+SSE streams.
    pub(crate) open_sse_streams: AtomicUsize,
    /// Whether the task that ends idle sessions runs.
    pub(super) expires_sessions: AtomicBool,
    events: Option<Arc<dyn EventStore>>,
}

impl LegacyState {
    pub(crate) fn new(inner: &Inner, options: &HttpServerOptions) -> Self {
        let (per_session, max_questions) = (inner.limits.questions, options.limits.in_flight);
        let per_identity = per_session.saturating_mul(SESSIONS_PER_IDENTITY);
        Self {
            sessions: Sessions::new(options.limits.sessions),
            sse_sessions: SseSessions::default(),
            questions: PendingRequests::for_endpoint(max_questions, per_session, per_identity),
            open_sse_streams: AtomicUsize::new(0),
            expires_sessions: AtomicBool::new(false),
            events: options.events.clone(),
        }
    }

    /// Removes the events of ended sessions from the event store.
    pub(crate) async fn purge_events(&self, sessions: impl IntoIterator<Item = Arc<HttpSession>>) {
        let Some(store) = &self.events else { return };
        for session in sessions {
            if let Err(error) = store.forget(&session.id).await {
                tracing::warn!(%error, "cannot remove the events of a session from the event store");
            }
        }
    }
}
