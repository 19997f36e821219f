//! JSON Schema 2020-12 from Rust types, restricted to the keywords that hosts accept.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic#json-schema-usage>.
//! Subschemas are inlined, except recursive ones. Formats that JSON Schema does not define (`uint32`, `double`) and titles
//! that only repeat the type name are removed. Keywords that some hosts reject are replaced ([`plain`]). The root of an
//! input schema has no union ([`arguments`]).

mod arguments;
mod merge;
mod optional;
mod plain;
mod portable;
mod resolve;
mod shape;
mod union;
mod words;

use ferromcp_core::RawJson;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

pub(crate) use arguments::repair;
pub(crate) use optional::{optional_without_null, without_null};
use plain::Plain;
pub(crate) use plain::enum_descriptions;
use portable::Portable;
pub(crate) use words::{OTHER, describe};

/// Creates a schema generator with the settings of this crate.
pub(crate) fn generator() -> SchemaGenerator {
    settings().with_transform(Plain).into_generator()
}

/// Returns the settings of generators, without rewriting ([`plain`]).
fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    })
}

/// Returns the root schema of `T`.
pub(crate) fn root_of<T: JsonSchema + ?Sized>() -> Schema {
    let mut schema = generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema
}

/// Returns the input schema of a tool whose arguments are one `T`, or `None` if no object deserializes into `T`.
pub(crate) fn arguments_of<T: JsonSchema + ?Sized>() -> Option<Schema> {
    arguments::published(settings().into_generator().into_root_schema_for::<T>())
}

/// Returns true if the root of the schema has `"type": "object"`.
pub(crate) fn describes_object(schema: &Schema) -> bool {
    schema.get("type").is_some_and(|r#type| r#type == "object")
}

/// Serializes a schema.
pub(crate) fn text(schema: &Schema) -> RawJson {
    RawJson::from(schema.as_value().clone())
}

/// Rewrites an exact input schema to the published one.
pub(crate) fn make_portable(schema: &mut Schema) {
    Portable::of(schema).transform(schema);
}

/// Returns the schema of an object with exactly these properties.
pub(crate) fn object(properties: Map<String, Value>, required: Vec<String>, definitions: Map<String, Value>) -> Schema {
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), properties.into()); // some hosts require it, even if it is empty
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
