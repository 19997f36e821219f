//! Text arguments: the variables of a URI template and the arguments of a prompt.
//!
//! A text deserializes into the type of the parameter: a number, a boolean, an enum, a string or a list.

use std::borrow::Cow;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Error as _, IntoDeserializer, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

/// A text, or the list that an exploded template variable captured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TextValue<'a> {
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
    /// JSON that is not a string. No type deserializes from it.
    Invalid(Cow<'a, str>),
}

/// The error of a text that does not deserialize.
pub(crate) type TextError = serde::de::value::Error;

/// Returns a map deserializer for named texts.
pub(crate) fn map_of<'a>(
    texts: &'a [(Cow<'a, str>, TextValue<'a>)],
) -> MapDeserializer<'a, impl Iterator<Item = (&'a str, TextValue<'a>)>, TextError> {
    MapDeserializer::new(texts.iter().map(|(name, value)| (&**name, value.clone())))
}

impl<'de> IntoDeserializer<'de, TextError> for TextValue<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'a> TextValue<'a> {
    fn text(self) -> Result<Cow<'a, str>, TextError> {
        match self {
            Self::One(text) => Ok(text),
            Self::Many(list) => Ok(list.join(",").into()),
            Self::Invalid(_) => Err(not_a_string()),
        }
    }

    fn parse<T: std::str::FromStr>(&self, what: &str) -> Result<T, TextError> {
        match self {
            Self::One(text) => {
                text.trim().parse().map_err(|_| TextError::custom(format_args!("expected {what}, got {text:?}")))
            }
            Self::Many(_) => Err(TextError::custom(format_args!("expected {what}, got a list"))),
            Self::Invalid(_) => Err(not_a_string()),
        }
    }
}

fn not_a_string() -> TextError {
    TextError::custom("expected a string")
}

macro_rules! parse {
    ($($method:ident $visit:ident $type:ty: $what:literal,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
            visitor.$visit(self.parse::<$type>($what)?)
        })*
    };
}

impl<'de> Deserializer<'de> for TextValue<'de> {
    type Error = TextError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        match self {
            Self::One(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Self::One(Cow::Owned(text)) => visitor.visit_string(text),
            Self::Many(list) => visitor.visit_seq(SeqDeserializer::new(list.into_iter().map(Self::One))),
            Self::Invalid(_) => Err(not_a_string()),
        }
    }

    parse! {
        deserialize_bool visit_bool bool: "true or false",
        deserialize_i8 visit_i8 i8: "an integer",
        deserialize_i16 visit_i16 i16: "an integer",
        deserialize_i32 visit_i32 i32: "an integer",
        deserialize_i64 visit_i64 i64: "an integer",
        deserialize_i128 visit_i128 i128: "an integer",
        deserialize_u8 visit_u8 u8: "an integer",
        deserialize_u16 visit_u16 u16: "an integer",
        deserialize_u32 visit_u32 u32: "an integer",
        deserialize_u64 visit_u64 u64: "an integer",
        deserialize_u128 visit_u128 u128: "an integer",
        deserialize_f32 visit_f32 f32: "a number",
        deserialize_f64 visit_f64 f64: "a number",
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        visitor.visit_some(self)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        Self::One(self.text()?).deserialize_any(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TextError> {
        visitor.visit_enum(self.text()?.into_deserializer())
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TextError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TextError> {
        match self {
            Self::One(text) => visitor.visit_seq(SeqDeserializer::new(std::iter::once(Self::One(text)))),
            other => other.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        char bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
        Large,
    }

    fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, String> {
        T::deserialize(TextValue::One(text.into())).map_err(|error| error.to_string())
    }

    #[test]
    fn texts_deserialize_into_the_requested_type() {
        assert_eq!(read::<u8>("42"), Ok(42));
        assert_eq!(read::<i128>(&i128::MIN.to_string()), Ok(i128::MIN)); // S6
        assert_eq!(read::<u128>(&u128::MAX.to_string()), Ok(u128::MAX));
        assert_eq!(read::<Option<f64>>("1.5"), Ok(Some(1.5)));
        assert_eq!(read::<bool>("true"), Ok(true));
        assert_eq!(read::<Size>("large"), Ok(Size::Large));
        assert_eq!(read::<String>("1"), Ok("1".to_owned()));
        assert_eq!(read::<Vec<u8>>("1"), Ok(vec![1]));
        assert_eq!(read::<u8>("many"), Err("expected an integer, got \"many\"".to_owned()));
        assert!(read::<Size>("huge").unwrap_err().contains("expected `small` or `large`"));
        let list = TextValue::Many(vec!["1".into(), "2".into()]);
        assert_eq!(Vec::<u8>::deserialize(list.clone()).unwrap(), [1, 2]);
        assert_eq!(String::deserialize(list).unwrap(), "1,2");
    }
}
