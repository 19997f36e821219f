//! Timeouts of calls that pause while the client's user or model is answering.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::call::Extensions;

/// A deadline that is paused while a request to the client is pending. Timeout middleware inserts it into the
/// extensions of the call.
#[derive(Debug)]
pub(crate) struct PausableDeadline {
    state: Mutex<State>,
    resumed: Notify,
}

#[derive(Debug)]
struct State {
    started_at: Instant,
    /// Start of the current pause, and the number of pending requests.
    paused: Option<(Instant, usize)>,
    /// Total duration of the earlier pauses.
    paused_total: Duration,
}

impl PausableDeadline {
    pub(crate) fn new() -> Self {
        let state = State { started_at: Instant::now(), paused: None, paused_total: Duration::ZERO };
        Self { state: Mutex::new(state), resumed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the elapsed time without pauses.
    fn elapsed(&self) -> Duration {
        let state = self.lock();
        let now = state.paused.map_or_else(Instant::now, |(since, _)| since);
        now.saturating_duration_since(state.started_at).saturating_sub(state.paused_total)
    }

    fn is_paused(&self) -> bool {
        self.lock().paused.is_some()
    }

    /// Waits until the elapsed time without pauses reaches `limit`.
    pub(crate) async fn expired(&self, limit: Duration) {
        loop {
            let mut resumed = std::pin::pin!(self.resumed.notified());
            resumed.as_mut().enable();
            if self.is_paused() {
                resumed.await;
                continue;
            }
            match limit.checked_sub(self.elapsed()).filter(|left| !left.is_zero()) {
                Some(left) => tokio::time::sleep(left).await,
                None => return,
            }
        }
    }
}

/// Pauses the deadline of a call, if it has one, until the guard is dropped.
pub(crate) fn pause(extensions: &Extensions) -> Option<PauseGuard<'_>> {
    let deadline = extensions.get::<std::sync::Arc<PausableDeadline>>()?;
    let mut state = deadline.lock();
    let (since, questions) = state.paused.unwrap_or((Instant::now(), 0));
    state.paused = Some((since, questions + 1));
    drop(state);
    Some(PauseGuard(deadline))
}

/// A guard that keeps a deadline paused.
pub(crate) struct PauseGuard<'c>(&'c PausableDeadline);

impl Drop for PauseGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        let Some((since, questions)) = state.paused else { return };
        if questions > 1 {
            state.paused = Some((since, questions - 1));
            return;
        }
        state.paused_total += since.elapsed();
        state.paused = None;
        drop(state);
        self.0.resumed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn deadline_is_paused_while_requests_are_pending() {
        let deadline = Arc::new(PausableDeadline::new());
        let mut extensions = Extensions::default();
        extensions.insert(Arc::clone(&deadline));
        let (first, second) = (pause(&extensions), pause(&extensions));
        let limit = Duration::from_millis(60);
        assert!(tokio::time::timeout(limit * 3, deadline.expired(limit)).await.is_err(), "both guards are alive");
        drop(first);
        assert!(tokio::time::timeout(limit * 3, deadline.expired(limit)).await.is_err(), "one guard is alive");
        drop(second);
        assert!(deadline.elapsed() < limit);
        assert!(tokio::time::timeout(limit * 20, deadline.expired(limit)).await.is_ok());
    }
}
