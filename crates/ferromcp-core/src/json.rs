//! JSON that stays text: checked slices of the input, and values serialised once.
//!
//! Tool arguments, structured content, schemas and foreign `_meta` values pass through the SDK
//! without becoming a tree. They are kept as text that is known to be one JSON value.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

use bytestring::ByteString;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Shared UTF-8 text, often a slice of the frame it came in.
pub type Str = ByteString;

/// The deepest nesting of arrays and objects that a frame may have unless configured otherwise.
pub const DEFAULT_MAX_DEPTH: usize = 64;

/// One JSON value as text, known to be valid.
///
/// Cloning a slice of a frame is cheap; cloning a text made here copies it. Two values are equal when
/// their texts are.
///
/// ```
/// use ferromcp_core::RawJson;
/// let json = RawJson::new(&vec![1, 2, 3])?;
/// assert_eq!(json.as_str(), "[1,2,3]");
/// assert_eq!(json.decode::<Vec<u8>>()?, [1, 2, 3]);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct RawJson(Repr);

#[derive(Clone)]
enum Repr {
    /// A slice of a frame that a decoder has checked.
    Slice(Str),
    /// A text made here; serde_json writes it out without another look.
    Owned(Box<RawValue>),
}

impl RawJson {
    /// Serialises `value`.
    ///
    /// # Errors
    /// When `value` cannot be JSON, for example a map whose keys are not strings.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self::from)
    }

    /// Takes over a text after checking that it is one JSON value.
    ///
    /// # Errors
    /// When it is not.
    pub fn parse(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text.into()).map(Self::from)
    }

    /// The empty object.
    pub fn empty_object() -> Self {
        Self(Repr::Slice(Str::from_static("{}")))
    }

    /// `null`.
    pub fn null() -> Self {
        Self(Repr::Slice(Str::from_static("null")))
    }

    /// A slice of `frame` that a JSON decoder has already read as one value.
    pub(crate) fn slice_of(frame: &Str, checked: &RawValue) -> Self {
        Self(Repr::Slice(frame.slice_ref(checked.get())))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Slice(text) => text,
            Repr::Owned(raw) => raw.get(),
        }
    }

    /// The text as its own `String`, without a copy where it was made here.
    pub fn into_string(self) -> String {
        match self.0 {
            Repr::Slice(text) => text.to_string(),
            Repr::Owned(raw) => Box::<str>::from(raw).into(),
        }
    }

    /// Reads the value as a `T`.
    ///
    /// # Errors
    /// When the value does not have the shape of a `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }

    /// Whether the value is an object.
    pub fn is_object(&self) -> bool {
        self.as_str().trim_start().starts_with('{')
    }

    /// Whether the value is `null`.
    pub fn is_null(&self) -> bool {
        self.as_str().trim() == "null"
    }
}

impl From<Box<RawValue>> for RawJson {
    fn from(raw: Box<RawValue>) -> Self {
        Self(Repr::Owned(raw))
    }
}

impl From<serde_json::Value> for RawJson {
    fn from(value: serde_json::Value) -> Self {
        Self::new(&value).unwrap_or_else(|_| Self::null()) // a `Value` always serialises
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RawJson {}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::Owned(raw) => raw.serialize(serializer),
            Repr::Slice(text) => {
                serde_json::from_str::<&RawValue>(text).map_err(S::Error::custom)?.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::from)
    }
}

/// An ordered JSON object whose values stay text: what `_meta`, `extensions` and `experimental` are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RawMap(Vec<(Str, RawJson)>);

impl RawMap {
    /// An empty object.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&RawJson> {
        self.0.iter().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// Sets `key`, in its old place when it is there already.
    pub fn insert(&mut self, key: impl Into<Str>, value: RawJson) {
        let key = key.into();
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// Takes `key` out.
    pub fn remove(&mut self, key: &str) -> Option<RawJson> {
        let index = self.0.iter().position(|(name, _)| &**name == key)?;
        Some(self.0.remove(index).1)
    }

    /// The entries in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// Appends an entry known to be new.
    pub(crate) fn push(&mut self, key: Str, value: RawJson) {
        self.0.push((key, value));
    }
}

impl fmt::Debug for RawMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for RawMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for RawMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor;
        impl<'de> Visitor<'de> for MapVisitor {
            type Value = RawMap;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<RawMap, A::Error> {
                let (mut map, mut twins) = (RawMap::new(), Twins::default());
                while let Some(key) = access.next_key::<String>()? {
                    let key = Str::from(key);
                    if twins.has(&map.0, &key) {
                        return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
                    }
                    map.push(key, access.next_value()?);
                }
                Ok(map)
            }
        }
        deserializer.deserialize_map(MapVisitor)
    }
}

