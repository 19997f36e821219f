//! Canonical JSON (RFC 8785) and its SHA-256 digest.
//!
//! The order of keys and the notation of numbers and strings do not change the canonical text.

use std::collections::BTreeMap;
use std::fmt::Write;

use ring::digest::{SHA256, digest as digest_of};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// Maximum nesting of a value. Definitions of a server have at most 64 levels.
const MAX_DEPTH: usize = 128;

/// Converts a definition to a value. A part that is not valid in a `Value`, such as the number `1e999` or a lone surrogate,
/// becomes a string with its JSON text, so that the other parts are preserved.
pub(crate) fn to_value(item: &(impl Serialize + ?Sized)) -> Value {
    match serde_json::to_string(item).and_then(RawValue::from_string) {
        Ok(raw) => parse(&raw, MAX_DEPTH),
        Err(_) => Value::Null,
    }
}

/// Parses the text of a file. Numbers are the nearest double, which `serde_json` does not guarantee.
///
/// # Errors
/// Fails if the text is not JSON.
pub(crate) fn parse_file(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str::<&RawValue>(text).map(|raw| parse(raw, MAX_DEPTH))
}

/// Parses valid JSON. A part that is nested too deeply, or is not valid in a `Value`, becomes a string.
fn parse(raw: &RawValue, depth: usize) -> Value {
    let text = raw.get();
    let parsed = match text.as_bytes().first() {
        _ if depth == 0 => None,
        Some(b'{') => serde_json::from_str::<BTreeMap<String, &RawValue>>(text).ok().map(|members| {
            let members = members.into_iter().map(|(key, member)| (key, parse(member, depth - 1)));
            members.collect::<Map<_, _>>().into()
        }),
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(text)
            .ok()
            .map(|items| items.into_iter().map(|item| parse(item, depth - 1)).collect()),
        Some(b'-' | b'0'..=b'9') => number(text).map(Value::Number),
        _ => serde_json::from_str(text).ok(),
    };
    parsed.unwrap_or_else(|| text.into())
}

/// Parses a number exactly: `serde_json` rounds some numbers with a fraction, an exponent or many digits differently.
fn number(text: &str) -> Option<Number> {
    let integer = text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
    integer.ok().or_else(|| text.parse().ok().and_then(Number::from_f64))
}

/// Returns a value whose objects have sorted keys.
pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(members) => {
            sorted_members(members).into_iter().map(|(key, member)| (key.clone(), sorted(member))).collect()
        }
        other => other.clone(),
    }
}

/// Returns the members in the order of RFC 8785: by UTF-16 code units.
fn sorted_members(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    sorted
}

/// Returns the canonical text of a value.
pub(crate) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

/// Returns the SHA-256 digest of the canonical text, as `sha256:` and 64 hexadecimal digits.
pub(crate) fn digest(value: &Value) -> String {
    let mut text = "sha256:".to_owned();
    for byte in digest_of(&SHA256, canonical(value).as_bytes()).as_ref() {
        let _ = write!(text, "{byte:02x}"); // a `String` accepts all text
    }
    text
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => out.push_str(&ecmascript(number)),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (key, member)) in sorted_members(members).into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
        // `serde_json` escapes strings like RFC 8785.
        other => out.push_str(&other.to_string()),
    }
}

/// Returns the notation of a number in ECMAScript, which RFC 8785 requires. Integers beyond 2^53 are rounded.
fn ecmascript(number: &Number) -> String {
    let value = number.as_f64().unwrap_or_default();
    if value == 0.0 {
        return "0".to_owned();
    }
    // The shortest digits that identify the number, such as `1.25e-7`.
    let shortest = format!("{:e}", value.abs());
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let digits = digits.replace('.', "");
    let point = exponent.parse::<i32>().unwrap_or_default() + 1; // the position of the decimal point
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let text = if (count..=21).contains(&point) {
        format!("{digits}{}", zeros(point - count))
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
        format!("{whole}.{fraction}")
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let (first, rest) = digits.split_at(1);
        let fraction = if rest.is_empty() { String::new() } else { format!(".{rest}") };
        let sign = if point > 0 { "+" } else { "-" };
        format!("{first}{fraction}e{sign}{}", (point - 1).abs())
    };
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn canonical_of(text: &str) -> String {
        canonical(&to_value(&RawValue::from_string(text.to_owned()).unwrap()))
    }

    #[test]
    fn canonical_text_equals_the_examples_of_rfc_8785() {
        let text = r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#;
        let expected = r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(canonical_of(text), expected);
        let keys = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
        let expected = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical_of(keys), expected);
        for (written, expected) in [
            ("-0", "0"),
            ("1.0", "1"),
            ("100e-2", "1"),
            ("1e21", "1e+21"),
            ("123456789012345678901", "123456789012345680000"),
            ("1e-6", "0.000001"),
            ("1e-7", "1e-7"),
            ("-1.5e300", "-1.5e+300"),
            ("5e-324", "5e-324"),
            ("9007199254740993", "9007199254740992"),
        ] {
            assert_eq!(canonical_of(written), expected, "{written}");
        }
    }

    #[test]
    fn digest_is_that_of_the_canonical_text() {
        // printf '{"a":1}' | sha256sum
        let expected = "sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
        assert_eq!(digest(&json!({ "a": 1.0 })), expected);
        assert_ne!(digest(&json!({ "a": "1" })), expected);
    }

    #[test]
    fn invalid_parts_become_text_when_a_value_cannot_contain_them() {
        let value =
            to_value(&RawValue::from_string(r#"{"b":[1e999,2],"a":"\ud800","c":{"d":true}}"#.to_owned()).unwrap());
        assert_eq!(value, json!({ "a": "\"\\ud800\"", "b": ["1e999", 2], "c": { "d": true } }));
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        let _ = canonical_of(&format!(r#"{{"deep":{deep}}}"#));
    }

    fn reversed(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(reversed).collect(),
            Value::Object(members) => members.iter().rev().map(|(key, value)| (key.clone(), reversed(value))).collect(),
            other => other.clone(),
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("\\PC{0,4}", inner), 0..5)
                    .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn digest_is_independent_of_key_order(value in any_json()) {
            prop_assert_eq!(digest(&value), digest(&reversed(&value)));
            prop_assert_eq!(digest(&value), digest(&sorted(&value)));
        }

        #[test]
        fn canonical_numbers_keep_their_value(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            let text = canonical(&json!(value));
            // Zero has no sign.
            prop_assert!(text.parse::<f64>().unwrap().total_cmp(&(value + 0.0)).is_eq(), "{text}");
        }
    }
}
