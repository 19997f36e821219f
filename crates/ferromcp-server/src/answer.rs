//! Serializes replies.

use bytes::BytesMut;
use ferromcp_core::wire::{EncodeContext, encode};
use ferromcp_core::{Error, RequestId, Revision};

use crate::call::Reply;
use crate::inner::Inner;

/// Serializes the reply to request `id` for a peer of `revision`. A serialization error becomes an error response.
pub(crate) fn write(out: &mut BytesMut, inner: &Inner, id: &RequestId, reply: Reply, revision: Revision) {
    let context = EncodeContext::new(revision).server_info(inner.info_json());
    let written = match reply {
        Reply::Done(result) => encode::server_result(out, id, result, context),
        Reply::NeedsInput(required) => encode::input_required(out, id, required, context),
        Reply::Failed(error) => {
            encode::error(out, Some(id), error, revision);
            Ok(())
        }
    };
    if let Err(error) = written {
        tracing::error!(%error, "cannot serialize a result");
        encode::error(out, Some(id), Error::internal("Internal error: cannot serialize the result"), revision);
    }
}
