//! Exponential backoff between consecutive attempts. Pure computation: the caller measures time and sleeps.

use std::time::Duration;

use crate::limits::{ClientLimits, RESTART_BACKOFF, ROUND_BACKOFF};

/// Maximum delay between restarts of a connection or subscription.
const MAX_RESTART_DELAY: Duration = Duration::from_secs(30);

/// Maximum delay between rounds without input requests.
const MAX_ROUND_DELAY: Duration = Duration::from_secs(5);

/// The parameters of a [`Backoff`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackoffOptions {
    /// The first delay. It doubles with each consecutive attempt.
    pub(crate) initial_delay: Duration,
    /// Lower bound of all delays.
    pub(crate) min_delay: Duration,
    /// Upper bound of the exponential delays.
    pub(crate) max_delay: Duration,
    /// Maximum number of consecutive attempts.
    pub(crate) max_attempts: u32,
    /// Lifetime after which the end of a connection does not count as a failed attempt.
    pub(crate) stable_after: Duration,
}

/// Exponential backoff with a limit on consecutive attempts.
#[derive(Debug)]
pub(crate) struct Backoff {
    attempts: u32,
    options: BackoffOptions,
}

impl Backoff {
    pub(crate) fn new(options: BackoffOptions) -> Self {
        Self { attempts: 0, options }
    }

    /// Creates the backoff between restarts of a connection or subscription.
    pub(crate) fn for_restarts(limits: &ClientLimits) -> Self {
        Self::new(BackoffOptions {
            initial_delay: RESTART_BACKOFF,
            min_delay: Duration::ZERO,
            max_delay: MAX_RESTART_DELAY,
            max_attempts: limits.restart_attempts,
            stable_after: MAX_RESTART_DELAY,
        })
    }

    /// Creates the backoff between the rounds of a call whose responses contain only state.
    pub(crate) fn for_rounds(limits: &ClientLimits) -> Self {
        Self::new(BackoffOptions {
            initial_delay: ROUND_BACKOFF,
            min_delay: Duration::ZERO,
            max_delay: MAX_ROUND_DELAY,
            max_attempts: u32::try_from(limits.rounds).unwrap_or(u32::MAX),
            stable_after: Duration::MAX,
        })
    }

    /// Returns the number of consecutive attempts.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns whether no attempt is left.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.attempts >= self.options.max_attempts
    }

    /// Resets the attempts after progress.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// Records the end of a connection that lasted for `lifetime`.
    pub(crate) fn disconnected(&mut self, lifetime: Duration) {
        if lifetime >= self.options.stable_after {
            self.reset();
        }
    }

    /// Returns the delay before the next attempt, or `None` if the attempts are exhausted.
    ///
    /// With `first`, the delay before the first attempt is `first`; later delays are exponential, but not shorter.
    pub(crate) fn delay(&self, first: Option<Duration>) -> Option<Duration> {
        if self.is_exhausted() {
            return None;
        }
        let delay = match first {
            None => self.exponential(self.attempts),
            Some(first) if self.attempts == 0 => first,
            Some(first) => first.max(self.exponential(self.attempts - 1)),
        };
        Some(delay.max(self.options.min_delay))
    }

    fn exponential(&self, doublings: u32) -> Duration {
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.options.initial_delay.saturating_mul(factor).min(self.options.max_delay)
    }

    /// Returns the minimum time between the last attempt and the next one, without a limit on attempts.
    pub(crate) fn cooldown(&self) -> Duration {
        self.attempts.checked_sub(1).map_or(Duration::ZERO, |doublings| self.exponential(doublings))
    }

    /// Records an attempt.
    pub(crate) fn record_attempt(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
    }

    /// Returns the [`delay`](Self::delay) before the next attempt, and records the attempt.
    pub(crate) fn next_delay(&mut self, first: Option<Duration>) -> Option<Duration> {
        let delay = self.delay(first)?;
        self.record_attempt();
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIN_DELAY: Duration = Duration::from_millis(50);

    const STABLE: Duration = Duration::from_secs(10);

    fn backoff(max_attempts: u32) -> Backoff {
        Backoff::new(BackoffOptions {
            initial_delay: Duration::from_secs(1),
            min_delay: MIN_DELAY,
            max_delay: Duration::from_secs(30),
            max_attempts,
            stable_after: STABLE,
        })
    }

    #[test]
    fn delays_grow_until_exhausted_and_reset_after_progress() {
        let mut backoff = backoff(7);
        let mut delays =
            || std::iter::from_fn(|| backoff.next_delay(None)).map(|delay| delay.as_secs()).collect::<Vec<_>>();
        assert_eq!(delays(), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(delays(), [0; 0]);
        backoff.reset();
        assert_eq!(backoff.next_delay(None), Some(Duration::from_secs(1)));
    }

    #[test]
    fn uses_first_delay_exactly_when_attempts_succeed() {
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
            assert_eq!(backoff.next_delay(None), Some(Duration::from_secs(1)));
        }
        backoff.disconnected(STABLE / 2);
        assert_eq!(backoff.next_delay(None), None);
    }

    #[test]
    fn first_restart_is_immediate_and_later_delays_are_bounded_when_restarting() {
        let limits = ClientLimits::new().restart_attempts(10);
        let mut backoff = Backoff::for_restarts(&limits);
        let delays: Vec<_> =
            std::iter::from_fn(|| backoff.next_delay(Some(Duration::ZERO))).map(|delay| delay.as_millis()).collect();
        assert_eq!(delays, [0, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000]);
        assert_eq!((backoff.attempts(), backoff.is_exhausted()), (10, true));
        backoff.disconnected(MAX_RESTART_DELAY);
        assert!(!backoff.is_exhausted());
    }

    #[test]
    fn delays_between_rounds_are_bounded() {
        let mut backoff = Backoff::for_rounds(&ClientLimits::new().rounds(8));
        let delays: Vec<_> = std::iter::from_fn(|| backoff.next_delay(None)).map(|delay| delay.as_millis()).collect();
        assert_eq!(delays, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }

    proptest! {
        #[test]
        fn delay_is_never_shorter_than_first_delay(first in any::<u64>(), max_attempts in 0_u32..100) {
            let (mut backoff, first) = (backoff(max_attempts), Duration::from_millis(first));
            let mut count = 0;
            while let Some(delay) = backoff.next_delay(Some(first)) {
                prop_assert!(delay >= first && delay >= MIN_DELAY);
                count += 1;
            }
            prop_assert_eq!(count, max_attempts);
        }
    }
}
