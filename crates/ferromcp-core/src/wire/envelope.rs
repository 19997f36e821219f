//! Decodes the JSON-RPC envelope in one pass.
//!
//! Spec: <https://www.jsonrpc.org/specification>. If `method` precedes `params`, the parameters
//! are deserialized in place, directly into their type. If `method` follows `params`, the raw text
//! of the parameters is stored and deserialized afterwards.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::cow_key::CowKey;
use crate::error::Error;
use crate::id::RequestId;
use crate::json::{Object, RawJson};
use crate::message::{DecodedParams, Direction, Message};
use crate::shared_str::Str;

/// Decodes one message of `frame`.
pub(super) struct EnvelopeSeed<'f, S> {
    pub(super) frame: &'f Str,
    pub(super) direction: std::marker::PhantomData<S>,
}

/// The members of the envelope decoded so far.
struct Parts<'de, S: Direction> {
    version: bool,
    #[allow(clippy::option_option)] // distinguishes absent, `null` and present
    id: Option<Option<RequestId>>,
    method: Option<Cow<'de, str>>,
    params: Option<DecodedParams<S>>,
    raw_params: Option<&'de RawValue>,
    result: Option<&'de RawValue>,
    error: Option<Error>,
}

/// The member names of an envelope.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Member {
    Jsonrpc,
    Id,
    Method,
    Params,
    Result,
    Error,
    #[serde(other)]
    Unknown,
}

impl<'de, S: Direction> DeserializeSeed<'de> for EnvelopeSeed<'_, S> {
    type Value = Message<S>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Message<S>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: Direction> Visitor<'de> for EnvelopeSeed<'_, S> {
    type Value = Message<S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Message<S>, A::Error> {
        let mut parts = Parts::<S> {
            version: false,
            id: None,
            method: None,
            params: None,
            raw_params: None,
            result: None,
            error: None,
        };
        while let Some(member) = map.next_key::<Member>()? {
            match member {
                Member::Jsonrpc => {
                    reject_duplicate(!parts.version, "jsonrpc")?;
                    if map.next_value::<CowKey<'de>>()?.0 != "2.0" {
                        return Err(A::Error::custom("`jsonrpc` must be \"2.0\""));
                    }
                    parts.version = true;
                }
                Member::Id => {
                    reject_duplicate(parts.id.is_none(), "id")?;
                    parts.id = Some(map.next_value()?);
                }
                Member::Method => {
                    reject_duplicate(parts.method.is_none(), "method")?;
                    parts.method = Some(map.next_value::<CowKey<'de>>()?.0);
                }
                Member::Params => {
                    reject_duplicate(parts.params.is_none() && parts.raw_params.is_none(), "params")?;
                    match &parts.method {
                        Some(method) => {
                            parts.params = Some(map.next_value_seed(ParamsSeed::<S>::new(method, self.frame))?);
                        }
                        None => parts.raw_params = Some(map.next_value()?),
                    }
                }
                Member::Result => {
                    reject_duplicate(parts.result.is_none(), "result")?;
                    parts.result = Some(map.next_value()?);
                }
                Member::Error => {
                    reject_duplicate(parts.error.is_none(), "error")?;
                    parts.error = Some(map.next_value::<Object<_>>()?.0);
                }
                Member::Unknown => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        parts.finish(self.frame)
    }
}

impl<S: Direction> Parts<'_, S> {
    /// Builds the message from its members.
    fn finish<E: serde::de::Error>(self, frame: &Str) -> Result<Message<S>, E> {
        if !self.version {
            return Err(E::missing_field("jsonrpc"));
        }
        let Some(method) = self.method else {
            let outcome = match (self.result, self.error) {
                (Some(result), None) => Ok(RawJson::slice_of(frame, result)),
                (None, Some(error)) => Err(error),
                (Some(_), Some(_)) => return Err(E::custom("a response has both `result` and `error`")),
                (None, None) if S::IS_CLIENT => return Err(E::missing_field("method")),
                (None, None) => return Err(E::custom("missing `method`, `result` or `error`")),
            };
            let id = self.id.flatten();
            if id.is_none() && outcome.is_ok() {
                return Err(E::custom("a result has no `id`"));
            }
            return Ok(Message::Response { id, outcome });
        };
        if self.result.is_some() || self.error.is_some() {
            return Err(E::custom("a message has both `method` and `result` or `error`"));
        }
        let params = match (self.params, self.raw_params) {
            (Some(params), _) => params,
            (None, Some(raw_params)) => {
                let mut json = serde_json::Deserializer::from_str(raw_params.get());
                S::decode(&method, &mut json, frame).map_err(E::custom)?
            }
            (None, None) => S::decode(&method, serde::de::value::UnitDeserializer::<E>::new(), frame)?,
        };
        match self.id {
            None => Ok(Message::Notification(match params {
                DecodedParams::Notification(notification) => notification,
                // A request method without an id cannot be answered, so it is not executed.
                DecodedParams::Request(_) => S::custom_notification(method.into_owned(), RawJson::empty_object()),
                DecodedParams::Unknown(params) => S::custom_notification(method.into_owned(), params),
            })),
            Some(None) => Err(E::custom("`id` is null; it must be a string or an integer")),
            Some(Some(id)) => Ok(Message::Request {
                id,
                request: match params {
                    DecodedParams::Request(request) => request,
                    // A notification method with an id is an unknown request; its `_meta` is preserved.
                    DecodedParams::Notification(params) => {
                        let params = RawJson::new(&params).unwrap_or_else(|_| RawJson::empty_object());
                        S::custom_request(method.into_owned(), params)
                    }
                    DecodedParams::Unknown(params) => S::custom_request(method.into_owned(), params),
                },
            }),
        }
    }
}

fn reject_duplicate<E: serde::de::Error>(first: bool, name: &'static str) -> Result<(), E> {
    if first { Ok(()) } else { Err(E::duplicate_field(name)) }
}

/// Decodes the parameters of `method`.
struct ParamsSeed<'a, S> {
    method: &'a str,
    frame: &'a Str,
    direction: std::marker::PhantomData<S>,
}

impl<'a, S> ParamsSeed<'a, S> {
    fn new(method: &'a str, frame: &'a Str) -> Self {
        Self { method, frame, direction: std::marker::PhantomData }
    }
}

impl<'de, S: Direction> DeserializeSeed<'de> for ParamsSeed<'_, S> {
    type Value = DecodedParams<S>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<DecodedParams<S>, D::Error> {
        S::decode(self.method, deserializer, self.frame)
    }
}
