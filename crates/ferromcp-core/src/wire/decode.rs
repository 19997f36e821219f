//! From a frame to messages, or to a rejection that says what to answer.
//!
//! Good frames take one pass. Only what fails is looked at again, to tell apart "not JSON"
//! (-32700), "not a request" (-32600) and "wrong parameters" (-32602), and to find the id.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;

use super::envelope::EnvelopeSeed;
use crate::error::Error;
use crate::id::RequestId;
use crate::json::{DEFAULT_MAX_DEPTH, Str, depth_within};
use crate::message::{Incoming, Message, Rejection, Sender};

/// How much a frame may hold. Its length is the transport's matter.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct DecodeLimits {
    /// The deepest nesting of arrays and objects; [`DEFAULT_MAX_DEPTH`] unless set. Values above
    /// 127 have no effect on what is decoded into types, where serde_json's own bound holds.
    pub max_depth: usize,
    /// The most messages in one batch (2025-03-26); 64 unless set.
    pub max_batch: usize,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { max_depth: DEFAULT_MAX_DEPTH, max_batch: 64 }
    }
}

/// Decodes a frame that `S` sent.
///
/// ```
/// use ferromcp_core::message::{FromClient, Incoming, Message};
/// use ferromcp_core::wire::{DecodeLimits, decode};
///
/// let frame = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
/// let Ok(Incoming::One(Message::Request { id, request })) = decode::<FromClient>(frame[..].into(), &DecodeLimits::default())
/// else { panic!() };
/// assert_eq!((id.to_string().as_str(), request.method()), ("1", "tools/list"));
/// ```
///
/// # Errors
/// With what to answer, when the frame is not JSON, not JSON-RPC, or its parameters do not fit.
pub fn decode<S: Sender>(frame: Bytes, limits: &DecodeLimits) -> Result<Incoming<S>, Rejection> {
    let Ok(frame) = Str::try_from(frame) else {
        return Err(Rejection::new(Error::parse("Parse error: the message is not UTF-8")));
    };
    if !depth_within(frame.as_bytes(), limits.max_depth) {
        let message = format!("Invalid request: nested deeper than {} levels", limits.max_depth);
        return Err(Rejection::new(Error::invalid_request(message)));
    }
    if frame.trim_start().starts_with('[') {
        return batch(&frame, limits);
    }
    one(&frame, &frame).map(Incoming::One)
}

/// Decodes one message whose text is `text`, a part of `frame`.
fn one<S: Sender>(text: &str, frame: &Str) -> Result<Message<S>, Rejection> {
    let mut json = serde_json::Deserializer::from_str(text);
    let seed = EnvelopeSeed::<S> { frame, sender: std::marker::PhantomData };
    let message = seed.deserialize(&mut json).and_then(|message| json.end().map(|()| message));
    message.map_err(|error| explain(text, &error))
}

fn batch<S: Sender>(frame: &Str, limits: &DecodeLimits) -> Result<Incoming<S>, Rejection> {
    let items: Vec<&RawValue> = serde_json::from_str(frame).map_err(|error| explain(frame, &error))?;
    if items.is_empty() {
        return Err(Rejection::new(Error::invalid_request("Invalid request: an empty batch")));
    }
    if items.len() > limits.max_batch {
        let message = format!("Invalid request: a batch of {} messages, at most {}", items.len(), limits.max_batch);
        return Err(Rejection::new(Error::invalid_request(message)));
    }
    Ok(Incoming::Batch(items.into_iter().map(|item| one(item.get(), frame)).collect()))
}

/// An envelope whose members are looked at one by one, after reading it properly failed.
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

/// Says what is wrong with `text`, of which `error` came.
fn explain(text: &str, error: &serde_json::Error) -> Rejection {
    if let Err(syntax) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        return Rejection::new(Error::parse(format!("Parse error: {syntax}")));
    }
    let what = plain_words(error);
    if !text.trim_start().starts_with('{') {
        return Rejection::new(Error::invalid_request("Invalid request: the message is not an object"));
    }
    let Ok(envelope) = serde_json::from_str::<LooseEnvelope<'_>>(text) else {
        return Rejection::new(Error::invalid_request(format!("Invalid request: {what}")));
    };
    let id = envelope.id.and_then(|raw| serde_json::from_str::<RequestId>(raw.get()).ok());
    let is_envelope = envelope.jsonrpc.is_some_and(|raw| raw.get() == "\"2.0\"")
        && envelope.method.is_some_and(|raw| raw.get().starts_with('"'));
    let has_id_member = text_has_id(text);
    if is_envelope && (id.is_some() || !has_id_member) {
        // The envelope is sound, so the parameters are not.
        let error = Error::invalid_params(format!("Invalid params: {what}"));
        return Rejection { unanswerable: !has_id_member, id, error };
    }
    let is_response = envelope.method.is_none() && (envelope.result.is_some() || envelope.error.is_some());
    Rejection {
        id,
        unanswerable: is_response,
        ..Rejection::new(Error::invalid_request(format!("Invalid request: {what}")))
    }
}

/// The method of a message that could not be decoded, where it can be read.
pub fn method_of(frame: &[u8]) -> Option<String> {
    let envelope = serde_json::from_slice::<LooseEnvelope<'_>>(frame).ok()?;
    serde_json::from_str(envelope.method?.get()).ok()
}

/// Whether the message has an `id` member at all, `null` included.
fn text_has_id(text: &str) -> bool {
    #[derive(Deserialize)]
    struct OnlyId<'a> {
        #[serde(borrow, default, deserialize_with = "some")]
        id: Option<&'a RawValue>,
    }
    fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Some)
    }
    serde_json::from_str::<OnlyId<'_>>(text).is_ok_and(|only| only.id.is_some())
}

/// serde's word on a mistake without line and column, which mean little in a one-line message.
fn plain_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