/// Tells keys that came before, in time that does not grow with their number.
pub(crate) struct Twins<K>(HashSet<K>);

impl<K> Default for Twins<K> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<K: Clone + Eq + Hash> Twins<K> {
    /// So few keys are compared one by one.
    const FEW: usize = 16;

    /// Whether `key` is among the `entries` so far; asked once for each key in its turn.
    pub(crate) fn has<V>(&mut self, entries: &[(K, V)], key: &K) -> bool {
        if entries.len() < Self::FEW {
            return entries.iter().any(|(known, _)| known == key);
        }
        if self.0.is_empty() {
            self.0.extend(entries.iter().map(|(known, _)| known.clone()));
        }
        !self.0.insert(key.clone())
    }
}

/// For `#[serde(deserialize_with)]`: keeps `null` as a value, so that only absence is `None`.
pub(crate) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RawJson>, D::Error> {
    RawJson::deserialize(deserializer).map(Some)
}

/// Reads a `T` from an object only; serde's derived structs would take an array too.
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

/// For `#[serde(deserialize_with)]`: a `T` from an object only.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|object| object.0)
}

/// Whether arrays and objects in `text` nest at most `limit` deep.
///
/// Looks at brackets outside strings only; whether the text is JSON is for the decoder to say.
pub fn depth_within(text: &[u8], limit: usize) -> bool {
    // A document nested `limit + 1` deep has that many opening brackets. Counting them is cheap, so
    // that only the rare message with more of them is looked at byte by byte.
    if opening_brackets(text) <= limit {
        return true;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return false;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// How many `[` and `{` there are, strings included; the two differ in one bit.
fn opening_brackets(text: &[u8]) -> usize {
    // A byte's worth of items at a time, so that the compiler can count many at once.
    let in_chunk = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>();
    text.chunks(usize::from(u8::MAX)).map(|chunk| usize::from(in_chunk(chunk))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert!(depth_within(br#"{"a":["[[[[[[[["]}"#, 2));
        assert!(!depth_within(br#"{"a":[[1]]}"#, 2));
        assert!(depth_within(br#"["\"[[[[["]"#, 1));
        assert!(!depth_within("[".repeat(100_000).as_bytes(), DEFAULT_MAX_DEPTH));
    }

    #[test]
    fn foreign_numbers_survive() {
        let text = r#"{"big":123456789012345678901234567890,"exact":1.10,"deep":{"a":[null]}}"#;
        let map: RawMap = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&map).unwrap(), text);
    }

    #[test]
    fn duplicate_keys_are_refused() {
        let error = serde_json::from_str::<RawMap>(r#"{"a":1,"a":2}"#).unwrap_err();
        assert!(error.to_string().contains("duplicate field `a`"));
        for twin in [0, 15, 16, 17, 99] {
            let mut keys: Vec<usize> = (0..100).collect();
            let text = |keys: &[usize]| {
                format!("{{{}}}", keys.iter().map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","))
            };
            assert_eq!(serde_json::from_str::<RawMap>(&text(&keys)).unwrap().len(), 100);
            keys.push(twin);
            let error = serde_json::from_str::<RawMap>(&text(&keys)).unwrap_err();
            assert!(error.to_string().contains(&format!("duplicate field `{twin}`")), "{error}");
        }
    }

    #[test]
    fn many_keys_take_no_square_of_time() {
        // M26-345
        let members: Vec<String> = (0..100_001).map(|n| format!("\"{n}\":0")).collect();
        let text = format!("{{{}}}", members.join(","));
        let begin = std::time::Instant::now();
        assert_eq!(serde_json::from_str::<RawMap>(&text).unwrap().len(), 100_001);
        assert_eq!(serde_json::from_str::<crate::RequestMeta>(&text).unwrap().other.len(), 100_001);
        assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
    }
}
