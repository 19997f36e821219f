//! Numbers and equality as JSON Schema has them: 1 is 1.0, and the order of members says nothing.

use std::{cmp::Ordering, fmt::Write};

use serde_json::{Number, Value};

/// The value as a text that is the same for equal values.
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

/// The number as an integer, if it is one of a size that JSON numbers are read exactly in.
#[expect(clippy::cast_possible_truncation, reason = "in range, and without a fraction")]
fn whole(number: &Number) -> Option<i128> {
    const EXACT: f64 = 18_446_744_073_709_551_616.0; // 2^64
    let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT);
    number.as_i64().map(i128::from).or(number.as_u64().map(i128::from)).or(float.map(|float| float as i128))
}

/// How two numbers compare.
pub(super) fn compare(a: &Number, b: &Number) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default()),
    }
}

/// Whether `number` is a multiple of `unit`, which is above 0.
pub(super) fn is_multiple(number: &Number, unit: &Number) -> bool {
    if let (Some(number), Some(unit)) = (whole(number), whole(unit)) {
        return number % unit == 0;
    }
    let (number, unit) = (number.as_f64().unwrap_or_default(), unit.as_f64().unwrap_or_default());
    let quotient = number / unit;
    // Decimal fractions are not exact: 0.0075 is 75 times 0.0001 but for a few of the last bits.
    let off = (quotient - quotient.round()).abs();
    number % unit == 0.0 || (quotient.is_finite() && off <= 4.0 * f64::EPSILON * quotient.abs())
}
