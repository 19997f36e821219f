//! What was tried so far to keep a connection.

use tokio::time::Instant;

use crate::verdict::Verdict;

/// What was tried so far.
#[derive(Default)]
pub(super) struct History {
    /// Starts in a row.
    pub(super) row: u32,
    pub(super) last: Option<Instant>,
    pub(super) verdict: Option<Verdict>,
    pub(super) opened: bool,
}
