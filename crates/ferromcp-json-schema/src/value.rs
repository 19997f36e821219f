//! Numbers and equality as defined by JSON Schema: 1 equals 1.0, and the order of properties is irrelevant.

use std::{cmp::Ordering, fmt::Write};

use serde_json::{Number, Value};

/// Serializes a value so that equal values have equal texts.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => {
            let _ = match whole(number) {
                Some(whole) => write!(text, "{whole}"),
                None => write!(text, "{:e}", number.as_f64().unwrap_or_default()),
            };
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (name, member) in sorted {
                let _ = write!(text, "{name:?}:");
                write(member, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::String(string) => {
            let _ = write!(text, "{string:?}");
        }
        Value::Null | Value::Bool(_) => {
            let _ = write!(text, "{value}");
        }
    }
}

/// Returns the number as an integer, if it is one that JSON numbers represent exactly.
#[expect(clippy::cast_possible_truncation, reason = "in range, and without a fraction")]
fn whole(number: &Number) -> Option<i128> {
    const EXACT: f64 = 18_446_744_073_709_551_616.0; // 2^64
    let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT);
    number.as_i64().map(i128::from).or(number.as_u64().map(i128::from)).or(float.map(|float| float as i128))
}

/// Compares two numbers.
pub(super) fn compare(a: &Number, b: &Number) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default()),
    }
}

/// Returns whether `number` is a multiple of `unit`, which is greater than 0.
pub(super) fn is_multiple(number: &Number, unit: &Number) -> bool {
    if let (Some(number), Some(unit)) = (whole(number), whole(unit)) {
        return number % unit == 0;
    }
    let (number, unit) = (number.as_f64().unwrap_or_default(), unit.as_f64().unwrap_or_default());
    let quotient = number / unit;
    // Decimal fractions are inexact in binary: 0.0075 / 0.0001 differs from 75 in the last bits.
    let off = (quotient - quotient.round()).abs();
    number % unit == 0.0 || (quotient.is_finite() && off <= 4.0 * f64::EPSILON * quotient.abs())
}
