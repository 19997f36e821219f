//! Values read from JSON the way JSON Schema sees them: `5.0` is an integer.
//!
//! Spec: <https://json-schema.org/draft/2020-12/json-schema-core#section-4.2.3>. serde tells `5.0` from `5`, so a value
//! that cannot be read as it stands is read once more with its whole numbers written as integers.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The largest number up to which a float tells every integer from its neighbours.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a `T`, or says at which path it went wrong and how, by the text as it stands.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T, (String, String)> {
    let mut strict = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut strict).or_else(|error| {
        again(json).ok_or_else(|| {
            let path = error.path().to_string();
            let words = error.into_inner().to_string();
            let words = words.rfind(" at line ").map_or(words.as_str(), |end| &words[..end]).to_owned();
            (path, words)
        })
    })
}

/// Reads the value with its whole numbers as integers, if it has any that were not written so.
fn again<T: DeserializeOwned>(json: &str) -> Option<T> {
    let mut value: Value = serde_json::from_str(json).ok()?;
    settle(&mut value).then(|| T::deserialize(value).ok()).flatten()
}

/// Makes integers of whole numbers; whether there were any.
fn settle(value: &mut Value) -> bool {
    match value {
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= MAX_EXACT);
            #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
            if let Some(whole) = whole {
                *value = (whole as i64).into();
            }
            whole.is_some()
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| settle(item) | any),
        Value::Object(members) => members.values_mut().fold(false, |any, member| settle(member) | any),
        _ => false,
    }
}
