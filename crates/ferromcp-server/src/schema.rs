//! JSON Schema 2020-12 from Rust types, restricted to the keywords that hosts accept.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#json-schema-usage>.
//! Subschemas are inlined, except recursive ones. Formats that JSON Schema does not define (`uint32`, `double`) and titles
//! that only repeat the type name are removed. Keywords that some hosts reject are replaced ([`plain`]).

mod plain;

use ferromcp_core::RawJson;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

use plain::Plain;
pub(crate) use plain::enum_descriptions;

/// Creates a schema generator with the settings of this crate.
pub(crate) fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .with_transform(Plain)
        .into_generator()
}

/// Returns the root schema of `T`.
pub(crate) fn root_of<T: JsonSchema + ?Sized>() -> Schema {
    let mut schema = generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema
}

/// Returns true if the root of the schema has `"type": "object"`.
pub(crate) fn describes_object(schema: &Schema) -> bool {
    schema.get("type").is_some_and(|r#type| r#type == "object")
}

/// Serializes a schema.
pub(crate) fn text(schema: &Schema) -> RawJson {
    RawJson::from(schema.as_value().clone())
}

/// Removes `null` from the schema of an optional argument, which is omitted instead.
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

/// Removes `null` from every optional property of the objects in an *input* schema, at any depth.
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

/// Returns the schema of an object with exactly these properties.
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

/// Wraps the schema of a value that is not an object: `{"result": …}`.
pub(crate) fn wrapped(mut schema: Schema) -> Schema {
    Inward.transform(&mut schema); // the former root is now a property
    let definitions = match schema.remove("$defs") {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    let properties = Map::from_iter([("result".to_owned(), schema.to_value())]);
    let mut outer = object(properties, vec!["result".to_owned()], definitions);
    outer.remove("additionalProperties");
    outer
}

/// Redirects references to the root to the property of [`wrapped`].
#[derive(Debug, Clone)]
struct Inward;

impl Transform for Inward {
    fn transform(&mut self, schema: &mut Schema) {
        if schema.get("$ref").is_some_and(|target| target == "#") {
            schema.insert("$ref".into(), "#/properties/result".into());
        }
        transform_subschemas(self, schema);
    }
}

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is used")]
    struct Filter {
        since: Option<u32>,
        words: Vec<Option<String>>,
        inner: Option<Box<Filter2>>,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is used")]
    struct Filter2 {
        deep: Option<f64>,
    }

    #[test]
    fn input_schema_is_inlined_without_titles() {
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

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is used")]
    #[serde(untagged)]
    enum Tree {
        Leaf(String),
        Branch(Vec<Tree>),
    }

    #[test]
    fn wrapped_recursive_type_refers_to_result_property() {
        // S-251, M26-320
        let branch = json!({ "type": "array", "items": { "$ref": "#/properties/result" } });
        let tree = json!({ "anyOf": [{ "type": "string" }, branch] });
        assert_eq!(wrapped(root_of::<Tree>()).get("properties"), Some(&json!({ "result": tree })));
    }

    #[test]
    fn char_is_described_as_string_of_one_character() {
        assert_eq!(describe(root_of::<char>().as_value()), "a string of one character");
    }

    #[test]
    fn schema_is_wrapped_when_not_an_object() {
        // S-251
        let wrapped = wrapped(root_of::<Vec<u8>>());
        assert!(describes_object(&wrapped));
        assert_eq!(wrapped.get("required"), Some(&json!(["result"])));
    }
}
