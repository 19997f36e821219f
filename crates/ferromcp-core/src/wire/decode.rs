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
use crate::json::{MAX_DEPTH, MAX_RESPONSE_DEPTH, depth_within};
use crate::message::{DecodeError, Direction, Incoming, Message};
use crate::repair::depth::limit_depth;
use crate::repair::edit::Members;
use crate::repair::path::{Path, Segment, decode_tracked};
use crate::repair::policy::{self, Policy};
use crate::repair::{self, FieldError, Repair, RepairKind, Repairs};
use crate::shared_str::Str;
use crate::surrogates::replace_lone_surrogates;

/// Maximum number of messages in a batch (2025-03-26), because a small frame could otherwise start many calls.
pub const MAX_BATCH: usize = 64;

/// Members that lines of a log have, and JSON-RPC messages do not.
const LOG_MEMBERS: [&str; 8] = ["level", "levelname", "severity", "msg", "logger", "time", "timestamp", "ts"];

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
/// exceeds [`MAX_DEPTH`] or [`MAX_BATCH`]. A response of a server can have [`MAX_RESPONSE_DEPTH`] levels, but the values in
/// it that exceed [`MAX_DEPTH`] are removed.
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
    let is_deep = !depth_within(frame.as_bytes(), MAX_DEPTH);
    if is_deep && S::IS_CLIENT {
        return Err(DecodeError::new(too_deep(MAX_DEPTH)));
    }
    if frame.trim_start().starts_with('[') {
        return decode_batch(&frame, is_deep, repairs);
    }
    decode_part(&frame, &frame, is_deep, repairs).map(Incoming::One)
}

/// Decodes one message from `text`, a part of `frame`. `is_deep` is whether the frame exceeds [`MAX_DEPTH`].
fn decode_part<S: Direction>(
    text: &str,
    frame: &Str,
    is_deep: bool,
    repairs: &mut Repairs,
) -> Result<Message<S>, DecodeError> {
    if is_deep && !depth_within(text.as_bytes(), MAX_DEPTH) {
        decode_deep(text, repairs)
    } else {
        decode_one(text, frame, repairs)
    }
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

fn decode_batch<S: Direction>(frame: &Str, is_deep: bool, repairs: &mut Repairs) -> Result<Incoming<S>, DecodeError> {
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
    Ok(Incoming::Batch(items.into_iter().map(|item| decode_part(item.get(), frame, is_deep, repairs)).collect()))
}

/// Decodes a message of a server that exceeds [`MAX_DEPTH`]: removes the values of a response that are nested too deep, and
/// rejects other messages. Does not recurse into the values.
#[cold]
#[inline(never)]
fn decode_deep<S: Direction>(text: &str, repairs: &mut Repairs) -> Result<Message<S>, DecodeError> {
    ensure_json(text)?;
    let text = replace_lone_surrogates(text);
    let Some(members) = Members::of(&text) else { return Err(DecodeError::new(too_deep(MAX_DEPTH))) };
    if is_stray::<S>(&members) {
        return Err(not_a_message());
    }
    let is_set = |name: &str| members.get(name).is_some_and(|value| value != "null");
    let is_response = !is_set("method") && (members.get("result").is_some() || is_set("error"));
    let error = if !is_response {
        too_deep(MAX_DEPTH)
    } else if !depth_within(text.as_bytes(), MAX_RESPONSE_DEPTH) {
        too_deep(MAX_RESPONSE_DEPTH)
    } else {
        match limit_depth(&members, repairs) {
            Ok(limited) => {
                let limited = Str::from(limited);
                return decode_one(&limited, &limited, repairs);
            }
            Err(error) => Error::invalid_request(format!("Invalid request: {error}")),
        }
    };
    let id = members.get("id").map(|id| integral_float(id).unwrap_or(id));
    let has_id = id.is_some_and(|id| id != "null");
    let id = id.and_then(|id| serde_json::from_str::<RequestId>(id).ok());
    Err(DecodeError { id, suppress_response: is_response || !has_id, ..DecodeError::new(error) })
}

fn too_deep(limit: usize) -> Error {
    Error::invalid_request(format!("Invalid request: nested deeper than {limit} levels"))
}

/// Decodes a message that failed to decode strictly: repairs it, or classifies the error.
#[cold]
#[inline(never)]
fn decode_imperfect<S: Direction>(text: &str, repairs: &mut Repairs) -> Result<Message<S>, DecodeError> {
    ensure_json(text)?;
    let text = replace_lone_surrogates(text);
    let Some(members) = Members::of(&text) else {
        return Err(DecodeError::new(Error::invalid_request("Invalid request: the message is not an object")));
    };
    if is_stray::<S>(&members) {
        return Err(not_a_message());
    }
    if !S::IS_CLIENT && is_response_without_version(&members) {
        repairs.push(repair_of("jsonrpc", RepairKind::Replaced, "must be \"2.0\""));
    }
    let text = normalize_envelope::<S>(&members, repairs);
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
fn normalize_envelope<S: Direction>(members: &Members<'_>, repairs: &mut Repairs) -> String {
    let is_set = |name: &str| members.get(name).is_some_and(|value| value != "null");
    let adds_version = !S::IS_CLIENT && is_response_without_version(members);
    let is_response = !is_set("method") && (members.get("result").is_some() || is_set("error"));
    let method = members.get("method").and_then(|method| serde_json::from_str::<String>(method).ok());
    let is_notification = method.as_deref().is_some_and(S::is_notification);
    let id = members.get("id").filter(|_| is_response).and_then(integral_float);
    if id.is_some() {
        repairs.push(repair_of("id", RepairKind::Converted, "invalid type: floating point, expected an integer"));
    }
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

fn ensure_json(text: &str) -> Result<(), DecodeError> {
    let parsed = serde_json::from_str::<IgnoredAny>(text).map(drop);
    parsed.map_err(|syntax| DecodeError::new(Error::parse(format!("Parse error: {syntax}"))))
}

/// Creates the repair of a member of the envelope.
fn repair_of(name: &str, kind: RepairKind, cause: &str) -> Repair {
    let path = Path(vec![Segment::key(name)]);
    Repair::new(kind, &path, None, FieldError::new(path.clone(), cause))
}

/// Creates the error of an object that is not meant as a message. It has no id, because no response must be sent, and none
/// was received.
fn not_a_message() -> DecodeError {
    DecodeError::new(Error::invalid_request(
        "Invalid request: the object is not a JSON-RPC message; it has no `jsonrpc`",
    ))
}

/// Returns whether an object of a server is not meant as a message, such as a line of a log on stdout: it has no `jsonrpc`,
/// and is neither a request nor a response otherwise. Its `id` may be equal to that of a request.
fn is_stray<S: Direction>(members: &Members<'_>) -> bool {
    let method = members.get("method").and_then(|method| serde_json::from_str::<String>(method).ok());
    let is_method = |method: String| S::is_request(&method) || S::is_notification(&method);
    let is_log = || LOG_MEMBERS.iter().any(|name| members.get(name).is_some());
    !S::IS_CLIENT
        && members.get("jsonrpc").is_none()
        && !method.is_some_and(is_method)
        && (is_log() || !is_response_without_version(members))
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
