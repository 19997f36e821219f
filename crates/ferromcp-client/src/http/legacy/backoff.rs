//! Backoff between attempts to resume a stream. Pure computation; the caller measures time.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

use std::time::Duration;

use crate::http::limits::HttpLimits;

/// First delay if the server did not set `retry`.
const INITIAL_DELAY: Duration = Duration::from_secs(1);

/// Minimum delay, for servers that set `retry` to zero.
const MIN_DELAY: Duration = Duration::from_millis(50);

/// A connection that lasted this long is not a failed attempt, even without events: proxies close idle connections.
const STABLE: Duration = Duration::from_secs(10);

/// Exponential backoff, with a limit on consecutive attempts without new events.
#[derive(Debug)]
pub(in crate::http) struct Backoff {
    attempts: u32,
    max_attempts: u32,
    max_delay: Duration,
}

impl Backoff {
    pub(in crate::http) fn new(limits: &HttpLimits) -> Self {
        Self { attempts: 0, max_attempts: limits.resumptions, max_delay: limits.max_backoff }
    }

    /// Resets the attempts after a new event.
    pub(in crate::http) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// Records the end of a connection that lasted for `duration`.
    pub(in crate::http) fn disconnected(&mut self, duration: Duration) {
        if duration >= STABLE {
            self.reset();
        }
    }

    /// Returns the delay before the next attempt, or `None` if the attempts are exhausted. The delay is at least `retry`, the
    /// value set by the server, and grows after attempts without events.
    pub(in crate::http) fn next_delay(&mut self, retry: Option<Duration>) -> Option<Duration> {
        if self.attempts >= self.max_attempts {
            return None;
        }
        let failed = self.attempts;
        self.attempts += 1;
        let exponential = |doublings: u32| {
            let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
            INITIAL_DELAY.saturating_mul(factor).min(self.max_delay)
        };
        let delay = match retry {
            None => exponential(failed),
            // The server's value is used exactly as long as attempts succeed.
            Some(retry) if failed == 0 => retry,
            Some(retry) => retry.max(exponential(failed - 1)),
        };
        Some(delay.max(MIN_DELAY))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn backoff(resumptions: u32) -> Backoff {
        Backoff::new(&HttpLimits { resumptions, ..HttpLimits::default() })
    }

    #[test]
    fn delays_grow_until_exhausted_and_reset_after_progress() {
        let mut backoff = backoff(7);
        let mut pauses =
            || std::iter::from_fn(|| backoff.next_delay(None)).map(|delay| delay.as_secs()).collect::<Vec<_>>();
        assert_eq!(pauses(), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pauses(), [0; 0]);
        backoff.reset();
        assert_eq!(backoff.next_delay(None), Some(INITIAL_DELAY));
    }

    #[test]
    fn uses_retry_of_server_exactly_when_attempts_succeed() {
        // S-144
        let mut backoff = backoff(3);
        for _ in 0..100 {
            assert_eq!(backoff.next_delay(Some(Duration::from_millis(500))), Some(Duration::from_millis(500)));
            backoff.reset();
        }
        assert_eq!(backoff.next_delay(Some(Duration::ZERO)), Some(MIN_DELAY));
    }

    #[test]
    fn attempts_are_unlimited_when_idle_connections_are_stable() {
        let mut backoff = backoff(1);
        for _ in 0..10 {
            backoff.disconnected(STABLE);
            assert_eq!(backoff.next_delay(None), Some(INITIAL_DELAY));
        }
        backoff.disconnected(STABLE / 2);
        assert_eq!(backoff.next_delay(None), None);
    }

    proptest! {
        #[test]
        fn delay_is_never_shorter_than_retry(retry in any::<u64>(), resumptions in 0_u32..100) {
            let (mut backoff, retry) = (backoff(resumptions), Duration::from_millis(retry));
            let mut count = 0;
            while let Some(delay) = backoff.next_delay(Some(retry)) {
                prop_assert!(delay >= retry && delay >= MIN_DELAY);
                count += 1;
            }
            prop_assert_eq!(count, resumptions);
        }
    }
}
