//! The two ways peers speak. Above this folder nothing knows of eras.
//!
//! Each message is classified by itself: one that carries a revision in `_meta` is modern, whatever
//! was said before on the same pipe; any other belongs to the session that `initialize` opened.

pub(crate) mod legacy;
pub(crate) mod modern;

use ferromcp_core::{Error, RequestId};

/// The id of a request is that of a call under way.
pub(crate) fn id_in_use(id: &RequestId) -> Error {
    Error::invalid_request(format!("Invalid request: the id {id:?} is in use by a call under way"))
}

/// A peer has as many calls under way as it may.
pub(crate) fn too_many_calls(limit: usize) -> Error {
    Error::internal(format!("Too many calls under way; at most {limit}"))
}

/// A batch came where there are none.
pub(crate) fn no_batches() -> Error {
    let why = "Invalid request: one message at a time; batches are for sessions of the revision that had them";
    Error::invalid_request(why)
}
