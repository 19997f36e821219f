//! The call of the page that a request belongs to.

use std::sync::{Arc, Mutex, PoisonError};

use ferromcp_core::{RawJson, Str};

tokio::task_local! {
    /// The call of the page that the current task sends.
    pub(crate) static CALL: Arc<CallContext>;
}

/// A call of the page.
pub(crate) struct CallContext {
    pub(crate) id: Str,
    /// The latest result that the server has sent for it.
    result: Mutex<Option<RawJson>>,
}

impl CallContext {
    /// Creates the context of a call with this id.
    pub(crate) fn new(id: Str) -> Self {
        Self { id, result: Mutex::default() }
    }

    /// Returns the latest result as the server has sent it.
    pub(crate) fn take_result(&self) -> Option<RawJson> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn set_result(&self, result: RawJson) {
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }
}
