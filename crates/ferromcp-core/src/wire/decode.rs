//! Decodes a frame into messages, or into a [`DecodeError`] with the error to respond with.
//!
//! A valid frame is decoded in one pass. A frame that fails is decoded a second time, to repair it, or to distinguish a
//! parse error (-32700), an invalid request (-32600) and invalid params (-32602), and to read the id.

use std::marker::PhantomData;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny};
use serde_json::value::RawValue;

use super::envelope::EnvelopeSeed;
use crate::error::Error;
use crate::id::{RequestId, integral_float};
use crate::json::{MAX_DEPTH, depth_within};
use crate::message::{DecodeError, Direction, Incoming, Message};
use crate::repair::edit::Members;
use crate::repair::path::{Path, Segment, decode_tracked};
use crate::repair::policy::{self, Policy};
use crate::repair::{self, FieldError, Repair, RepairKind, Repairs};
use crate::shared_str::Str;
use crate::surrogates::replace_lone_surrogates;

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
    decode_with_repairs(frame, &mut Repairs::new())
}

/// Decodes a frame like [`decode`], and records the repairs of imperfect messages, which the caller logs.
///
/// # Errors
/// See [`decode`].
pub fn decode_with_repairs<S: Direction>(frame: Bytes, repairs: &mut Repairs) -> Result<Incoming<S>, DecodeError> {
    let Ok(frame) = Str::from_utf8(frame) else {
        return Err(DecodeError::new(Error::parse("Parse error: the message is not UTF-8")));
    };
    if !depth_within(frame.as_bytes(), MAX_DEPTH) {
        let message = format!("Invalid request: nested deeper than {MAX_DEPTH} levels");
        return Err(DecodeError::new(Error::invalid_request(message)));
    }
    if frame.trim_start().starts_with('[') {
        return decode_batch(&frame, repairs);
    }
    decode_one(&frame, &frame, repairs).map(Incoming::One)
}

/// Decodes one message from `text`, a part of `frame`.
fn decode_one<S: Direction>(text: &str, frame: &Str, repairs: &mut Repairs) -> Result<Message<S>, DecodeError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let seed = EnvelopeSeed::<S> { frame, direction: PhantomData };
    match seed.deserialize(&mut json) {
        Ok(message) if json.end().is_ok() => Ok(message),
        _ => decode_imperfect(text, repairs),
    }
}

fn decode_batch<S: Direction>(frame: &Str, repairs: &mut Repairs) -> Result<Incoming<S>, DecodeError> {
    let items: Vec<&RawValue> = match serde_json::from_str(frame) {
        Ok(items) => items,
        Err(error) => return Err(DecodeError::new(Error::parse(format!("Parse error: {error}")))),
    };
    if items.is_empty() {
        return Err(DecodeError::new(Error::invalid_request("Invalid request: empty batch")));
    }
    if items.len() > MAX_BATCH {
        let message = format!("Invalid request: batch of {} messages exceeds the limit of {MAX_BATCH}", items.len());
        return Err(DecodeError::new(Error::invalid_request(message)));
    }
    Ok(Incoming::Batch(items.into_iter().map(|item| decode_one(item.get(), frame, repairs)).collect()))
}

/// Decodes a message that failed to decode strictly: repairs it, or classifies the error.
#[cold]
#[inline(never)]
fn decode_imperfect<S: Direction>(text: &str, repairs: &mut Repairs) -> Result<Message<S>, DecodeError> {
    if let Err(syntax) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(DecodeError::new(Error::parse(format!("Parse error: {syntax}"))));
    }
    let text = replace_lone_surrogates(text);
    let Some(members) = Members::of(&text) else {
        return Err(DecodeError::new(Error::invalid_request("Invalid request: the message is not an object")));
    };
    if !S::IS_CLIENT && is_response_without_version(&members) {
        let path = Path(vec![Segment::key("jsonrpc")]);
        let cause = FieldError::new(path.clone(), "must be \"2.0\"");
        repairs.push(Repair::new(RepairKind::Replaced, &path, None, cause));
    }
    let text = normalize_envelope::<S>(&members);
    let method = members.get("method").and_then(|method| serde_json::from_str::<String>(method).ok());
    let method = method.as_deref();
    let allows = |path: &[Segment]| {
        if S::IS_CLIENT { policy::allows_from_client(method, path) } else { policy::allows_from_server(method, path) }
    };
    let policy = Policy { allows: &allows, allows_null: &policy::allows_null, coarse: 2 };
    let attempt = |text: &str| {
        let frame = Str::from(text);
        decode_tracked(EnvelopeSeed::<S> { frame: &frame, direction: PhantomData }, &frame)
    };
    repair::run(&text, (&Path::default(), None), &policy, repairs, attempt)
        .map_err(|error| classify_error::<S>(&text, &error))
}

