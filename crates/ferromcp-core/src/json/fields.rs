//! Deserialization of single fields, for `#[serde(deserialize_with)]`: unknown values, `null`, objects only.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::RawJson;

/// Deserializes `null` as a value, so that only an absent field is `None`. Used with `#[serde(deserialize_with)]`.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RawJson>, D::Error> {
    RawJson::deserialize(deserializer).map(Some)
}

/// Deserializes `null` like an absent field. Used with `#[serde(deserialize_with)]`.
pub(crate) fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Deserializes an object, such as a JSON Schema, without parsing it. Used with `#[serde(deserialize_with)]`.
pub(crate) fn raw_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RawJson, D::Error> {
    let raw = RawJson::deserialize(deserializer)?;
    if raw.is_object() { Ok(raw) } else { Err(D::Error::custom("invalid type: expected an object")) }
}

/// Deserializes an optional object without parsing it. Used with `#[serde(deserialize_with)]`.
pub(crate) fn optional_raw_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RawJson>, D::Error> {
    match Option::<RawJson>::deserialize(deserializer)? {
        Some(raw) if !raw.is_object() => Err(D::Error::custom("invalid type: expected an object")),
        raw => Ok(raw),
    }
}

/// Deserializes an optional hint. A value that is unknown to this version decodes as `None` and does not fail the message.
/// Used with `#[serde(deserialize_with)]`.
pub(crate) fn known<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Hint::deserialize(deserializer).map(Hint::into_known)
}

/// Deserializes an optional list of hints. Items that are unknown to this version are skipped.
/// Used with `#[serde(deserialize_with)]`.
pub(crate) fn known_items<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let items = Option::<Vec<Hint<T>>>::deserialize(deserializer)?;
    Ok(items.map(|items| items.into_iter().filter_map(Hint::into_known).collect()))
}

/// A value of an open set: known to this version, or ignored.
#[derive(Deserialize)]
#[serde(untagged)]
enum Hint<T> {
    Known(T),
    Unknown(serde::de::IgnoredAny),
}

impl<T> Hint<T> {
    fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

/// Deserializes a `T` from an object only. Structs with a derived `Deserialize` would also accept an array.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_any(ObjectVisitor(std::marker::PhantomData))
    }
}

/// Deserializes a `T` from an object only. Used with `#[serde(deserialize_with)]`.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|object| object.0)
}
