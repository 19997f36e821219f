//! Measures how long requests wait for credentials. A person who logs in takes longer than any timeout of a request.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Shorter waits do not extend timeouts.
const MIN_WAIT: Duration = Duration::from_secs(1);

/// The waits for credentials of an endpoint.
#[derive(Debug, Default)]
pub(super) struct CredentialWaits(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The number of requests that wait.
    active: usize,
    /// When the last long wait ended.
    ended_at: Option<Instant>,
}

impl CredentialWaits {
    /// Runs `future`, which obtains credentials.
    pub(super) async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.lock().active += 1;
        let _wait = Wait { waits: self, started_at: Instant::now() };
        future.await
    }

    /// Returns when a request last waited for credentials: now, or when the last long wait ended. `None` if none did.
    pub(super) fn last(&self) -> Option<Instant> {
        let state = self.lock();
        if state.active > 0 { Some(Instant::now()) } else { state.ended_at }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Wait<'a> {
    waits: &'a CredentialWaits,
    started_at: Instant,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut state = self.waits.lock();
        state.active -= 1;
        if self.started_at.elapsed() >= MIN_WAIT {
            state.ended_at = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_long_waits_count_after_they_end() {
        let waits = CredentialWaits::default();
        waits.run(sleep(Duration::from_millis(900))).await;
        assert_eq!(waits.last(), None);
        waits.run(async { assert_eq!(waits.last(), Some(Instant::now())) }).await;
        waits.run(sleep(Duration::from_secs(5))).await;
        let ended = waits.last().unwrap();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(waits.last(), Some(ended));
    }
}
