//! Raw JSON: validated slices of the input, and values that are serialized once.
//!
//! Tool arguments, structured content, schemas and unknown `_meta` values are not parsed into a
//! tree. They are stored as text that is known to be one valid JSON value.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::shared_str::Str;
use crate::surrogates::replace_lone_surrogates;
use crate::text::escape;

mod fields;

pub(crate) use fields::{Object, known, known_items, object, optional_raw_object, or_default, present, raw_object};

/// Maximum nesting depth of arrays and objects in a frame.
///
/// It bounds the stack that deserialization needs, and is below the limit of 127 in `serde_json`.
pub const MAX_DEPTH: usize = 64;

/// Maximum nesting depth of arrays and objects in a response of a server.
///
/// Values that are nested deeper than [`MAX_DEPTH`] are removed from a response before it is decoded. They are found without
/// recursion, so the depth costs no stack.
pub const MAX_RESPONSE_DEPTH: usize = 1000;

/// One valid JSON value, stored as text.
///
/// Cloning a slice of a frame increments a reference count; cloning a value that was serialized locally copies its
/// text. Two values are equal if their texts are equal, whitespace included.
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
    /// A slice of a frame, already validated by the decoder.
    Slice(Str),
    /// Text serialized locally. `serde_json` writes it without validating it again.
    Owned(Box<RawValue>),
}

impl RawJson {
    /// Serializes `value`.
    ///
    /// # Errors
    /// Returns an error if `value` cannot be serialized to JSON, for example a map with keys that are not strings.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self::from)
    }

    /// Validates `text` as one JSON value and takes ownership of it.
    ///
    /// # Errors
    /// Returns an error if `text` is not exactly one JSON value.
    pub fn parse(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text.into()).map(Self::from)
    }

    /// Returns the empty object, `{}`.
    pub fn empty_object() -> Self {
        Self(Repr::Slice(Str::from_static("{}")))
    }

    /// Returns `null`.
    pub fn null() -> Self {
        Self(Repr::Slice(Str::from_static("null")))
    }

    /// Creates a slice of `frame` from a value that a JSON decoder has already validated.
    pub(crate) fn slice_of(frame: &Str, checked: &RawValue) -> Self {
        Self(Repr::Slice(frame.slice_ref(checked.get())))
    }

    /// Returns the JSON text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Slice(text) => text,
            Repr::Owned(raw) => raw.get(),
        }
    }

    /// Converts the JSON text into a `String`. Does not copy text that was serialized locally.
    pub fn into_string(self) -> String {
        match self.0 {
            Repr::Slice(text) => text.into(),
            Repr::Owned(raw) => Box::<str>::from(raw).into(),
        }
    }

    /// Deserializes the value into a `T`. Half of a surrogate pair in a string, such as `"\\ud83d"`, is read as U+FFFD.
    ///
    /// # Errors
    /// Returns an error if the value does not match the shape of `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_str()).or_else(|error| match replace_lone_surrogates(self.as_str()) {
            Cow::Owned(repaired) => serde_json::from_str(&repaired),
            Cow::Borrowed(_) => Err(error),
        })
    }

    /// Returns `true` if the value is an object.
    pub fn is_object(&self) -> bool {
        self.as_str().trim_start().starts_with('{')
    }

    /// Returns `true` if the value is `null`.
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
        Self::new(&value).unwrap_or_else(|_| Self::null()) // serializing a `Value` does not fail
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RawJson {}

/// Writes the JSON text. Control characters are escaped, which JSON requires only of some of them.
impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(self.as_str()))
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

/// A JSON object with ordered entries and raw values, used for `_meta`, `extensions` and `experimental`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RawMap(Vec<(Str, RawJson)>);

impl RawMap {
    /// Creates an empty object.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns `true` if the object has no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&RawJson> {
        self.0.iter().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// Sets the value of `key`. An existing entry keeps its position; a new entry is appended.
    pub fn insert(&mut self, key: impl Into<Str>, value: RawJson) {
        let key = key.into();
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// Removes `key` and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<RawJson> {
        let index = self.0.iter().position(|(name, _)| &**name == key)?;
        Some(self.0.remove(index).1)
    }

    /// Iterates over the entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// Appends an entry. The caller guarantees that the key is not present.
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
        Entries::<Str, RawJson>::deserialize(deserializer).map(|entries| Self(entries.0))
    }
}

