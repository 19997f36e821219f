//! Limits of the length of an argument: the characters of a string, the items of a list or set, the entries of a map.
//!
//! Lengths are counted in the JSON of the argument, as the published schema keywords do, so every item type is supported.

use std::collections::HashSet;
use std::fmt;
use std::ops::{Bound, RangeBounds};

use ferromcp_core::RawMap;
use serde::Deserializer as _;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::input::Input;
use super::text_value::TextValue;

/// A limit of the length of an argument.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Length {
    low: usize,
    high: Option<usize>,
    /// What is counted; set when the type of the parameter is known.
    unit: Option<Unit>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Characters,
    Items,
    /// The items of a set, without duplicates.
    DistinctItems,
    Entries,
}

impl Length {
    pub(crate) fn new(range: &impl RangeBounds<usize>) -> Self {
        let low = match range.start_bound() {
            Bound::Included(low) => *low,
            Bound::Excluded(low) => low.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let high = match range.end_bound() {
            Bound::Included(high) => Some(*high),
            Bound::Excluded(high) => Some(high.saturating_sub(1)),
            Bound::Unbounded => None,
        };
        Self { low, high, unit: None }
    }

    /// Returns true if the minimum exceeds the maximum.
    pub(crate) fn is_empty(self) -> bool {
        self.high.is_some_and(|high| self.low > high)
    }

    /// Sets what is counted. Returns false if a value with this schema has no length.
    pub(crate) fn set_unit(&mut self, schema: &Value, definitions: &Map<String, Value>) -> bool {
        self.unit = Unit::of(schema, definitions);
        self.unit.is_some()
    }

    /// Returns the schema keywords of the limit.
    pub(crate) fn keywords(self, schema: &Value, definitions: &Map<String, Value>) -> Vec<(&'static str, Value)> {
        let (low, high) = match Unit::of(schema, definitions) {
            Some(Unit::Characters) => ("minLength", "maxLength"),
            Some(Unit::Items | Unit::DistinctItems) => ("minItems", "maxItems"),
            Some(Unit::Entries) => ("minProperties", "maxProperties"),
            None => return Vec::new(),
        };
        let mut keywords = vec![(low, Value::from(self.low))];
        keywords.extend(self.high.map(|limit| (high, Value::from(limit))));
        keywords
    }

    /// Returns the rest of an error text if the argument `name` violates the limit. `null` and absence are valid.
    pub(crate) fn check(self, name: &str, input: Input<'_>) -> Option<String> {
        let unit = self.unit?;
        let length = match input {
            Input::Json(arguments) => {
                let arguments: RawMap = serde_json::from_str(arguments).ok()?;
                unit.measure(arguments.get(name)?.as_str())
            }
            Input::Texts(texts) => unit.measure_text(texts.iter().find(|(text, _)| text == name).map(|it| &it.1)?),
        };
        self.violation(unit, length?)
    }

    /// Returns the rest of an error text if a string violates the limit.
    pub(crate) fn check_text(self, text: &str) -> Option<String> {
        self.violation(Unit::Characters, text.chars().count())
    }

    /// Returns the rest of an error text if a JSON value violates the limit.
    pub(crate) fn check_json(self, value: &Value) -> Option<String> {
        let unit = self.unit?;
        self.violation(unit, unit.measure(&value.to_string())?)
    }

    fn violation(self, unit: Unit, length: usize) -> Option<String> {
        let is_valid = length >= self.low && self.high.is_none_or(|high| length <= high);
        if is_valid {
            return None;
        }
        let expected = match self.high {
            Some(high) if high == self.low => high.to_string(),
            Some(high) => format!("{} to {high}", self.low),
            None => format!("at least {}", self.low),
        };
        let plural = if self.high.unwrap_or(self.low) == 1 { "" } else { "s" };
        Some(match unit {
            Unit::Characters => format!("must be {expected} long, got a length of {length}"),
            Unit::Items => format!("must have {expected} item{plural}, got {length}"),
            Unit::DistinctItems => format!("must have {expected} different item{plural}, got {length}"),
            Unit::Entries if plural.is_empty() => format!("must have {expected} entry, got {length}"),
            Unit::Entries => format!("must have {expected} entries, got {length}"),
        })
    }
}

impl Unit {
    /// Returns what is counted in a value with this schema. Tuples, structs and enums have no length.
    fn of(schema: &Value, definitions: &Map<String, Value>) -> Option<Self> {
        let has = |keyword: &str| schema.get(keyword).is_some();
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = definitions.get(reference.strip_prefix("#/$defs/")?)?;
            return if target.get("$ref").is_some() { None } else { Self::of(target, definitions) };
        }
        match schema.get("type")?.as_str()? {
            "string" if !has("enum") => Some(Self::Characters),
            "array" if has("prefixItems") || (has("minItems") && schema.get("minItems") == schema.get("maxItems")) => {
                None
            }
            "array" if schema.get("uniqueItems") == Some(&Value::Bool(true)) => Some(Self::DistinctItems),
            "array" => Some(Self::Items),
            "object" if !has("properties") && !has("anyOf") && !has("oneOf") => Some(Self::Entries),
            _ => None,
        }
    }

    /// Returns the length of a JSON text, or of the JSON inside a string. `None` for a value without a length.
    fn measure(self, json: &str) -> Option<usize> {
        let length = serde_json::Deserializer::from_str(json).deserialize_any(Counter(self)).ok()?;
        match length {
            Counted::Length(length) => Some(length),
            Counted::Text(text) if self == Self::Characters => Some(text.chars().count()),
            // A model encoded the list or map as a string.
            Counted::Text(text) if text.trim_start().starts_with(['[', '{']) => self.measure(&text),
            Counted::Text(_) => None,
        }
    }

    fn measure_text(self, value: &TextValue<'_>) -> Option<usize> {
        match (self, value) {
            (Self::Characters, TextValue::One(text)) => Some(text.chars().count()),
            (Self::Characters, TextValue::Many(list)) => Some(list.join(",").chars().count()),
            (Self::Items | Self::DistinctItems, TextValue::One(_)) => Some(1),
            (Self::Items, TextValue::Many(list)) => Some(list.len()),
            (Self::DistinctItems, TextValue::Many(list)) => Some(list.iter().collect::<HashSet<_>>().len()),
            (Self::Entries, _) | (_, TextValue::Invalid(_)) => None,
        }
    }
}

/// Counts the items or entries of a value without keeping them.
struct Counter(Unit);

enum Counted {
    Length(usize),
    Text(String),
}

impl<'de> Visitor<'de> for Counter {
    type Value = Counted;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a list or a map")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Counted, E> {
        Ok(Counted::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Counted, A::Error> {
        let mut length = 0;
        if self.0 == Unit::DistinctItems {
            let mut distinct = HashSet::new();
            while let Some(item) = items.next_element::<Value>()? {
                distinct.insert(item);
            }
            length = distinct.len();
        } else {
            while items.next_element::<IgnoredAny>()?.is_some() {
                length += 1;
            }
        }
        Ok(Counted::Length(length))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Counted, A::Error> {
        let mut keys = HashSet::new();
        while let Some((key, IgnoredAny)) = entries.next_entry::<String, IgnoredAny>()? {
            keys.insert(key);
        }
        Ok(Counted::Length(keys.len()))
    }
}
