//! [`Str`]: an immutable string that can share the receive buffer.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::str::Utf8Error;

use bytes::Bytes;
use bytestring::ByteString;
use serde::{Deserialize, Serialize};

/// An immutable, reference-counted string.
///
/// Strings of a decoded message can be slices of the receive buffer, so that decoding does not copy them. Cloning a `Str`
/// does not copy the text. A slice keeps the whole buffer allocated; convert it to a `String` to store it for a long time.
///
/// `Str` dereferences to [`str`], and compares, orders and hashes like `str`.
///
/// ```
/// use ferromcp_core::Str;
/// let name = Str::from("add");
/// assert_eq!(name, "add");
/// assert!(name.starts_with('a'));
/// assert_eq!(String::from(name), "add");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Str(ByteString);

impl Str {
    /// Creates a string from a static string, without copying it.
    #[inline]
    pub const fn from_static(text: &'static str) -> Self {
        Self(ByteString::from_static(text))
    }

    /// Returns the text.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Creates a string from UTF-8 bytes, without copying them.
    pub(crate) fn from_utf8(bytes: Bytes) -> Result<Self, Utf8Error> {
        ByteString::try_from(bytes).map(Self)
    }

    /// Creates a string that shares the buffer of this one. `part` must be a slice of this string.
    #[inline]
    pub(crate) fn slice_ref(&self, part: &str) -> Self {
        Self(self.0.slice_ref(part))
    }
}

impl Deref for Str {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Str {
    #[inline]
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for Str {
    #[inline]
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

/// Copies the text.
impl From<&str> for Str {
    #[inline]
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

/// Takes ownership of the text without copying it.
impl From<String> for Str {
    #[inline]
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Takes ownership of the text without copying it.
impl From<Box<str>> for Str {
    #[inline]
    fn from(text: Box<str>) -> Self {
        Self(text.into())
    }
}

/// Copies the text.
impl From<Str> for String {
    #[inline]
    fn from(text: Str) -> Self {
        text.as_str().to_owned()
    }
}

macro_rules! compare_with {
    ($($other:ty),*) => {$(
        impl PartialEq<$other> for Str {
            #[inline]
            fn eq(&self, other: &$other) -> bool {
                self[..] == other[..]
            }
        }

        impl PartialEq<Str> for $other {
            #[inline]
            fn eq(&self, other: &Str) -> bool {
                self[..] == other[..]
            }
        }
    )*};
}

compare_with!(str, &str, String);

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn shares_buffer_when_sliced() {
        let frame = Str::from_utf8(Bytes::from_static(b"hello world")).unwrap();
        let world = frame.slice_ref(&frame[6..]);
        assert_eq!(world, "world");
        assert_eq!(world.as_ptr(), frame[6..].as_ptr());
    }

    #[test]
    fn returns_error_when_bytes_are_not_utf8() {
        assert!(Str::from_utf8(Bytes::from_static(&[0xff])).is_err());
    }

    #[test]
    fn behaves_like_str_when_compared_hashed_and_formatted() {
        let text = Str::from_static("a\"b");
        assert_eq!((text.to_string(), format!("{text:?}")), ("a\"b".to_owned(), r#""a\"b""#.to_owned()));
        assert_eq!(format!("{text:>5}|"), "  a\"b|");
        let (later, string) = (Str::from("b"), String::from("a\"b"));
        assert!(text < later && text == string && "a\"b" == text);
        assert_eq!(HashMap::from([(text, 1)]).get("a\"b"), Some(&1));
        assert_eq!(Str::default(), "");
    }

    #[test]
    fn round_trips_when_serialized() {
        let text: Str = serde_json::from_str(r#""a\nb""#).unwrap();
        assert_eq!(serde_json::to_string(&text).unwrap(), r#""a\nb""#);
        assert!(serde_json::from_str::<Str>("1").is_err());
    }
}
