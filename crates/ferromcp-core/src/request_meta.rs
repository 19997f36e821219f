//! The `_meta` of requests. Modern requests carry the state that legacy peers keep in a session.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#meta>.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::cow_key::CowKey;
use crate::id::ProgressToken;
use crate::json::{Object, RawJson, SeenKeys};
use crate::meta::key;
use crate::meta_object::Meta;
use crate::model::capability::ClientCapabilities;
use crate::model::log_level::LogLevel;
use crate::repair::edit::Members;
use crate::repair::path::{Path, Segment, decode_tracked};
use crate::repair::policy::Policy;
use crate::repair::{FieldError, Repairs, run};
use crate::setters::setters;
use crate::shared_str::Str;
use crate::surrogates::replace_lone_surrogates;

/// The `_meta` of a request. Keys defined by the specification are typed; all other keys are preserved in `other`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#meta>.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct RequestMeta {
    /// The protocol revision of the request. Required in modern requests.
    pub protocol_version: Option<Str>,
    /// The client capabilities. Required in modern requests.
    pub client_capabilities: Option<Arc<ClientCapabilities>>,
    /// The client, as a raw [`Implementation`](crate::model::Implementation) that is deserialized on demand.
    pub client_info: Option<RawJson>,
    /// The minimum level of log messages for this request (modern requests only).
    pub log_level: Option<LogLevel>,
    /// The token for progress notifications.
    pub progress_token: Option<ProgressToken>,
    /// All other entries, including trace context.
    pub other: Meta,
}

impl RequestMeta {
    /// Returns `true` if no field is set. An empty `_meta` is omitted on the wire.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Sets the client capabilities.
    pub fn client_capabilities(mut self, capabilities: impl Into<Arc<ClientCapabilities>>) -> Self {
        self.client_capabilities = Some(capabilities.into());
        self
    }
}

setters!(RequestMeta {
    protocol_version: Option<Str>,
    client_info: Option<RawJson>,
    log_level: Option<LogLevel>,
    progress_token: Option<ProgressToken>,
    other: Meta,
});

impl Serialize for RequestMeta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(version) = &self.protocol_version {
            map.serialize_entry(key::PROTOCOL_VERSION, &**version)?;
        }
        if let Some(capabilities) = &self.client_capabilities {
            map.serialize_entry(key::CLIENT_CAPABILITIES, &**capabilities)?;
        }
        if let Some(info) = &self.client_info {
            map.serialize_entry(key::CLIENT_INFO, info)?;
        }
        if let Some(level) = &self.log_level {
            map.serialize_entry(key::LOG_LEVEL, level)?;
        }
        if let Some(token) = &self.progress_token {
            map.serialize_entry(key::PROGRESS_TOKEN, token)?;
        }
        for (name, value) in self.other.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// [`RequestMeta`] borrowed from a frame, before its texts are converted to shared slices of the frame.
#[derive(Default)]
pub(crate) struct RequestMetaSlices<'a> {
    protocol_version: Option<Cow<'a, str>>,
    client_capabilities: Option<Arc<ClientCapabilities>>,
    client_info: Option<&'a RawValue>,
    log_level: Option<LogLevel>,
    progress_token: Option<ProgressToken>,
    other: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl RequestMetaSlices<'_> {
    /// Converts the borrowed texts to shared slices of `frame`.
    pub(crate) fn into_meta(self, frame: &Str) -> RequestMeta {
        let mut other = Meta::new();
        for (name, value) in self.other {
            other.push(slice_str(name, frame), RawJson::slice_of(frame, value));
        }
        RequestMeta {
            protocol_version: self.protocol_version.map(|text| slice_str(text, frame)),
            client_capabilities: self.client_capabilities,
            client_info: self.client_info.map(|raw| RawJson::slice_of(frame, raw)),
            log_level: self.log_level,
            progress_token: self.progress_token,
            other,
        }
    }
}

