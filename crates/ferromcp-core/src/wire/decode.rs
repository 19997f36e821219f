//! Decodes a frame into messages, or into a [`DecodeError`] with the error to respond with.
//!
//! A valid frame is decoded in one pass. A frame that fails is parsed a second time, to distinguish
//! a parse error (-32700), an invalid request (-32600) and invalid params (-32602), and to read the id.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;

use super::envelope::EnvelopeSeed;
use crate::error::Error;
use crate::id::RequestId;
use crate::json::{MAX_DEPTH, depth_within};
use crate::message::{DecodeError, Direction, Incoming, Message};
use crate::shared_str::Str;

/// Maximum number of messages in a batch (2025-03-26), because a small frame could otherwise start many calls.
pub const MAX_BATCH: usize = 64;

/// Decodes a frame sent in the direction `S`. The transport limits the length of a frame.
///
/// ```
/// use ferromcp_core::wire::{FromClient, Incoming, Message, decode};
///
/// let frame = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
/// let Ok(Incoming::One(Message::Request { id, request })) = decode::<FromClient>(frame[..].into()) else { panic!() };
/// assert_eq!((id.to_string().as_str(), request.method()), ("1", "tools/list"));
/// ```
///
/// # Errors
/// Returns the error to respond with if the frame is not JSON, is not a JSON-RPC message, has invalid parameters, or
/// exceeds [`MAX_DEPTH`] or [`MAX_BATCH`].
pub fn decode<S: Direction>(frame: Bytes) -> Result<Incoming<S>, DecodeError> {
    let Ok(frame) = Str::from_utf8(frame) else {
        return Err(DecodeError::new(Error::parse("Parse error: the message is not UTF-8")));
    };
    if !depth_within(frame.as_bytes(), MAX_DEPTH) {
        let message = format!("Invalid request: nested deeper than {MAX_DEPTH} levels");
        return Err(DecodeError::new(Error::invalid_request(message)));
    }
    if frame.trim_start().starts_with('[') {
        return decode_batch(&frame);
    }
    decode_one(&frame, &frame).map(Incoming::One)
}

/// Decodes one message from `text`, a part of `frame`.
fn decode_one<S: Direction>(text: &str, frame: &Str) -> Result<Message<S>, DecodeError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let seed = EnvelopeSeed::<S> { frame, direction: std::marker::PhantomData };
    let message = seed.deserialize(&mut json).and_then(|message| json.end().map(|()| message));
    message.map_err(|error| classify_error(text, &error))
}

fn decode_batch<S: Direction>(frame: &Str) -> Result<Incoming<S>, DecodeError> {
    let items: Vec<&RawValue> = serde_json::from_str(frame).map_err(|error| classify_error(frame, &error))?;
    if items.is_empty() {
        return Err(DecodeError::new(Error::invalid_request("Invalid request: empty batch")));
    }
    if items.len() > MAX_BATCH {
        let message = format!("Invalid request: batch of {} messages exceeds the limit of {MAX_BATCH}", items.len());
        return Err(DecodeError::new(Error::invalid_request(message)));
    }
    Ok(Incoming::Batch(items.into_iter().map(|item| decode_one(item.get(), frame)).collect()))
}

/// An envelope with raw members, used to classify a message that failed to decode.
#[derive(Deserialize)]
struct LooseEnvelope<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Maps `error`, the result of decoding `text`, to an error response.
fn classify_error(text: &str, error: &serde_json::Error) -> DecodeError {
    if let Err(syntax) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        return DecodeError::new(Error::parse(format!("Parse error: {syntax}")));
    }
    let cause = message_without_position(error);
    if !text.trim_start().starts_with('{') {
        return DecodeError::new(Error::invalid_request("Invalid request: the message is not an object"));
    }
    let Ok(envelope) = serde_json::from_str::<LooseEnvelope<'_>>(text) else {
        return DecodeError::new(Error::invalid_request(format!("Invalid request: {cause}")));
    };
    let id = envelope.id.and_then(|raw| serde_json::from_str::<RequestId>(raw.get()).ok());
    let is_envelope = envelope.jsonrpc.is_some_and(|raw| raw.get() == "\"2.0\"")
        && envelope.method.is_some_and(|raw| raw.get().starts_with('"'));
    let has_id = has_id_member(text);
    if is_envelope && (id.is_some() || !has_id) {
        // The envelope is valid, so the parameters are invalid.
        let error = Error::invalid_params(format!("Invalid params: {cause}"));
        return DecodeError { suppress_response: !has_id, id, error };
    }
    let is_response = envelope.method.is_none() && (envelope.result.is_some() || envelope.error.is_some());
    DecodeError {
        id,
        suppress_response: is_response,
        ..DecodeError::new(Error::invalid_request(format!("Invalid request: {cause}")))
    }
}

/// Reads the method of a message that could not be decoded.
pub fn method_of(frame: &[u8]) -> Option<String> {
    let envelope = serde_json::from_slice::<LooseEnvelope<'_>>(frame).ok()?;
    serde_json::from_str(envelope.method?.get()).ok()
}

/// Returns `true` if the message has an `id` member, including `null`.
fn has_id_member(text: &str) -> bool {
    #[derive(Deserialize)]
    struct IdMember<'a> {
        #[serde(borrow, default, deserialize_with = "present")]
        id: Option<&'a RawValue>,
    }
    fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Some)
    }
    serde_json::from_str::<IdMember<'_>>(text).is_ok_and(|only| only.id.is_some())
}

/// Returns the message of `error` without line and column, which are of no use in a single-line frame.
fn message_without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
