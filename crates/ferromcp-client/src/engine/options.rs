//! How one request wants to be handled.

use std::fmt;
use std::time::Duration;

use crate::board::ProgressListener;

/// The options of one request; what is unset is as the client's limits say.
#[derive(Clone, Default)]
pub(crate) struct Options {
    /// Without an answer or a sign of life.
    pub(crate) timeout: Option<Duration>,
    /// In any case.
    pub(crate) cap: Option<Duration>,
    pub(crate) progress: Option<ProgressListener>,
    /// Whether it can be repeated; unset, the method and the tool's annotations decide.
    pub(crate) safe: Option<bool>,
    /// Whether stored results may serve.
    pub(crate) fresh: bool,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("timeout", &self.timeout).field("cap", &self.cap).finish_non_exhaustive()
    }
}
