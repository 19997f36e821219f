//! The two eras of the protocol. Layers above this module do not depend on the era.
//!
//! Each message is classified independently: a request with a revision in `_meta` is modern, regardless of earlier messages
//! on the same connection. Any other message belongs to the session that `initialize` created.

pub(crate) mod features;
pub(crate) mod legacy;
pub(crate) mod modern;
mod retained;

use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientRequest, Error, RequestId, Revision};

use self::legacy::Session;
use crate::call::Peer;

/// Returns the peer of a request on a connection: the one in `_meta`, or that of the session.
///
/// # Errors
/// The error to respond with, and the revision in which to send it.
pub(crate) fn peer(request: &ClientRequest, session: &mut Session) -> Result<Peer, (Error, Revision)> {
    match modern::peer(request) {
        Ok(Some(peer)) => Ok(peer),
        Ok(None) => session.admit(request).map_err(|error| (error, session.revision_or_latest())),
        Err(error) => Err((error, Revision::LATEST)),
    }
}

/// Returns the revision in which to respond to a message that cannot be decoded, or `None` if the revision has no
/// response to a message without an id.
pub(crate) fn decode_error_revision(session: &Session, id: Option<&RequestId>) -> Option<Revision> {
    let revision = session.revision().unwrap_or(Revision::LATEST);
    (id.is_some() || features::has_errors_without_id(revision)).then_some(revision)
}

/// Creates the error for a request whose id belongs to an in-flight call.
pub(crate) fn id_in_use(id: &RequestId) -> Error {
    Error::invalid_request(format!(
        "Invalid request: the id {} belongs to an in-flight call",
        excerpt(&format!("{id:?}"))
    ))
}

/// Creates the error for a call that exceeds `ServerLimits::in_flight`.
pub(crate) fn too_many_calls(limit: usize) -> Error {
    Error::internal(format!("Too many in-flight calls; the limit `ServerLimits::in_flight` is {limit}"))
}

/// Creates the error for a batch in a revision without batches.
pub(crate) fn no_batches() -> Error {
    Error::invalid_request("Invalid request: send one message at a time; only revision 2025-03-26 supports batches")
}
