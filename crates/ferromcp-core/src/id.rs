//! Request ids and progress tokens. Both preserve their JSON type.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#requests>.
//! `1` and `"1"` are different ids. `0` and `""` are valid; `null` and fractional numbers are not.

use std::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shared_str::Str;
use crate::text::MAX_EXCERPT;

/// The id of a JSON-RPC request: a string or an integer.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum RequestId {
    /// An integer.
    Number(i64),
    /// A string; the empty string is valid.
    String(Str),
}

/// The token that associates progress notifications with a request. It has the same JSON types as a request id.
pub type ProgressToken = RequestId;

impl RequestId {
    /// Returns the number that a decimal string such as `"3"` or `"3.0"` denotes, or `None` for numbers and other strings.
    ///
    /// `3` and `"3"` are different ids. Some peers nevertheless return a numeric id as a string, so the sender of a numeric
    /// id can use this for a response that matches no request.
    ///
    /// ```
    /// use ferromcp_core::RequestId;
    /// assert_eq!(RequestId::from("3").parse_decimal(), Some(RequestId::from(3)));
    /// assert_eq!(RequestId::from("03").parse_decimal(), None);
    /// ```
    #[doc(hidden)]
    pub fn parse_decimal(&self) -> Option<Self> {
        let Self::String(text) = self else { return None };
        let text = integral_float(text).unwrap_or(text);
        let number: i64 = text.parse().ok()?;
        (number.to_string() == text).then_some(Self::Number(number))
    }
}

/// Returns the integer that a number such as `3.0` denotes. Languages without integers write ids and codes in this form.
pub(crate) fn integral_float(number: &str) -> Option<&str> {
    let (integer, fraction) = number.split_once('.')?;
    let is_integral = !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0');
    (is_integral && integer.parse::<i64>().is_ok()).then_some(integer)
}

impl From<i64> for RequestId {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for RequestId {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

/// Truncates a long string, because logs contain ids of peers.
impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::String(text) => match text.char_indices().nth(MAX_EXCERPT) {
                None => fmt::Debug::fmt(&**text, f),
                Some((end, _)) => write!(f, "{:?}… ({} bytes)", &text[..end], text.len()),
            },
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::String(text) => f.write_str(text),
        }
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::String(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl Visitor<'_> for IdVisitor {
            type Value = RequestId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a 64-bit integer")
            }
            fn visit_i64<E>(self, number: i64) -> Result<RequestId, E> {
                Ok(RequestId::Number(number))
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<RequestId, E> {
                i64::try_from(number)
                    .map(RequestId::Number)
                    .map_err(|_| E::custom("id exceeds the range of a 64-bit integer"))
            }
            fn visit_str<E>(self, text: &str) -> Result<RequestId, E> {
                Ok(RequestId::String(text.into()))
            }
        }
        deserializer.deserialize_any(IdVisitor).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preserves_json_type_when_id_round_trips() {
        // M26-003, M26-004, S-004, S-005, S-007
        for text in ["0", "-7", "9223372036854775807", r#""""#, r#""1""#] {
            let id: RequestId = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&id).unwrap(), text);
        }
        for text in ["null", "1.0", "1.5", "true", "[]", "{}", "9223372036854775808"] {
            assert!(serde_json::from_str::<RequestId>(text).is_err(), "{text}");
        }
        assert_ne!(RequestId::from(1), RequestId::from("1"));
    }
}
