//! Deviations of a server from the protocol that the client tolerates.
//!
//! A server that deviates often does so in each message, so each kind is logged once per connection as a warning, and then
//! at the level `debug`.

use std::sync::atomic::{AtomicBool, Ordering};

use ferromcp_core::text::excerpt;
use ferromcp_core::{RequestId, Revision};

/// Maximum number of requests that a warning names.
const MAX_NAMED: usize = 4;

/// The kinds of deviations that were logged for one connection.
#[derive(Debug, Default)]
pub(crate) struct Deviations {
    batch: AtomicBool,
    converted_id: AtomicBool,
    unmatched_response: AtomicBool,
}

impl Deviations {
    /// Logs a batch at a revision without batches. Its messages are handled one by one.
    pub(crate) fn batch(&self, messages: usize, revision: Revision) {
        let text = "the server sent a batch, which its revision does not support; handled each message";
        if is_first(&self.batch) {
            tracing::warn!(messages, %revision, "{text}");
        } else {
            tracing::debug!(messages, %revision, "{text}");
        }
    }

    /// Logs the id of a request that the server returned as another type, for example as `"3"` or `3.0`.
    pub(crate) fn converted_id(&self) {
        let text = "the server returned the numeric id of a request as a string or as a fraction; used the number";
        if is_first(&self.converted_id) {
            tracing::warn!("{text}");
        } else {
            tracing::debug!("{text}");
        }
    }

    /// Logs a response whose id matches no request. `waiting` returns the requests that have no response yet, as created by
    /// [`name_request`]; a server that changes ids causes one of them to time out.
    pub(crate) fn unmatched_response<N: Iterator<Item = String>>(&self, id: &RequestId, waiting: impl FnOnce() -> N) {
        if is_first(&self.unmatched_response) {
            let waiting = waiting().take(MAX_NAMED).collect::<Vec<_>>().join(", ");
            tracing::warn!(?id, waiting, "ignored a response whose id matches no request that waits for one");
        } else {
            tracing::debug!(?id, "ignored a response whose id matches no request that waits for one");
        }
    }
}

/// Names a request that waits for its response.
pub(crate) fn name_request(id: &RequestId, method: &str) -> String {
    format!("`{}` (id {id:?})", excerpt(method))
}

fn is_first(logged: &AtomicBool) -> bool {
    !logged.swap(true, Ordering::Relaxed)
}
