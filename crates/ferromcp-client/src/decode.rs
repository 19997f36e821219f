//! Decodes messages and results of the server. Imperfect ones are repaired as far as possible, and each repair is logged.

use std::borrow::Cow;

use bytes::Bytes;
use ferromcp_core::text::excerpt;
use ferromcp_core::wire::{self, DecodeError, FromServer, Incoming, Message, Repairable};
use ferromcp_core::{FieldError, RawJson, Repairs, RequestId, ServerResult};
use serde::de::IgnoredAny;

use crate::deviations::Deviations;

/// The path of the repair of an id in the envelope.
const ID: &str = "id";

/// Decodes a frame of the server.
pub(crate) fn decode_frame(frame: &Bytes, deviations: &Deviations) -> Result<Incoming<FromServer>, DecodeError> {
    let mut repairs = Repairs::new();
    let frame = without_byte_order_mark(frame);
    let decoded = wire::decode_with_repairs::<FromServer>(frame.clone(), &mut repairs);
    let decoded = decoded.or_else(|error| decode_lossy(&frame, &mut repairs).unwrap_or(Err(error)));
    log_repairs("a message", &repairs);
    repairs.iter().filter(|repair| repair.path == ID).for_each(|_| deviations.converted_id());
    let with_sent_id = |message| with_sent_id(message, deviations);
    let error_with_sent_id = |error| error_with_sent_id(error, deviations);
    match decoded {
        Ok(Incoming::One(message)) => Ok(Incoming::One(with_sent_id(message))),
        Ok(Incoming::Batch(messages)) => Ok(Incoming::Batch(
            messages.into_iter().map(|message| message.map(with_sent_id).map_err(error_with_sent_id)).collect(),
        )),
        Err(error) => Err(error_with_sent_id(error)),
    }
}

/// Removes the byte order mark that some languages write before a text.
pub(crate) fn without_byte_order_mark(text: &Bytes) -> Bytes {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if text.starts_with(MARK) { text.slice(MARK.len()..) } else { text.clone() }
}

/// Decodes a frame that is JSON except for strings that are not UTF-8. Invalid bytes are read as U+FFFD.
#[cold]
fn decode_lossy(frame: &Bytes, repairs: &mut Repairs) -> Option<Result<Incoming<FromServer>, DecodeError>> {
    let Cow::Owned(text) = String::from_utf8_lossy(frame) else { return None };
    serde_json::from_str::<IgnoredAny>(&text).ok()?;
    tracing::warn!("the server sent a message that is not UTF-8; read invalid bytes as U+FFFD");
    Some(wire::decode_with_repairs(text.into(), repairs))
}

/// Decodes the result of `method`.
pub(crate) fn decode_server_result(method: &str, result: &RawJson) -> Result<ServerResult, FieldError> {
    let mut repairs = Repairs::new();
    let decoded = ServerResult::decode_with_repairs(method, result, &mut repairs);
    log_repairs(method, &repairs);
    decoded
}

/// Decodes a result of a known type.
pub(crate) fn decode_result<T: Repairable>(method: &str, result: &RawJson) -> Result<T, FieldError> {
    let mut repairs = Repairs::new();
    let decoded = wire::decode_result(result, "result", &mut repairs);
    log_repairs(method, &repairs);
    decoded
}

fn log_repairs(of: &str, repairs: &Repairs) {
    for repair in repairs.iter().filter(|repair| repair.path != ID) {
        tracing::warn!(of = %excerpt(of), "the server sent an invalid field: {repair}");
    }
    if repairs.omitted() > 0 {
        tracing::warn!(of = %excerpt(of), "the server sent {} more invalid fields", repairs.omitted());
    }
}

/// Restores the number of an id that the server returned as a string. The client sends numbers, and no other decimal ids.
fn with_sent_id(message: Message<FromServer>, deviations: &Deviations) -> Message<FromServer> {
    match message {
        Message::Response { id: Some(id), outcome } => {
            Message::Response { id: Some(sent_request_id(id, deviations)), outcome }
        }
        other => other,
    }
}

fn error_with_sent_id(mut error: DecodeError, deviations: &Deviations) -> DecodeError {
    // Without a method, it is a response, whose id the client chose. The ids of requests are those of the server.
    if error.suppress_response {
        error.id = error.id.map(|id| sent_request_id(id, deviations));
    }
    // The text is reported to the caller, who sees that a response is invalid, and not to the server.
    if error.suppress_response || error.id.is_none() {
        if let Some(cause) = error.error.message.strip_prefix("Invalid request: ") {
            error.error.message = cause.to_owned();
        }
    }
    error
}

/// Returns the id of the request that the client sent, for the id of a response.
fn sent_request_id(id: RequestId, deviations: &Deviations) -> RequestId {
    match id.parse_decimal() {
        Some(number) => {
            deviations.converted_id();
            number
        }
        None => id,
    }
}

/// Returns the id that the client sent, for a progress token or an id in a notification.
pub(crate) fn sent_id(id: RequestId) -> RequestId {
    match id.parse_decimal() {
        Some(number) => {
            tracing::debug!(%number, "the server returned a number as a string");
            number
        }
        None => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_frame(frame: &Bytes) -> Result<Incoming<FromServer>, DecodeError> {
        super::decode_frame(frame, &Deviations::default())
    }

    #[test]
    fn restores_numbers_when_ids_are_returned_as_strings() {
        // C12
        for (frame, expected) in [
            (r#"{"jsonrpc":"2.0","id":"3","result":{}}"#, RequestId::from(3)),
            (r#"{"jsonrpc":"2.0","id":3.0,"result":{}}"#, RequestId::from(3)),
            (r#"{"jsonrpc":"2.0","id":"3.00","result":{}}"#, RequestId::from(3)),
            (r#"{"jsonrpc":"2.0","id":"3","error":{"code":1,"message":"m"}}"#, RequestId::from(3)),
            (r#"{"jsonrpc":"2.0","id":"03","result":{}}"#, RequestId::from("03")),
            (r#"{"jsonrpc":"2.0","id":"session-check","result":{}}"#, RequestId::from("session-check")),
        ] {
            let Ok(Incoming::One(Message::Response { id, .. })) = decode_frame(&frame.into()) else {
                panic!("{frame}")
            };
            assert_eq!(id, Some(expected), "{frame}");
        }
        let invalid = r#"{"jsonrpc":"2.0","id":"3","result":{},"error":{"code":1,"message":"m"}}"#;
        let error = decode_frame(&invalid.into()).unwrap_err();
        assert_eq!((error.id, error.suppress_response), (Some(RequestId::from(3)), true));
        // The id of a request of the server is returned unchanged.
        let request = r#"{"jsonrpc":"2.0","id":"3","method":"ping"}"#;
        let Ok(Incoming::One(Message::Request { id, .. })) = decode_frame(&request.into()) else { panic!() };
        assert_eq!(id, RequestId::from("3"));
    }

    #[test]
    fn ignores_byte_order_mark() {
        // C10
        let frame = Bytes::from("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
        assert!(matches!(decode_frame(&frame), Ok(Incoming::One(Message::Response { outcome: Ok(_), .. }))));
    }

    #[test]
    fn replaces_invalid_bytes_when_message_is_not_utf8() {
        // C10
        let frame = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":\"b\xed\xa0\xbd\"}}";
        let Ok(Incoming::One(Message::Response { outcome, .. })) = decode_frame(&Bytes::from_static(frame)) else {
            panic!()
        };
        assert!(outcome.unwrap().as_str().contains('\u{fffd}'));
        assert!(decode_frame(&Bytes::from_static(b"\x1f\x8b\x08")).is_err());
    }
}
