//! The task that ends idle sessions.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use crate::http::endpoint::Endpoint;

/// The shortest and the longest interval between checks for idle sessions.
const SWEEP_INTERVAL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));

/// Starts the task that ends idle sessions, unless it runs already. The task ends with the endpoint.
pub(super) fn start_session_expiry(endpoint: &Arc<Endpoint>) {
    if endpoint.legacy.expires_sessions.swap(true, Ordering::AcqRel) {
        return;
    }
    let idle = endpoint.options.limits.session_idle;
    let (endpoint, interval) = (Arc::downgrade(endpoint), (idle / 4).clamp(SWEEP_INTERVAL.0, SWEEP_INTERVAL.1));
    tokio::spawn(async move {
        loop {
            sleep(interval).await;
            let Some(endpoint) = endpoint.upgrade() else { return };
            let expired = endpoint.legacy.sessions.expire_idle(idle);
            if !expired.is_empty() {
                let left = endpoint.legacy.sessions.len();
                tracing::debug!(expired = expired.len(), left, "idle sessions expired");
            }
            endpoint.legacy.purge_events(expired).await;
        }
    });
}
