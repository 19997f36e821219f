//! JSON documents of authorization servers.
//!
//! Optional fields with `null` or a value of the wrong type are treated as absent, with a warning that names them. Errors
//! of `serde_json` are not shown: they can contain a part of the document, which may be a secret.

use std::time::Duration;

use ferromcp_core::text::excerpt;
use serde_json::{Map, Value};

/// Maximum number of items of a list in a document.
const MAX_ITEMS: usize = 500;

/// A document. It has no `Debug`, because it can contain secrets.
pub(crate) struct Document(Map<String, Value>);

impl Document {
    /// Parses a document; `None` if it is not a JSON object. A byte order mark is ignored.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
        match serde_json::from_slice(json).ok()? {
            Value::Object(object) => Some(Self(object)),
            _ => None,
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::String(text) => Some(text.clone()),
            _ => ignored(name),
        }
    }

    /// Returns a list of texts. Items of other types are ignored; a single text is a list of one, as some servers send it.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        match self.get(name)? {
            Value::Array(items) => {
                Some(items.iter().filter_map(Value::as_str).take(MAX_ITEMS).map(str::to_owned).collect())
            }
            Value::String(text) => Some(text.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect()),
            _ => ignored(name),
        }
    }

    /// Returns a text that is not empty.
    pub(crate) fn non_empty(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// Returns a positive number of seconds, which some servers send as a text or with a fraction. Other numbers are treated
    /// as absent.
    pub(crate) fn seconds(&self, name: &str) -> Option<u64> {
        let seconds = match self.get(name)? {
            Value::Number(number) => number.as_u64().or_else(|| whole_seconds(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => ignored(name),
        };
        seconds.filter(|seconds| *seconds > 0)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => ignored(name).unwrap_or(false),
        }
    }
}

fn whole_seconds(number: f64) -> Option<u64> {
    Duration::try_from_secs_f64(number).ok().map(|it| it.as_secs())
}

fn ignored<T>(name: &str) -> Option<T> {
    tracing::warn!(field = %excerpt(name), "ignoring a field of the wrong type");
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_mark_is_ignored() {
        assert_eq!(Document::parse("\u{feff}{\"a\":\"b\"}".as_bytes()).unwrap().text("a").unwrap(), "b");
        for json in ["", "\u{feff}", "\u{feff}[]"] {
            assert!(Document::parse(json.as_bytes()).is_none(), "{json}");
        }
    }

    #[test]
    fn seconds_are_read_from_numbers_and_texts() {
        for (json, expected) in [
            ("3600", Some(3600)),
            ("\"3600\"", Some(3600)),
            ("1.5", Some(1)),
            ("18446744073709551615", Some(u64::MAX)),
            ("1e300", None),
            ("0", None),
            ("-1", None),
            ("\"-1\"", None),
            ("\"\"", None),
            ("[]", None),
            ("null", None),
        ] {
            let document = Document::parse(format!("{{\"n\":{json}}}").as_bytes()).unwrap();
            assert_eq!(document.seconds("n"), expected, "{json}");
        }
    }
}
