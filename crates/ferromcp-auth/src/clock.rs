//! The wall clock, with which servers state when tokens expire.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the seconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