/// Returns an envelope with the same meaning, as it is decoded: `method` precedes `params`, and members of other message
/// kinds that are `null` are absent.
fn normalize_envelope<S: Direction>(members: &Members<'_>) -> String {
    let is_set = |name: &str| members.get(name).is_some_and(|value| value != "null");
    let adds_version = !S::IS_CLIENT && is_response_without_version(members);
    let is_response = !is_set("method") && (members.get("result").is_some() || is_set("error"));
    let method = members.get("method").and_then(|method| serde_json::from_str::<String>(method).ok());
    let is_notification = method.as_deref().is_some_and(S::is_notification);
    let id = members.get("id").filter(|_| is_response).and_then(integral_float);
    let kept = members.iter().filter(|(name, value)| match (*name, *value) {
        ("method" | "error", "null") => false,
        ("error", value) if !S::IS_CLIENT && policy::is_blank(value) => !is_set("result"),
        ("jsonrpc", _) => !adds_version,
        ("result", "null") => !is_set("method") && !is_set("error"),
        ("id", "null") => !is_notification,
        _ => true,
    });
    let kept: Vec<_> = kept.map(|(name, value)| (name, id.filter(|_| name == "id").unwrap_or(value))).collect();
    let (method, others): (Vec<_>, Vec<_>) = kept.into_iter().partition(|(name, _)| *name == "method");
    let version = adds_version.then_some(("jsonrpc", r#""2.0""#));
    Members::write(version.into_iter().chain(method).chain(others))
}

/// Returns whether a message is the response to a request, except that it lacks `"jsonrpc":"2.0"`. Without an id, it could
/// be a line of a log.
fn is_response_without_version(members: &Members<'_>) -> bool {
    let is_set = |name: &str| members.get(name).is_some_and(|value| value != "null");
    members.get("jsonrpc") != Some(r#""2.0""#)
        && !is_set("method")
        && is_set("id")
        && (members.get("result").is_some() || is_set("error"))
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

/// Maps `error`, the result of decoding the object `text`, to an error response.
fn classify_error<S: Direction>(text: &str, error: &FieldError) -> DecodeError {
    let Ok(envelope) = serde_json::from_str::<LooseEnvelope<'_>>(text) else {
        return DecodeError::new(Error::invalid_request(format!("Invalid request: {error}")));
    };
    let id = envelope.id.and_then(|raw| serde_json::from_str::<RequestId>(raw.get()).ok());
    let has_version = envelope.jsonrpc.is_some_and(|raw| raw.get() == "\"2.0\"");
    let is_envelope = has_version && envelope.method.is_some_and(|raw| raw.get().starts_with('"'));
    let has_id = has_id_member(text);
    if is_envelope && (id.is_some() || !has_id) {
        // The envelope is valid, so the parameters are invalid.
        let error = Error::invalid_params(format!("Invalid params: {error}"));
        return DecodeError { suppress_response: !has_id, id, error };
    }
    // The client awaits a response, so an empty one completes the request as well.
    let is_empty = has_version && id.is_some() && !S::IS_CLIENT;
    let has_outcome = envelope.result.is_some() || envelope.error.is_some() || is_empty;
    let is_response = envelope.method.is_none() && has_outcome;
    DecodeError {
        id,
        suppress_response: is_response,
        ..DecodeError::new(Error::invalid_request(format!("Invalid request: {error}")))
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
