//! Rewriting of published input schemas for hosts that enforce the strict mode of the OpenAI API.
//!
//! The result accepts more than the type, which deserialization rejects. Errors are described from the exact schema.
//!
//! | exact schema | published |
//! |---|---|
//! | a `format` of another crate's type that strict mode rejects (`uri`) | no format; described, if there is no description |
//! | `uniqueItems` of a set | removed |
//! | `prefixItems` of a tuple | `items` and the length; described, if the items differ |
//! | an object with a union, as of a flattened enum | one object with the properties of all variants ([`union`](super::union)) |
//! | another `oneOf` | `anyOf` |
//! | `not` with constant values, for example of `NonZero<i32>` | removed, and described if the schema has no description |

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value, json};

use super::arguments::root_of_shape;
use super::plain::rename_one_of;
use super::resolve::shape_of;
use super::words::{OTHER, describe};

/// Formats of schemas from schemars that some hosts reject, with descriptions of the values.
const FORMATS: [(&str, &str); 3] = [
    ("uri", "A URL such as https://example.com/"),
    ("partial-time", "A time such as 18:00:00"),
    ("partial-date-time", "A date and time without offset such as 2026-12-24T18:00:00"),
];

/// Rewrites a schema and all of its subschemas.
#[derive(Debug, Clone)]
pub(super) struct Portable {
    definitions: Map<String, Value>,
}

impl Portable {
    /// Creates the transform of a schema with this root.
    pub(super) fn of(root: &Schema) -> Self {
        Self { definitions: root.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default() }
    }

    /// Merges the variants of an object into its properties. A union that refers to itself stays, and
    /// [`Server::host_warnings`](crate::Server::host_warnings) reports it.
    fn merge_variants(&self, schema: &mut Schema) {
        let Some(object) = schema.as_object() else { return };
        let has = |keyword: &str| object.contains_key(keyword);
        // An `anyOf` without other properties is portable, and says more.
        let is_mixed = has("oneOf") || has("allOf") || (has("anyOf") && has("properties"));
        let Some(r#type) = object.get("type").filter(|_| is_mixed).cloned() else { return };
        if r#type != "object" && r#type != json!(["object", "null"]) {
            return;
        }
        if let Ok(Some(shape)) = shape_of(schema.as_value(), &self.definitions) {
            *schema = root_of_shape(schema.as_value(), shape);
            schema.insert("type".into(), r#type);
        }
    }
}

impl Transform for Portable {
    fn transform(&mut self, schema: &mut Schema) {
        self.merge_variants(schema);
        if let Some(object) = schema.as_object_mut() {
            rename_one_of(object);
            describe_exceptions(object);
            describe_format(object);
            if object.get("uniqueItems") == Some(&Value::Bool(true)) {
                object.remove("uniqueItems");
            }
            describe_tuple(object);
        }
        transform_subschemas(self, schema);
    }
}

fn describe_format(object: &mut Map<String, Value>) {
    let format = object.get("format").and_then(Value::as_str);
    if let Some((_, words)) = FORMATS.iter().find(|(name, _)| Some(*name) == format) {
        object.remove("format");
        object.entry("description").or_insert_with(|| (*words).into());
    }
}

/// Removes the values that `not` excludes, and describes them.
fn describe_exceptions(object: &mut Map<String, Value>) {
    let excluded = match object.get("not").and_then(Value::as_object) {
        Some(not) if not.len() == 1 => match (not.get("const"), not.get("enum").and_then(Value::as_array)) {
            (Some(value), _) => vec![value.to_string()],
            (None, Some(values)) => values.iter().map(Value::to_string).collect(),
            (None, None) => return,
        },
        _ => return,
    };
    object.remove("not");
    object.entry("description").or_insert_with(|| format!("Not {}", excluded.join(" or ")).into());
}

fn describe_tuple(object: &mut Map<String, Value>) {
    let Some(Value::Array(places)) = object.remove("prefixItems") else { return };
    let words: Vec<String> = places.iter().map(describe).collect();
    let differ = words.iter().any(|word| *word != words[0]);
    if differ && words.iter().all(|word| word != OTHER) {
        object.entry("description").or_insert_with(|| format!("In this order: {}", words.join(", ")).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(schema: Value) -> Value {
        let mut schema = Schema::try_from(schema).unwrap();
        Portable::of(&schema).transform(&mut schema);
        schema.to_value()
    }

    #[test]
    fn format_is_described_when_strict_hosts_reject_it() {
        // S3
        let url = json!({ "type": "string", "description": "A URL such as https://example.com/" });
        assert_eq!(published(json!({ "type": "string", "format": "uri" })), url);
        let described = json!({ "type": "string", "description": "The page" });
        assert_eq!(published(json!({ "type": "string", "format": "uri", "description": "The page" })), described);
        let date = json!({ "type": "string", "format": "date" });
        assert_eq!(published(date.clone()), date);
    }

    #[test]
    fn set_and_tuple_are_plain_arrays_when_published() {
        // S3
        let items = json!({ "type": "string" });
        let set = json!({ "type": "array", "uniqueItems": true, "items": items });
        assert_eq!(published(set), json!({ "type": "array", "items": items }));
        let number = json!({ "type": "number" });
        let any = json!({ "anyOf": [number, items] });
        let tuple = json!({
            "type": "array", "prefixItems": [number, items], "items": any, "minItems": 2, "maxItems": 2
        });
        let description = "In this order: a number, a string";
        assert_eq!(
            published(tuple),
            json!({ "type": "array", "items": any, "minItems": 2, "maxItems": 2, "description": description })
        );
    }

    #[test]
    fn excluded_values_are_described_when_published() {
        let number = json!({ "type": "integer", "not": { "const": 0 } });
        assert_eq!(published(number), json!({ "type": "integer", "description": "Not 0" }));
        let text = json!({ "type": "string", "not": { "enum": ["", "-"] }, "description": "A name" });
        assert_eq!(published(text), json!({ "type": "string", "description": "A name" }));
        let list = json!({ "type": "array", "items": { "type": "integer", "not": { "const": 0 } } });
        assert_eq!(published(list)["items"].get("not"), None);
        let other = json!({ "not": { "type": "string" } });
        assert_eq!(published(other.clone()), other);
    }

    #[test]
    fn union_is_merged_or_any_of_when_published() {
        let arm =
            |name: &str| json!({ "type": "object", "properties": { name: { "type": "null" } }, "required": [name] });
        let flattened = json!({
            "type": "object",
            "properties": { "limit": { "type": "integer" } },
            "required": ["limit"],
            "oneOf": [arm("a"), arm("b")],
        });
        let merged =
            published(json!({ "type": "object", "properties": { "x": flattened } }))["properties"]["x"].clone();
        assert_eq!(
            merged,
            json!({
                "type": "object",
                "properties": { "limit": { "type": "integer" }, "a": { "type": "null" }, "b": { "type": "null" } },
                "required": ["limit"],
                "description": "Give one of `a`, `b`.",
            })
        );
        let union = published(json!({ "oneOf": [{ "type": "integer" }, { "type": "number" }] }));
        assert_eq!(union, json!({ "anyOf": [{ "type": "integer" }, { "type": "number" }] }));
        // A union of objects only is portable.
        let tagged = json!({ "anyOf": [arm("a"), arm("b")] });
        assert_eq!(published(tagged.clone()), tagged);
    }
}
