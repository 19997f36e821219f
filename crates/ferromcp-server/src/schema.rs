//! JSON Schema 2020-12 from Rust types, in the plain form that hosts accept.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#json-schema-usage>.
//! Subschemas stand where they are used, save recursive ones; formats that JSON Schema does not
//! know (`uint32`, `double`) and titles that only repeat a type's name are left out.

use ferromcp_core::RawJson;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

/// A generator with this crate's settings.
pub(crate) fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .with_transform(Plain)
        .into_generator()
}

/// The schema of `T` as it stands alone.
pub(crate) fn root_of<T: JsonSchema + ?Sized>() -> Schema {
    let mut schema = generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema
}

/// Whether a schema's root says that it describes objects.
pub(crate) fn describes_object(schema: &Schema) -> bool {
    schema.get("type").is_some_and(|r#type| r#type == "object")
}

/// A schema as text.
pub(crate) fn text(schema: &Schema) -> RawJson {
    RawJson::from(schema.as_value().clone())
}

/// Takes `null` out of what an optional argument may be: it is left out instead.
pub(crate) fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|r#type| r#type != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("enum") {
        choices.retain(|choice| !choice.is_null());
    }
    if let Some(Value::Array(arms)) = object.get_mut("anyOf") {
        arms.retain(|arm| arm.get("type").is_none_or(|r#type| r#type != "null"));
        if let [Value::Object(only)] = arms.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (keyword, value) in only {
                object.entry(keyword).or_insert(value);
            }
        }
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
}

/// Takes `null` out of every optional property of the objects in an *input* schema, however deep.
pub(crate) fn optional_without_null(schema: &mut Schema) {
    Optional.transform(schema);
}

#[derive(Debug, Clone)]
struct Optional;

impl Transform for Optional {
    fn transform(&mut self, schema: &mut Schema) {
        let required = schema.get("required").cloned().unwrap_or_default();
        let is_required = |name: &str| required.as_array().is_some_and(|names| names.iter().any(|it| it == name));
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            for (_, property) in properties.iter_mut().filter(|(name, _)| !is_required(name)) {
                if let Ok(property) = <&mut Schema>::try_from(property) {
                    without_null(property);
                }
            }
        }
        transform_subschemas(self, schema);
    }
}

/// The schema of an object with these properties and no others.
pub(crate) fn object(properties: Map<String, Value>, required: Vec<String>, definitions: Map<String, Value>) -> Schema {
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    if !properties.is_empty() {
        schema.insert("properties".into(), properties.into());
    }
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    schema.insert("additionalProperties".into(), false.into());
    if !definitions.is_empty() {
        schema.insert("$defs".into(), definitions.into());
    }
    schema.into()
}

/// The schema that wraps what is not an object: `{"result": …}`.
pub(crate) fn wrapped(mut schema: Schema) -> Schema {
    let definitions = match schema.remove("$defs") {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    let properties = Map::from_iter([("result".to_owned(), schema.to_value())]);
    let mut outer = object(properties, vec!["result".to_owned()], definitions);
    outer.remove("additionalProperties");
    outer
}

/// What [`in_words`] says where a schema's root does not tell.
pub(crate) const OTHER: &str = "another value";

/// What a schema's value is to be, in words.
pub(crate) fn in_words(schema: &Value) -> String {
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
    let mut words = match schema.get("type") {
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
    words.push_str(&bounds);
    words
}

/// Leaves out what says nothing to a host.
#[derive(Debug, Clone)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(object) = schema.as_object_mut() {
            let foreign = |format: &Value| {
                format.as_str().is_some_and(|format| {
                    matches!(format, "float" | "double" | "int" | "uint")
                        || format
                            .strip_prefix("uint")
                            .or(format.strip_prefix("int"))
                            .is_some_and(|size| size.parse::<u8>().is_ok())
                })
            };
            if object.get("format").is_some_and(foreign) {
                object.remove("format");
            }
            for keyword in ["minimum", "maximum"] {
                // `0.0` and `255.0` read better as the integers they are.
                let whole = object.get(keyword).and_then(Value::as_f64).filter(|n| n.fract() == 0.0 && n.abs() < 1e15);
                if let (Some(whole), true) = (whole, object.get("type").is_some_and(|r#type| r#type == "integer")) {
                    #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
                    object.insert(keyword.into(), (whole as i64).into());
                }
            }
        }
        transform_subschemas(self, schema);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema counts")]
    struct Filter {
        since: Option<u32>,
        words: Vec<Option<String>>,
        inner: Option<Box<Filter2>>,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema counts")]
    struct Filter2 {
        deep: Option<f64>,
    }

    #[test]
    fn input_schemas_are_plain() {
        // M26-319, M26-320, S-232, S-233
        let mut schema = root_of::<Filter>();
        optional_without_null(&mut schema);
        assert_eq!(
            schema.to_value(),
            json!({
                "type": "object",
                "properties": {
                    "since": { "type": "integer", "minimum": 0 },
                    "words": { "type": "array", "items": { "type": ["string", "null"] } },
                    "inner": { "type": "object", "properties": { "deep": { "type": "number" } } },
                },
                "required": ["words"],
            })
        );
    }

    #[test]
    fn what_is_no_object_is_wrapped() {
        // S-251
        let wrapped = wrapped(root_of::<Vec<u8>>());
        assert!(describes_object(&wrapped));
        assert_eq!(wrapped.get("required"), Some(&json!(["result"])));
    }
}
