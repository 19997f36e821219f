//! The clock of a cache.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A source of the current time, in milliseconds since the Unix epoch.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// Creates a clock from a function.
    pub fn new(now: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(super) fn now(&self) -> u64 {
        (self.0)()
    }
}

impl Default for Clock {
    /// Starts at the current system time, and is monotonic from then on.
    fn default() -> Self {
        let begin = Instant::now();
        let offset = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::new(move || millis(offset.saturating_add(begin.elapsed())))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// Converts a duration to whole milliseconds, saturating.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
