//! The two eras of the protocol. Layers above this module do not depend on the era.
//!
//! Each message is classified independently: a request with a revision in `_meta` is modern, regardless of earlier messages
//! on the same connection. Any other message belongs to the session that `initialize` created.

pub(crate) mod legacy;
pub(crate) mod modern;

use ferromcp_core::{Error, RequestId};

/// Creates the error for a request whose id belongs to an in-flight call.
pub(crate) fn id_in_use(id: &RequestId) -> Error {
    Error::invalid_request(format!("Invalid request: the id {id:?} belongs to an in-flight call"))
}

/// Creates the error for a call that exceeds `Limits::in_flight`.
pub(crate) fn too_many_calls(limit: usize) -> Error {
    Error::internal(format!("Too many in-flight calls; the limit `Limits::in_flight` is {limit}"))
}

/// Creates the error for a batch in a revision without batches.
pub(crate) fn no_batches() -> Error {
    Error::invalid_request("Invalid request: send one message at a time; only revision 2025-03-26 supports batches")
}
