//! The time a call spends on waiting for people, which counts against none of its limits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::call::Extensions;

/// A clock that stands while a question is out. Whoever limits the time of a call leaves one in its extensions.
#[derive(Debug)]
pub(crate) struct Clock {
    state: Mutex<State>,
    goes_on: Notify,
}

#[derive(Debug)]
struct State {
    begun: Instant,
    /// Since when it stands, and for how many questions.
    stands: Option<(Instant, usize)>,
    /// How long it stood before.
    stood: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let state = State { begun: Instant::now(), stands: None, stood: Duration::ZERO };
        Self { state: Mutex::new(state), goes_on: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the call ran without waiting for people.
    fn ran(&self) -> Duration {
        let state = self.lock();
        let now = state.stands.map_or_else(Instant::now, |(since, _)| since);
        now.saturating_duration_since(state.begun).saturating_sub(state.stood)
    }

    fn stands(&self) -> bool {
        self.lock().stands.is_some()
    }

    /// Waits until the call has run for `limit`.
    pub(crate) async fn wait(&self, limit: Duration) {
        loop {
            let mut goes_on = std::pin::pin!(self.goes_on.notified());
            goes_on.as_mut().enable();
            if self.stands() {
                goes_on.await;
                continue;
            }
            match limit.checked_sub(self.ran()).filter(|left| !left.is_zero()) {
                Some(left) => tokio::time::sleep(left).await,
                None => return,
            }
        }
    }
}

/// Lets the clock of a call stand, if it has one, until this is dropped.
pub(crate) fn begin(extensions: &Extensions) -> Option<Pause<'_>> {
    let clock = extensions.get::<std::sync::Arc<Clock>>()?;
    let mut state = clock.lock();
    let (since, questions) = state.stands.unwrap_or((Instant::now(), 0));
    state.stands = Some((since, questions + 1));
    drop(state);
    Some(Pause(clock))
}

/// A clock that stands.
pub(crate) struct Pause<'c>(&'c Clock);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        let Some((since, questions)) = state.stands else { return };
        if questions > 1 {
            state.stands = Some((since, questions - 1));
            return;
        }
        state.stood += since.elapsed();
        state.stands = None;
        drop(state);
        self.0.goes_on.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn the_clock_stands_while_anybody_is_asked() {
        let clock = Arc::new(Clock::start());
        let mut extensions = Extensions::default();
        extensions.insert(Arc::clone(&clock));
        let (first, second) = (begin(&extensions), begin(&extensions));
        let limit = Duration::from_millis(60);
        assert!(tokio::time::timeout(limit * 3, clock.wait(limit)).await.is_err(), "it stands");
        drop(first);
        assert!(tokio::time::timeout(limit * 3, clock.wait(limit)).await.is_err(), "for the second still");
        drop(second);
        assert!(clock.ran() < limit);
        assert!(tokio::time::timeout(limit * 20, clock.wait(limit)).await.is_ok());
    }
}
