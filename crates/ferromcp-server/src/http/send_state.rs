//! The state of an endpoint that the senders of messages observe.

use std::sync::Arc;

use super::byte_budget::ByteBudget;
use crate::latch::Latch;

/// The state of an endpoint that the senders of messages observe.
pub(crate) struct SendState {
    /// Set when shutdown begins: new requests are rejected, open streams end.
    pub(crate) closing: Latch,
    /// The budget for unwritten responses.
    pub(crate) responses: Arc<ByteBudget>,
}
