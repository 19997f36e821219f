//! Time in whole milliseconds, small enough for an atomic.

use std::sync::LazyLock;

use tokio::time::Instant;

/// Milliseconds since some moment early in this process.
pub(crate) fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}
