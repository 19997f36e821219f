//! Deserializes JSON with the number rules of JSON Schema: `5.0` is an integer.
//!
//! Spec: <https://json-schema.org/draft/2020-12/json-schema-core#section-4.2.3>. serde distinguishes `5.0` from
//! `5`, so a value that fails to deserialize is retried with integral floats converted to integers.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::mismatch::Mismatch;
use super::violations::MAX_EXACT;

/// Deserializes a `T`.
///
/// # Errors
/// Returns the first error in the original text.
pub(super) fn deserialize<T: DeserializeOwned>(json: &str) -> Result<T, Mismatch> {
    let mut strict = serde_json::Deserializer::from_str(json);
    let mismatch = match serde_path_to_error::deserialize(&mut strict) {
        Ok(value) if strict.end().is_ok() => return Ok(value),
        // serde_json reads only the digits before the point of a number as an `i128` or `u128`.
        Ok(_) => Mismatch::new(String::new(), "invalid type: floating point, expected i128"),
        Err(error) => Mismatch::new(error.path().to_string(), &error.into_inner().to_string()),
    };
    with_integers(json).ok_or(mismatch)
}

/// Deserializes the value with integral floats converted to integers; `None` if there are no such floats.
fn with_integers<T: DeserializeOwned>(json: &str) -> Option<T> {
    let mut value: Value = serde_json::from_str(json).ok()?;
    integral_floats_to_integers(&mut value).then(|| T::deserialize(value).ok()).flatten()
}

/// Converts integral floats to integers, and returns true if there were any.
fn integral_floats_to_integers(value: &mut Value) -> bool {
    match value {
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= MAX_EXACT);
            #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
            if let Some(whole) = whole {
                *value = (whole as i64).into();
            }
            whole.is_some()
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| integral_floats_to_integers(item) | any),
        Value::Object(members) => {
            members.values_mut().fold(false, |any, member| integral_floats_to_integers(member) | any)
        }
        _ => false,
    }
}
