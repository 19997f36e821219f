//! Decodes messages of the client. Imperfect ones are repaired as far as possible, and each repair is logged.

use bytes::Bytes;
use ferromcp_core::wire::{self, DecodeError, FromClient, Incoming, Repairable};
use ferromcp_core::{FieldError, RawJson, Repairs};

/// Decodes a frame of the client.
pub(crate) fn decode_frame(frame: Bytes) -> Result<Incoming<FromClient>, DecodeError> {
    let mut repairs = Repairs::new();
    let decoded = wire::decode_with_repairs(frame, &mut repairs);
    log_repairs(&repairs);
    decoded
}

/// Decodes the response of the client to a request of the server.
pub(crate) fn decode_response<T: Repairable>(response: &RawJson) -> Result<T, FieldError> {
    let mut repairs = Repairs::new();
    let decoded = wire::decode_result(response, "result", &mut repairs);
    log_repairs(&repairs);
    decoded
}

fn log_repairs(repairs: &Repairs) {
    for repair in repairs.iter() {
        tracing::warn!("the client sent an invalid field: {repair}");
    }
    if repairs.omitted() > 0 {
        tracing::warn!("the client sent {} more invalid fields", repairs.omitted());
    }
}
