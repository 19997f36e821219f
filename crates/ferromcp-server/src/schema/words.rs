//! The expected value of a schema in words, for error texts and descriptions.

use serde_json::Value;

/// The result of [`describe`] for a schema without a known type.
pub(crate) const OTHER: &str = "another value";

/// Describes the expected value of a schema for error texts.
pub(crate) fn describe(schema: &Value) -> String {
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
        return format!("one of {}", choices.join(", "));
    }
    let one = |name: &str| match name {
        "string" => "a string".to_owned(),
        "integer" => "an integer".to_owned(),
        "number" => "a number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => "an array".to_owned(),
        "object" => "an object".to_owned(),
        other => other.to_owned(),
    };
    let mut description = match schema.get("type") {
        Some(Value::String(name)) => one(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(one).collect::<Vec<_>>().join(" or "),
        _ => OTHER.to_owned(),
    };
    let bounds = match (schema.get("minimum"), schema.get("maximum")) {
        (Some(low), Some(high)) => format!(" from {low} to {high}"),
        (Some(low), None) => format!(" of at least {low}"),
        (None, Some(high)) => format!(" of at most {high}"),
        (None, None) => String::new(),
    };
    description.push_str(&bounds);
    if schema.get("maxLength").is_some_and(|length| *length == 1) {
        description.push_str(" of one character");
    }
    description
}
