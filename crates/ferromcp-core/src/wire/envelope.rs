//! The JSON-RPC envelope, read in one pass.
//!
//! Spec: <https://www.jsonrpc.org/specification>. The method usually stands before the parameters,
//! which are then read in place, straight into their type; only where it stands behind them
//! are they kept as text and read afterwards.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::id::RequestId;
use crate::json::{Object, RawJson, Str};
use crate::message::{Message, Said, Sender};
use crate::request_meta::CowKey;

/// Reads one message that stands in `frame`.
pub(super) struct EnvelopeSeed<'f, S> {
    pub(super) frame: &'f Str,
    pub(super) sender: std::marker::PhantomData<S>,
}

/// What has been read of the envelope so far.
struct Parts<'de, S: Sender> {
    version: bool,
    #[allow(clippy::option_option)] // absent, `null` and given are three things
    id: Option<Option<RequestId>>,
    method: Option<Cow<'de, str>>,
    said: Option<Said<S>>,
    late: Option<&'de RawValue>,
    result: Option<&'de RawValue>,
    error: Option<Error>,
}

/// The members of an envelope.
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

impl<'de, S: Sender> DeserializeSeed<'de> for EnvelopeSeed<'_, S> {
    type Value = Message<S>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Message<S>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: Sender> Visitor<'de> for EnvelopeSeed<'_, S> {
    type Value = Message<S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Message<S>, A::Error> {
        let mut parts =
            Parts::<S> { version: false, id: None, method: None, said: None, late: None, result: None, error: None };
        while let Some(member) = map.next_key::<Member>()? {
            match member {
                Member::Jsonrpc => {
                    once(!parts.version, "jsonrpc")?;
                    if map.next_value::<CowKey<'de>>()?.0 != "2.0" {
                        return Err(A::Error::custom("`jsonrpc` is to be \"2.0\""));
                    }
                    parts.version = true;
                }
                Member::Id => {
                    once(parts.id.is_none(), "id")?;
                    parts.id = Some(map.next_value()?);
                }
                Member::Method => {
                    once(parts.method.is_none(), "method")?;
                    parts.method = Some(map.next_value::<CowKey<'de>>()?.0);
                }
                Member::Params => {
                    once(parts.said.is_none() && parts.late.is_none(), "params")?;
                    match &parts.method {
                        Some(method) => {
                            parts.said = Some(map.next_value_seed(ParamsSeed::<S>::new(method, self.frame))?);
                        }
                        None => parts.late = Some(map.next_value()?),
                    }
                }
                Member::Result => {
                    once(parts.result.is_none(), "result")?;
                    parts.result = Some(map.next_value()?);
                }
                Member::Error => {
                    once(parts.error.is_none(), "error")?;
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

impl<S: Sender> Parts<'_, S> {
    /// Says what kind of message the members make.
    fn finish<E: serde::de::Error>(self, frame: &Str) -> Result<Message<S>, E> {
        if !self.version {
            return Err(E::missing_field("jsonrpc"));
        }
        let Some(method) = self.method else {
            let outcome = match (self.result, self.error) {
                (Some(result), None) => Ok(RawJson::slice_of(frame, result)),
                (None, Some(error)) => Err(error),
                (Some(_), Some(_)) => return Err(E::custom("a response has both `result` and `error`")),
                (None, None) => return Err(E::missing_field("method")),
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
        let said = match (self.said, self.late) {
            (Some(said), _) => said,
            (None, Some(late)) => {
                let mut json = serde_json::Deserializer::from_str(late.get());
                S::decode(&method, &mut json, frame).map_err(E::custom)?
            }
            (None, None) => S::decode(&method, serde::de::value::UnitDeserializer::<E>::new(), frame)?,
        };
        match self.id {
            None => Ok(Message::Notification(match said {
                Said::Notification(notification) => notification,
                // A request's method without an id: nothing can be answered, so nothing is done.
                Said::Request(_) => S::other_notification(method.into_owned(), RawJson::empty_object()),
                Said::Unknown(params) => S::other_notification(method.into_owned(), params),
            })),
            Some(None) => Err(E::custom("`id` is null; it is to be a string or an integer")),
            Some(Some(id)) => Ok(Message::Request {
                id,
                request: match said {
                    Said::Request(request) => request,
                    // A notification's name with an id: an unknown request, whose `_meta` still counts.
                    Said::Notification(params) => {
                        let params = RawJson::new(&params).unwrap_or_else(|_| RawJson::empty_object());
                        S::other_request(method.into_owned(), params)
                    }
                    Said::Unknown(params) => S::other_request(method.into_owned(), params),
                },
            }),
        }
    }
}

fn once<E: serde::de::Error>(first: bool, name: &'static str) -> Result<(), E> {
    if first { Ok(()) } else { Err(E::duplicate_field(name)) }
}

/// Reads the parameters of a method that is known by now.
struct ParamsSeed<'a, S> {
    method: &'a str,
    frame: &'a Str,
    sender: std::marker::PhantomData<S>,
}

impl<'a, S> ParamsSeed<'a, S> {
    fn new(method: &'a str, frame: &'a Str) -> Self {
        Self { method, frame, sender: std::marker::PhantomData }
    }
}

impl<'de, S: Sender> DeserializeSeed<'de> for ParamsSeed<'_, S> {
    type Value = Said<S>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Said<S>, D::Error> {
        S::decode(self.method, deserializer, self.frame)
    }
}
