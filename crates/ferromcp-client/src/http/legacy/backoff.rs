//! When to come back to a stream that was cut, and when to give it up. No clock is read here.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

use std::time::Duration;

use crate::http::limits::HttpLimits;

/// The first pause where the server asked for none.
const FIRST: Duration = Duration::from_secs(1);

/// The shortest pause: a server may ask for none at all, and would be asked as fast as the network allows.
const LEAST: Duration = Duration::from_millis(50);

/// A connection that held for so long was no failed attempt, even if nothing was said on it: proxies cut silent ones.
const SETTLED: Duration = Duration::from_secs(10);

/// Counts attempts without anything new.
#[derive(Debug)]
pub(in crate::http) struct Backoff {
    attempts: u32,
    most: u32,
    longest: Duration,
}

impl Backoff {
    pub(in crate::http) fn new(limits: &HttpLimits) -> Self {
        Self { attempts: 0, most: limits.resumptions, longest: limits.max_backoff }
    }

    /// Something new came.
    pub(in crate::http) fn progress(&mut self) {
        self.attempts = 0;
    }

    /// A connection ended that had held for so long.
    pub(in crate::http) fn ended(&mut self, held: Duration) {
        if held >= SETTLED {
            self.progress();
        }
    }

    /// How long to wait before the next attempt: never less than the server asked for, and more after attempts that
    /// brought nothing. `None` when it is time to give up.
    pub(in crate::http) fn pause(&mut self, asked: Option<Duration>) -> Option<Duration> {
        if self.attempts >= self.most {
            return None;
        }
        let fruitless = self.attempts;
        self.attempts += 1;
        let own = |doublings: u32| {
            let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
            FIRST.saturating_mul(factor).min(self.longest)
        };
        let pause = match asked {
            None => own(fruitless),
            // What was asked for is held to exactly, as long as coming back is worth it.
            Some(asked) if fruitless == 0 => asked,
            Some(asked) => asked.max(own(fruitless - 1)),
        };
        Some(pause.max(LEAST))
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
    fn pauses_grow_until_it_is_given_up_and_begin_anew_after_progress() {
        let mut backoff = backoff(7);
        let mut pauses = || std::iter::from_fn(|| backoff.pause(None)).map(|pause| pause.as_secs()).collect::<Vec<_>>();
        assert_eq!(pauses(), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pauses(), [0; 0]);
        backoff.progress();
        assert_eq!(backoff.pause(None), Some(FIRST));
    }

    #[test]
    fn what_the_server_asks_for_is_held_to_exactly_while_it_helps() {
        // S-144
        let mut backoff = backoff(3);
        for _ in 0..100 {
            assert_eq!(backoff.pause(Some(Duration::from_millis(500))), Some(Duration::from_millis(500)));
            backoff.progress();
        }
        assert_eq!(backoff.pause(Some(Duration::ZERO)), Some(LEAST));
    }

    #[test]
    fn silent_connections_that_hold_are_come_back_to_for_ever() {
        let mut backoff = backoff(1);
        for _ in 0..10 {
            backoff.ended(SETTLED);
            assert_eq!(backoff.pause(None), Some(FIRST));
        }
        backoff.ended(SETTLED / 2);
        assert_eq!(backoff.pause(None), None);
    }

    proptest! {
        #[test]
        fn no_pause_is_shorter_than_asked(asked in any::<u64>(), resumptions in 0_u32..100) {
            let (mut backoff, asked) = (backoff(resumptions), Duration::from_millis(asked));
            let mut count = 0;
            while let Some(pause) = backoff.pause(Some(asked)) {
                prop_assert!(pause >= asked && pause >= LEAST);
                count += 1;
            }
            prop_assert_eq!(count, resumptions);
        }
    }
}
