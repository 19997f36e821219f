//! The error of a value that does not deserialize, described with the types of JSON Schema.
//!
//! serde describes Rust types. Its message is used only if the schema has no violation to report, for example because
//! the parser of a type is stricter than its schema.

use std::borrow::Cow;

use serde_json::Value;

use super::violations::{excerpt, json_excerpt};

/// The first error of a value that does not deserialize.
#[derive(Debug)]
pub struct Mismatch {
    /// The path within the value; empty for the value itself.
    path: String,
    message: String,
}

impl Mismatch {
    /// Creates the error at `path` in the notation of `serde_path_to_error`.
    pub(super) fn new(path: String, message: &str) -> Self {
        let message = message.rfind(" at line ").map_or(message, |end| &message[..end]);
        Self { path: if path == "." { String::new() } else { path }, message: message.to_owned() }
    }

    /// Returns the path within the value; empty for the value itself.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Describes the error of `value`, which is the argument `name`, or all arguments if `name` is empty.
    pub(super) fn describe(&self, name: &str, value: &Value) -> String {
        let place = join(name, &self.path);
        if let Some(field) = self.message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            return format!("`{}` is missing", join(&place, field));
        }
        if let Some(field) = self.message.strip_prefix("duplicate field `").and_then(|rest| rest.split('`').next()) {
            return format!("`{}` is given twice", join(&place, field));
        }
        // The path of this error ends with the field.
        if let Some(known) = unknown_field(&self.message) {
            return format!("unknown field `{place}`; {known}");
        }
        let got = at_path(value, &self.path).map(|value| format!(", got {}", json_excerpt(value))).unwrap_or_default();
        let place = if place.is_empty() { "the arguments" } else { &place };
        match expectation(&self.message) {
            Some(expected) => format!("`{place}` must be {expected}{got}"),
            None => format!("`{place}`: {}{got}", excerpt(&self.message)),
        }
    }
}

/// Appends the path of a value within the value at `place`.
fn join(place: &str, path: &str) -> String {
    let dot = if place.is_empty() || path.is_empty() || path.starts_with('[') { "" } else { "." };
    format!("{place}{dot}{path}")
}

/// Returns the known fields in words, if the error is an unknown field.
fn unknown_field(message: &str) -> Option<String> {
    let (_, rest) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let known = rest.strip_prefix(", expected ").map(|known| known.trim_start_matches("one of "));
    Some(known.map_or_else(|| "none are accepted".to_owned(), |known| format!("known are {known}")))
}

/// Returns the expected value of a type error, described with the types of JSON Schema.
fn expectation(message: &str) -> Option<Cow<'static, str>> {
    if let Some((_, variants)) =
        message.strip_prefix("unknown variant `").and_then(|rest| rest.split_once("`, expected "))
    {
        return Some(variants.replace('`', "\"").into());
    }
    if message.starts_with("data did not match any variant of untagged enum") {
        return Some("one of the accepted forms".into());
    }
    let is_type_error =
        ["invalid type: ", "invalid value: ", "invalid length "].iter().any(|it| message.starts_with(it));
    let (_, expected) = message.rsplit_once(", expected ").filter(|_| is_type_error)?;
    Some(match expected {
        "u8" => "an integer from 0 to 255".into(),
        "i8" => "an integer from -128 to 127".into(),
        "u16" => "an integer from 0 to 65535".into(),
        "i16" => "an integer from -32768 to 32767".into(),
        "u32" => format!("an integer from 0 to {}", u32::MAX).into(),
        "u64" => format!("an integer from 0 to {}", u64::MAX).into(),
        "i32" => format!("an integer from {} to {}", i32::MIN, i32::MAX).into(),
        "i64" => format!("an integer from {} to {}", i64::MIN, i64::MAX).into(),
        "u128" | "usize" => "an integer of at least 0".into(),
        "i128" | "isize" => "an integer".into(),
        nonzero if nonzero.starts_with("a nonzero ") => "an integer other than 0, in the range of its type".into(),
        "f32" | "f64" => "a number".into(),
        "a boolean" => "true or false".into(),
        "a string" | "a borrowed string" | "string" | "str" => "a string".into(),
        "a character" => "a string of one character".into(),
        "a sequence" | "a set" => "an array".into(),
        "a map" => "an object".into(),
        "unit" | "option" => "null".into(),
        "IPv4 address" | "IPv6 address" | "IP address" => format!("an {expected}").into(),
        "string or map" => "a string, or an object with one property".into(),
        other => {
            let object = ["struct ", "internally tagged enum ", "adjacently tagged enum ", "struct variant "];
            let array = ["a tuple of size ", "tuple struct ", "tuple variant ", "an array of length "];
            if object.iter().any(|prefix| other.starts_with(prefix)) && !other.contains(" with ") {
                "an object".into()
            } else if array.iter().any(|prefix| other.starts_with(prefix)) {
                let count = other.split(' ').find_map(|word| word.parse::<usize>().ok());
                count.map_or("an array".into(), |count| format!("an array of {count} items").into())
            } else {
                excerpt(other).into()
            }
        }
    })
}

/// Iterates over the names and indexes of a path such as `points[0].x`.
pub(super) fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[']).map(|step| step.trim_end_matches(']')).filter(|step| !step.is_empty())
}

/// Returns the value at a path such as `points[0].x`.
fn at_path<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    steps(path).try_fold(value, |value, step| match value {
        Value::Object(members) => members.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::super::integral_floats;
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its errors are used")]
    struct Point {
        x: u8,
        y: (f64, f64),
    }

    #[derive(Debug, Deserialize)]
    #[serde(tag = "kind")]
    enum Shape {
        Dot,
    }

    fn error<T: for<'de> Deserialize<'de> + std::fmt::Debug>(value: &Value) -> String {
        let mismatch = integral_floats::deserialize::<T>(&value.to_string()).expect_err("it does not deserialize");
        mismatch.describe("p", value)
    }

    #[test]
    fn error_is_described_in_schema_words_when_serde_rejects_the_value() {
        // S6
        for (value, words) in [
            (json!({ "y": [1, 2] }), "`p.x` is missing"),
            (json!({ "x": 256, "y": [1, 2] }), "`p.x` must be an integer from 0 to 255, got 256"),
            (json!({ "x": 1, "y": [1] }), "`p.y` must be an array of 2 items, got [1]"),
            (json!({ "x": 1, "y": [1, "2"] }), "`p.y[1]` must be a number, got \"2\""),
            (json!({ "x": 1, "z": 0 }), "unknown field `p.z`; known are `x` or `y`"),
            (json!("x"), "`p` must be an object, got \"x\""),
            (json!({ "x": 1, "y": [1, 2], "w": 1 }), "unknown field `p.w`; known are `x` or `y`"),
        ] {
            assert_eq!(error::<Point>(&value), words);
        }
        let twice = integral_floats::deserialize::<Point>(r#"{ "x": 1, "x": 2, "y": [1, 2] }"#).expect_err("two `x`");
        assert_eq!(twice.describe("p", &Value::Null), "`p.x` is given twice");
        assert_eq!(error::<Shape>(&json!({ "kind": "Line" })), "`p.kind` must be \"Dot\", got \"Line\"");
        assert_eq!(error::<Shape>(&json!(1)), "`p` must be an object, got 1");
        assert_eq!(error::<std::net::Ipv4Addr>(&json!("x")), "`p`: invalid IPv4 address syntax, got \"x\"");
    }
}
