//! Request IDs of a client.

use std::sync::atomic::{AtomicI64, Ordering};

use ferromcp_core::RequestId;

/// Generator of request IDs, which are unique over the lifetime of a client.
#[derive(Debug)]
pub(crate) struct RequestIds(AtomicI64);

impl RequestIds {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(1))
    }

    /// Returns the next ID.
    pub(crate) fn next(&self) -> RequestId {
        RequestId::Number(self.0.fetch_add(1, Ordering::Relaxed))
    }
}
