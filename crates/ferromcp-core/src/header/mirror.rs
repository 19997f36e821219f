//! The `Mcp-Param-*` headers of a call: computed by the client, validated by the server.
//!
//! The JSON type of the argument determines its header value. The tool validates the argument against
//! the schema and reports a more specific error.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#client-behavior>.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::annotation::Annotation;
use super::integer::{self, NotInteger};
use super::mismatch::{HeaderMismatch, MismatchReason};
use super::value::{decode, encode};
use crate::json::RawJson;

/// Returns the headers for the annotated arguments of a call, as names and encoded values.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#client-behavior>.
///
/// An absent or null argument has no header. Searches `arguments` once per annotation.
///
/// # Errors
/// Returns an error if an argument cannot be represented in a header. The call must not be sent in this case.
pub fn mirror<'a>(
    annotations: &'a [Annotation],
    arguments: Option<&RawJson>,
) -> Result<Vec<(&'a str, String)>, HeaderMismatch> {
    let mut headers = Vec::new();
    for annotation in annotations {
        let value =
            annotation.argument(arguments).map_err(|reason| HeaderMismatch::new(annotation.header(), reason))?;
        if let Some(value) = value {
            headers.push((annotation.header(), encode(&value.to_text()).into_owned()));
        }
    }
    Ok(headers)
}

/// Validates the headers of a call against its annotated arguments.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#server-validation>.
///
/// `header` looks up a header by its case-insensitive name. The caller must reject repeated headers before.
///
/// # Errors
/// Returns the first header that is missing, unexpected, invalid or different.
pub fn check<'h>(
    annotations: &[Annotation],
    arguments: Option<&RawJson>,
    header: impl Fn(&str) -> Option<&'h [u8]>,
) -> Result<(), HeaderMismatch> {
    annotations.iter().try_for_each(|annotation| annotation.check(header(annotation.header()), arguments))
}

impl Annotation {
    /// Validates the header of this parameter against the argument. Strings and booleans are compared by text, integers by
    /// value.
    ///
    /// # Errors
    /// Returns an error if the header is missing, unexpected, invalid or different.
    pub fn check(&self, header: Option<&[u8]>, arguments: Option<&RawJson>) -> Result<(), HeaderMismatch> {
        self.compare(header, arguments).map_err(|reason| HeaderMismatch::new(self.header(), reason))
    }

    fn compare(&self, header: Option<&[u8]>, arguments: Option<&RawJson>) -> Result<(), MismatchReason> {
        let (header, argument) = match (header, self.argument(arguments)?) {
            (None, None) => return Ok(()),
            (None, Some(_)) => return Err(MismatchReason::Missing),
            (Some(_), None) => return Err(MismatchReason::Unexpected),
            (Some(header), Some(argument)) => (header, argument),
        };
        let header = decode(header).map_err(MismatchReason::Invalid)?;
        let same = match &argument {
            Scalar::Integer(value) => integer::parse(&header) == Ok(*value),
            Scalar::Text(_) | Scalar::Flag(_) => header == argument.to_text(),
        };
        if same { Ok(()) } else { Err(MismatchReason::Different) }
    }

    /// Returns the argument at this path, or `None` if it is null or absent.
    fn argument<'a>(&self, arguments: Option<&'a RawJson>) -> Result<Option<Scalar<'a>>, MismatchReason> {
        let Some(mut text) = arguments.map(RawJson::as_str) else { return Ok(None) };
        for name in self.path() {
            match member(text, name)? {
                Some(value) => text = value,
                None => return Ok(None),
            }
        }
        Scalar::read(text.trim())
    }
}

/// An argument that can be represented in a header.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Flag(bool),
}

impl<'a> Scalar<'a> {
    /// Parses one JSON value. Returns `None` for null.
    fn read(text: &'a str) -> Result<Option<Self>, MismatchReason> {
        Ok(Some(match text.as_bytes().first() {
            Some(b'n') => return Ok(None),
            Some(b't') => Self::Flag(true),
            Some(b'f') => Self::Flag(false),
            Some(b'"') => Self::Text(serde_json::from_str::<Text<'a>>(text).map_err(|_| MismatchReason::Unreadable)?.0),
            Some(b'-' | b'0'..=b'9') => Self::Integer(integer::parse(text).map_err(|error| match error {
                NotInteger::Range => MismatchReason::OutOfRange,
                NotInteger::Fraction | NotInteger::NotNumber => MismatchReason::NotMirrorable,
            })?),
            _ => return Err(MismatchReason::NotMirrorable),
        }))
    }

    fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Integer(value) => Cow::Owned(value.to_string()),
            Self::Flag(true) => Cow::Borrowed("true"),
            Self::Flag(false) => Cow::Borrowed("false"),
        }
    }
}

/// A JSON string, borrowed unless it contains escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Returns the text of the member `name` of `object`, or `None` if `object` is not an object.
fn member<'a>(object: &'a str, name: &str) -> Result<Option<&'a str>, MismatchReason> {
    if !object.trim_start().starts_with('{') {
        return Ok(None);
    }
    let found = serde_json::Deserializer::from_str(object).deserialize_map(Members(name));
    match found.map_err(|_| MismatchReason::Unreadable)? {
        Found::Missing => Ok(None),
        Found::Unique(value) => Ok(Some(value.get())),
        Found::Duplicate => Err(MismatchReason::Ambiguous),
    }
}

enum Found<'de> {
    Missing,
    Unique(&'de RawValue),
    Duplicate,
}

/// Finds a member in one pass, without building the other members.
struct Members<'n>(&'n str);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Found<'de>, A::Error> {
        let mut found = Found::Missing;
        while let Some(matches) = access.next_key_seed(IsKey(self.0))? {
            if !matches {
                access.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = access.next_value()?;
            found = if matches!(found, Found::Missing) { Found::Unique(value) } else { Found::Duplicate };
        }
        Ok(found)
    }
}

/// Compares a key, after resolving escapes, with a name.
struct IsKey<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for IsKey<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}
