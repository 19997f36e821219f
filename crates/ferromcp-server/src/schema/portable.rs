//! Rewriting of published input schemas for hosts that enforce the strict mode of the OpenAI API.
//!
//! The result accepts more than the type, which deserialization rejects. Errors are described from the exact schema.
//!
//! | exact schema | published |
//! |---|---|
//! | a `format` of another crate's type that strict mode rejects (`uri`) | no format; described, if there is no description |
//! | `uniqueItems` of a set | removed |
//! | `prefixItems` of a tuple | `items` and the length; described, if the items differ |

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value};

use super::words::{OTHER, describe};

/// Formats of schemas from schemars that some hosts reject, with descriptions of the values.
const FORMATS: [(&str, &str); 3] = [
    ("uri", "A URL such as https://example.com/"),
    ("partial-time", "A time such as 18:00:00"),
    ("partial-date-time", "A date and time without offset such as 2026-12-24T18:00:00"),
];

/// Rewrites a schema and all of its subschemas.
#[derive(Debug, Clone)]
pub(super) struct Portable;

impl Transform for Portable {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(object) = schema.as_object_mut() {
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
    use serde_json::json;

    use super::*;

    fn published(schema: Value) -> Value {
        let mut schema = Schema::try_from(schema).unwrap();
        Portable.transform(&mut schema);
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
}
