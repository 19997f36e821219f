//! The error of calls that are still running when the shutdown timeout expires.

use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::Error;

use crate::latch::Latch;

/// Ends the calls of a batch with an error, because the shutdown timeout has expired.
pub(crate) struct ShutdownCut {
    pub(crate) latch: Arc<Latch>,
    pub(crate) error: Error,
}

/// Returns the error of a call that is ended when the shutdown timeout of `limits` expires.
pub(crate) fn shut_down_error(limits: &str, grace: Duration) -> Error {
    Error::internal(format!(
        "the server is shutting down: the call did not finish within `{limits}::shutdown_grace` ({grace:?}); it may have run \
         in part"
    ))
}