/// Converts `text` to a shared slice of `frame`, or to owned text if escapes were resolved.
pub(crate) fn slice_str(text: Cow<'_, str>, frame: &Str) -> Str {
    match text {
        Cow::Borrowed(text) => frame.slice_ref(text),
        Cow::Owned(text) => text.into(),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RequestMetaSlices<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MetaVisitor;
        impl<'de> Visitor<'de> for MetaVisitor {
            type Value = RequestMetaSlices<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object as `_meta`")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(RequestMetaSlices::default()) // some legacy peers send `"_meta": null`
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut meta, mut seen) = (RequestMetaSlices::default(), SeenKeys::default());
                while let Some(CowKey(name)) = map.next_key::<CowKey<'de>>()? {
                    match &*name {
                        key::PROTOCOL_VERSION => {
                            reject_duplicate(meta.protocol_version.is_none(), &name)?;
                            meta.protocol_version = Some(map.next_value::<CowKey<'de>>()?.0);
                        }
                        key::CLIENT_CAPABILITIES => {
                            reject_duplicate(meta.client_capabilities.is_none(), &name)?;
                            meta.client_capabilities = Some(Arc::new(map.next_value::<Object<_>>()?.0));
                        }
                        key::CLIENT_INFO => {
                            reject_duplicate(meta.client_info.is_none(), &name)?;
                            meta.client_info = Some(map.next_value()?);
                        }
                        key::LOG_LEVEL => {
                            reject_duplicate(meta.log_level.is_none(), &name)?;
                            meta.log_level = Some(map.next_value()?);
                        }
                        key::PROGRESS_TOKEN => {
                            reject_duplicate(meta.progress_token.is_none(), &name)?;
                            meta.progress_token = map.next_value()?;
                        }
                        _ => {
                            let value = map.next_value()?;
                            if seen.contains_or_insert(&meta.other, &name) {
                                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
                            }
                            meta.other.push((name, value));
                        }
                    }
                }
                if meta.client_info.is_some_and(|raw| !raw.get().starts_with('{')) {
                    if meta.client_info.is_some_and(|raw| raw.get() == "null") {
                        meta.client_info = None;
                        return Ok(meta);
                    }
                    return Err(A::Error::custom(format_args!("`{}` must be an object", key::CLIENT_INFO)));
                }
                Ok(meta)
            }
        }
        deserializer.deserialize_any(MetaVisitor)
    }
}

fn reject_duplicate<E: serde::de::Error>(first: bool, name: &str) -> Result<(), E> {
    if first { Ok(()) } else { Err(E::custom(format_args!("duplicate field `{name}`"))) }
}

impl<'de> Deserialize<'de> for RequestMeta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let frame = Str::from(raw.get());
        decode_meta(&frame).or_else(|_| decode_imperfect_meta(&frame)).map_err(D::Error::custom)
    }
}

fn decode_meta(frame: &Str) -> Result<RequestMeta, serde_json::Error> {
    serde_json::from_str::<RequestMetaSlices<'_>>(frame).map(|slices| slices.into_meta(frame))
}

/// Decodes an imperfect `_meta`: `null` is the same as an absent key, and unreadable capabilities are ignored.
fn decode_imperfect_meta(frame: &str) -> Result<RequestMeta, FieldError> {
    let is_capability = |path: &[Segment]| path.len() > 1 && path[0].as_key() == Some(key::CLIENT_CAPABILITIES);
    let policy = Policy { allows: &is_capability, ..Policy::ANY };
    run(frame, (&Path::default(), None), &policy, &mut Repairs::new(), |text| {
        let frame = Str::from(text);
        decode_tracked(PhantomData::<RequestMetaSlices<'_>>, &frame).map(|slices| slices.into_meta(&frame))
    })
}

/// Decodes the `_meta` of parameters with an unknown method.
///
/// # Errors
/// Returns an error if a key of the specification has another type.
pub fn meta_of_params(params: &RawJson) -> Result<RequestMeta, FieldError> {
    let base = Path::root("params");
    let params = replace_lone_surrogates(params.as_str());
    if params.trim_start().starts_with('[') {
        return Ok(RequestMeta::default()); // parameters by position have no `_meta`
    }
    let members = Members::of(&params).ok_or_else(|| FieldError::new(base.clone(), "expected an object"))?;
    match members.get("_meta") {
        None | Some("null") => Ok(RequestMeta::default()),
        Some(meta) => decode_meta(&Str::from(meta))
            .or_else(|_| decode_imperfect_meta(meta))
            .map_err(|error| error.below(&base.join(&[Segment::key("_meta")]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_meta_round_trips_when_it_has_unknown_keys() {
        // M26-044, M26-051, M26-052, M26-056, M26-065, S-030, S-038
        let text = concat!(
            r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"#,
            r#""io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/logLevel":"warning","#,
            r#""progressToken":0,"traceparent":"00-0-0-01","com.example/x":{"big":12345678901234567890123}}"#
        );
        let meta: RequestMeta = serde_json::from_str(text).unwrap();
        assert_eq!(meta.progress_token, Some(ProgressToken::Number(0)));
        assert_eq!(meta.other.read::<String>(key::TRACEPARENT).as_deref(), Some("00-0-0-01"));
        assert_eq!(serde_json::to_string(&meta).unwrap(), text);
    }

    #[test]
    fn returns_error_when_request_meta_has_wrong_types_or_duplicates() {
        for text in [
            r#"{"io.modelcontextprotocol/protocolVersion":7}"#,
            r#"{"io.modelcontextprotocol/clientCapabilities":[]}"#,
            r#"{"io.modelcontextprotocol/clientInfo":"me"}"#,
            r#"{"io.modelcontextprotocol/logLevel":"loud"}"#,
            r#"{"progressToken":1.5}"#,
            r#"{"progressToken":1,"progressToken":1}"#,
            r#"{"x":1,"x":1}"#,
            "[]",
        ] {
            assert!(serde_json::from_str::<RequestMeta>(text).is_err(), "{text}");
        }
    }
}