/// The entries of an object in order. A duplicate key is an error.
pub(crate) struct Entries<K, V>(pub(crate) Vec<(K, V)>);

impl<'de, K, V> Deserialize<'de> for Entries<K, V>
where
    K: From<String> + Clone + Eq + Hash + fmt::Display,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<K, V>(std::marker::PhantomData<(K, V)>);
        impl<'de, K, V> Visitor<'de> for EntriesVisitor<K, V>
        where
            K: From<String> + Clone + Eq + Hash + fmt::Display,
            V: Deserialize<'de>,
        {
            type Value = Entries<K, V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let (mut entries, mut seen) = (Vec::new(), SeenKeys::default());
                while let Some(key) = access.next_key::<String>()? {
                    let key = K::from(key);
                    if seen.contains_or_insert(&entries, &key) {
                        return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
                    }
                    entries.push((key, access.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor(std::marker::PhantomData))
    }
}

/// Detects duplicate keys. The cost per key does not grow with the number of keys.
pub(crate) struct SeenKeys<K>(HashSet<K>);

impl<K> Default for SeenKeys<K> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<K: Clone + Eq + Hash> SeenKeys<K> {
    /// Below this number of keys, a linear comparison is used instead of the hash set.
    const FEW: usize = 16;

    /// Returns `true` if `key` is already among `entries`, and remembers it otherwise. Must be called once for each key,
    /// in order.
    pub(crate) fn contains_or_insert<V>(&mut self, entries: &[(K, V)], key: &K) -> bool {
        if entries.len() < Self::FEW {
            return entries.iter().any(|(known, _)| known == key);
        }
        if self.0.is_empty() {
            self.0.extend(entries.iter().map(|(known, _)| known.clone()));
        }
        !self.0.insert(key.clone())
    }
}

/// Returns `true` if arrays and objects in `text` are nested at most `limit` levels deep.
///
/// Counts brackets outside of strings only. Does not validate the text as JSON.
pub fn depth_within(text: &[u8], limit: usize) -> bool {
    // A document with a nesting depth above `limit` has more than `limit` opening brackets. Counting
    // brackets is cheap, so only the rare message with more brackets is scanned byte by byte.
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

/// Counts `[` and `{`, including those inside strings. The two characters differ in one bit.
fn opening_brackets(text: &[u8]) -> usize {
    // Chunks of at most 255 bytes fit a `u8` counter, so the compiler can vectorize the loop.
    let in_chunk = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(byte | 0x20 == b'{')).sum::<u8>();
    text.chunks(usize::from(u8::MAX)).map(|chunk| usize::from(in_chunk(chunk))).sum()
}

/// Deserializes a text as JSON, falling back to a string.
pub(crate) fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    let value = serde_json::from_str(text).or_else(|error| match replace_lone_surrogates(text) {
        Cow::Owned(json) => serde_json::from_str(&json),
        Cow::Borrowed(_) => Err(error),
    });
    value.or_else(|error| T::deserialize(StrDeserializer::<serde_json::Error>::new(text)).map_err(|_| error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignores_brackets_inside_strings_when_measuring_depth() {
        assert!(depth_within(br#"{"a":["[[[[[[[["]}"#, 2));
        assert!(!depth_within(br#"{"a":[[1]]}"#, 2));
        assert!(depth_within(br#"["\"[[[[["]"#, 1));
        assert!(!depth_within("[".repeat(100_000).as_bytes(), MAX_DEPTH));
    }

    #[test]
    fn preserves_number_text_when_map_round_trips() {
        let text = r#"{"big":123456789012345678901234567890,"exact":1.10,"deep":{"a":[null]}}"#;
        let map: RawMap = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&map).unwrap(), text);
    }

    #[test]
    fn decodes_unknown_hint_as_none() {
        let icon: crate::model::Icon = serde_json::from_str(r#"{"src":"data:,","theme":"sepia"}"#).unwrap();
        assert_eq!(icon.theme, None);
        let icon: crate::model::Icon = serde_json::from_str(r#"{"src":"data:,","theme":"dark"}"#).unwrap();
        assert_eq!(icon.theme, Some(crate::model::IconTheme::Dark));
    }

    #[test]
    fn skips_unknown_items_when_decoding_audience() {
        use crate::model::{Annotations, Role};
        let decode = |text: &str| serde_json::from_str::<Annotations>(text).map(|annotations| annotations.audience);
        assert_eq!(
            decode(r#"{"audience":["user","auditor",7,"assistant"]}"#).unwrap(),
            Some(vec![Role::User, Role::Assistant])
        );
        assert_eq!(decode(r#"{"audience":["auditor"]}"#).unwrap(), Some(Vec::new()));
        assert_eq!(decode(r#"{"audience":null}"#).unwrap(), None);
        assert_eq!(decode("{}").unwrap(), None);
        assert!(decode(r#"{"audience":"user"}"#).is_err());
    }

    #[test]
    fn decodes_unknown_values_of_optional_enums_as_none() {
        use crate::model::{
            CacheScope, CreateMessageParams, DiscoverResult, IncludeContext, ListToolsResult, ReadResourceResult,
            ToolChoice, ToolChoiceMode,
        };
        let scope = |value: &str| {
            let rest = format!(r#""ttlMs":5,"cacheScope":{value}}}"#);
            let list: ListToolsResult = serde_json::from_str(&format!(r#"{{"tools":[],{rest}"#)).unwrap();
            let read: ReadResourceResult = serde_json::from_str(&format!(r#"{{"contents":[],{rest}"#)).unwrap();
            let discover = format!(r#"{{"supportedVersions":[],"capabilities":{{}},{rest}"#);
            let discover: DiscoverResult = serde_json::from_str(&discover).unwrap();
            assert_eq!(list.ttl_ms, Some(5));
            [list.cache_scope, read.cache_scope, discover.cache_scope]
        };
        assert_eq!(scope(r#""tenant""#), [None; 3]);
        assert_eq!(scope(r#""public""#), [Some(CacheScope::Public); 3]);

        let context = |value: &str| {
            let text = format!(r#"{{"messages":[],"maxTokens":1,"includeContext":{value}}}"#);
            serde_json::from_str::<CreateMessageParams>(&text).unwrap().include_context
        };
        assert_eq!(context(r#""someServers""#), None);
        assert_eq!(context(r#""thisServer""#), Some(IncludeContext::ThisServer));

        let mode = |text: &str| serde_json::from_str::<ToolChoice>(text).unwrap().mode;
        assert_eq!(mode(r#"{"mode":"never"}"#), None);
        assert_eq!(mode(r#"{"mode":"required"}"#), Some(ToolChoiceMode::Required));
    }

    #[test]
    fn returns_error_when_required_enum_is_unknown() {
        use crate::model::{ElicitResult, LogMessageParams, PromptMessage, Task};
        assert!(serde_json::from_str::<LogMessageParams>(r#"{"level":"loud","data":1}"#).is_err());
        assert!(serde_json::from_str::<ElicitResult>(r#"{"action":"postpone"}"#).is_err());
        let message = r#"{"role":"auditor","content":{"type":"text","text":""}}"#;
        assert!(serde_json::from_str::<PromptMessage>(message).is_err());
        let task = r#"{"taskId":"t","status":"paused","createdAt":"","lastUpdatedAt":"","ttl":null}"#;
        assert!(serde_json::from_str::<Task>(task).is_err());
    }

    #[test]
    fn returns_error_when_object_has_duplicate_keys() {
        let error = serde_json::from_str::<RawMap>(r#"{"a":1,"a":2}"#).unwrap_err();
        assert!(error.to_string().contains("duplicate field `a`"));
        for duplicate in [0, 15, 16, 17, 99] {
            let mut keys: Vec<usize> = (0..100).collect();
            let text = |keys: &[usize]| {
                format!("{{{}}}", keys.iter().map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","))
            };
            assert_eq!(serde_json::from_str::<RawMap>(&text(&keys)).unwrap().len(), 100);
            keys.push(duplicate);
            let error = serde_json::from_str::<RawMap>(&text(&keys)).unwrap_err();
            assert!(error.to_string().contains(&format!("duplicate field `{duplicate}`")), "{error}");
        }
    }

    #[test]
    fn decodes_in_linear_time_when_object_has_many_keys() {
        // M26-345
        let members: Vec<String> = (0..100_001).map(|n| format!("\"{n}\":0")).collect();
        let text = format!("{{{}}}", members.join(","));
        let start = std::time::Instant::now();
        assert_eq!(serde_json::from_str::<RawMap>(&text).unwrap().len(), 100_001);
        assert_eq!(serde_json::from_str::<crate::RequestMeta>(&text).unwrap().other.len(), 100_001);
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }
}
