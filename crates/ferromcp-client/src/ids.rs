//! Ids of requests, none of them given twice in a client's life.

use std::sync::atomic::{AtomicI64, Ordering};

use ferromcp_core::RequestId;

/// Where ids come from.
#[derive(Debug)]
pub(crate) struct Ids(AtomicI64);

impl Ids {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(1))
    }

    /// The next one.
    pub(crate) fn next(&self) -> RequestId {
        RequestId::Number(self.0.fetch_add(1, Ordering::Relaxed))
    }
}
