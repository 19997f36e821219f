//! The `Mcp-Param-*` headers of a call: computed by the client, compared by the server.
//!
//! An argument's own JSON type decides how it is written. Whether it is the type the schema wants is
//! for the tool to say, with a better error than a header can give.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#client-behavior>.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::annotation::Annotation;
use super::integer::{self, NotInteger};
use super::mismatch::{Mismatch, Reason};
use super::value::{decode, encode};
use crate::json::RawJson;

/// The headers that repeat the annotated arguments of a call: names and encoded values.
///
/// What is null or absent has none. Looks through `arguments` once for each annotation.
///
/// # Errors
/// When an argument cannot be repeated; the call must not be sent.
pub fn mirror<'a>(
    annotations: &'a [Annotation],
    arguments: Option<&RawJson>,
) -> Result<Vec<(&'a str, String)>, Mismatch> {
    let mut headers = Vec::new();
    for annotation in annotations {
        let value = annotation.argument(arguments).map_err(|reason| Mismatch::new(annotation.header(), reason))?;
        if let Some(value) = value {
            headers.push((annotation.header(), encode(&value.written()).into_owned()));
        }
    }
    Ok(headers)
}

/// Compares the annotated arguments of a call with its headers.
///
/// `header` finds a header by its name, in any case. A header that came twice is refused before.
pub fn check<'h>(
    annotations: &[Annotation],
    arguments: Option<&RawJson>,
    header: impl Fn(&str) -> Option<&'h [u8]>,
) -> Result<(), Mismatch> {
    annotations.iter().try_for_each(|annotation| annotation.agrees(header(annotation.header()), arguments))
}

impl Annotation {
    /// Compares this parameter's header with the argument: strings and booleans by text, integers by value.
    pub fn agrees(&self, header: Option<&[u8]>, arguments: Option<&RawJson>) -> Result<(), Mismatch> {
        self.compare(header, arguments).map_err(|reason| Mismatch::new(self.header(), reason))
    }

    fn compare(&self, header: Option<&[u8]>, arguments: Option<&RawJson>) -> Result<(), Reason> {
        let (header, argument) = match (header, self.argument(arguments)?) {
            (None, None) => return Ok(()),
            (None, Some(_)) => return Err(Reason::Missing),
            (Some(_), None) => return Err(Reason::Unexpected),
            (Some(header), Some(argument)) => (header, argument),
        };
        let header = decode(header).map_err(Reason::Invalid)?;
        let same = match &argument {
            Scalar::Integer(value) => integer::parse(&header) == Ok(*value),
            Scalar::Text(_) | Scalar::Flag(_) => header == argument.written(),
        };
        if same { Ok(()) } else { Err(Reason::Different) }
    }

    /// The argument at exactly this path, unless null or absent.
    fn argument<'a>(&self, arguments: Option<&'a RawJson>) -> Result<Option<Scalar<'a>>, Reason> {
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

/// An argument that a header can repeat.
enum Scalar<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Flag(bool),
}

impl<'a> Scalar<'a> {
    /// Reads one JSON value; null is no value.
    fn read(text: &'a str) -> Result<Option<Self>, Reason> {
        Ok(Some(match text.as_bytes().first() {
            Some(b'n') => return Ok(None),
            Some(b't') => Self::Flag(true),
            Some(b'f') => Self::Flag(false),
            Some(b'"') => Self::Text(serde_json::from_str::<Text<'a>>(text).map_err(|_| Reason::Unreadable)?.0),
            Some(b'-' | b'0'..=b'9') => Self::Integer(integer::parse(text).map_err(|error| match error {
                NotInteger::Range => Reason::OutOfRange,
                NotInteger::Fraction | NotInteger::NotNumber => Reason::NotMirrorable,
            })?),
            _ => return Err(Reason::NotMirrorable),
        }))
    }

    fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Integer(value) => Cow::Owned(value.to_string()),
            Self::Flag(true) => Cow::Borrowed("true"),
            Self::Flag(false) => Cow::Borrowed("false"),
        }
    }
}

/// A JSON string, a slice where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The text of `object`'s member `name`; nothing where `object` is another kind of value.
fn member<'a>(object: &'a str, name: &str) -> Result<Option<&'a str>, Reason> {
    if !object.trim_start().starts_with('{') {
        return Ok(None);
    }
    let found = serde_json::Deserializer::from_str(object).deserialize_map(Members(name));
    match found.map_err(|_| Reason::Unreadable)? {
        Found::Never => Ok(None),
        Found::Once(value) => Ok(Some(value.get())),
        Found::Again => Err(Reason::Ambiguous),
    }
}

enum Found<'de> {
    Never,
    Once(&'de RawValue),
    Again,
}

/// Looks for a member in one pass, without building the others.
struct Members<'n>(&'n str);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Found<'de>, A::Error> {
        let mut found = Found::Never;
        while let Some(is_it) = access.next_key_seed(IsKey(self.0))? {
            if !is_it {
                access.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = access.next_value()?;
            found = if matches!(found, Found::Never) { Found::Once(value) } else { Found::Again };
        }
        Ok(found)
    }
}

/// Whether a key is this one; escapes in it count as what they mean.
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
