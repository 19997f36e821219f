//! The input schema of a tool whose arguments are one type: an object whose root has no union.
//!
//! Model providers reject `oneOf`, `anyOf`, `allOf` and `$ref` at the root of an input schema, some of them together with
//! all other tools. The root is therefore rewritten: the properties of all variants are merged ([`union`](super::union)).
//! The result accepts every object that the type accepts and more; deserialization decides.

use ferromcp_core::{RawJson, RawMap};
use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value};

use super::optional::optional_without_null;
use super::plain::Plain;
use super::resolve::shape_of;
use super::shape::{Rest, Shape};

/// The keywords of the root that the merged properties replace, or that providers reject at the root.
const REPLACED: [&str; 16] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "description",
    "else",
    "enum",
    "if",
    "not",
    "oneOf",
    "properties",
    "required",
    "then",
    "type",
    "unevaluatedProperties",
];

/// Returns the input schema of a tool whose arguments have this schema, or `None` if it matches no object.
pub(super) fn published(mut schema: Schema) -> Option<Schema> {
    let name = schema.remove("title").and_then(|title| title.as_str().map(str::to_owned));
    optional_without_null(&mut schema);
    let mut root = object_root(schema.clone())?;
    define_root(&mut root, schema, &name.unwrap_or_else(|| "Arguments".to_owned()));
    Plain.transform(&mut root);
    Some(root)
}

/// Redirects references to the root (`#`), which some hosts cannot resolve, to a definition of the `exact` schema.
fn define_root(root: &mut Schema, mut exact: Schema, name: &str) {
    let mut definitions = match exact.remove("$defs") {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    let mut name = name.to_owned();
    while definitions.contains_key(&name) {
        name.push('_');
    }
    let mut redirect = Redirect { target: format!("#/$defs/{name}"), count: 0 };
    for definition in definitions.values_mut() {
        if let Ok(definition) = <&mut Schema>::try_from(definition) {
            redirect.transform(definition);
        }
    }
    redirect.transform(&mut exact);
    redirect.transform(root);
    if redirect.count > 0 {
        definitions.insert(name, exact.to_value());
        root.insert("$defs".into(), definitions.into());
    }
}

/// Replaces references to the root.
#[derive(Debug, Clone)]
struct Redirect {
    target: String,
    count: usize,
}

impl Transform for Redirect {
    fn transform(&mut self, schema: &mut Schema) {
        if schema.get("$ref").is_some_and(|target| target == "#") {
            schema.insert("$ref".into(), self.target.clone().into());
            self.count += 1;
        }
        transform_subschemas(self, schema);
    }
}

/// Rewrites a schema to an object without a union at the root. `None` if it matches no object.
pub(crate) fn object_root(schema: Schema) -> Option<Schema> {
    let mut schema = schema.to_value();
    if schema == Value::Object(Map::new()) {
        schema = Value::Bool(true); // any value, where serde does not ignore unknown properties
    }
    let no_definitions = Map::new();
    let definitions = schema.get("$defs").and_then(Value::as_object).unwrap_or(&no_definitions);
    match shape_of(&schema, definitions) {
        Ok(None) => None,
        Ok(Some(shape)) => Some(root_of_shape(&schema, shape)),
        // The union stays, and `Server::host_warnings` reports it.
        Err(_recursive) => Some(with_object_keywords(schema)),
    }
}

/// Returns the object of a shape, with the other keywords of the schema that it describes.
pub(super) fn root_of_shape(schema: &Value, shape: Shape) -> Schema {
    let mut root =
        Map::from_iter([("type".to_owned(), "object".into()), ("properties".into(), shape.properties.into())]);
    if !shape.required.is_empty() {
        root.insert("required".into(), shape.required.into());
    }
    match shape.rest {
        Rest::Unstated => None,
        Rest::Any => root.insert("additionalProperties".into(), true.into()),
        Rest::Closed => root.insert("additionalProperties".into(), false.into()),
        Rest::Schema(schema) => root.insert("additionalProperties".into(), schema),
    };
    let others = schema.as_object().into_iter().flatten();
    root.extend(
        others.filter(|it| !REPLACED.contains(&it.0.as_str())).map(|(key, value)| (key.clone(), value.clone())),
    );
    let text: Vec<String> = shape.description.into_iter().chain(shape.notes).collect();
    if !text.is_empty() {
        root.insert("description".into(), text.join("\n").into());
    }
    root.into()
}

fn with_object_keywords(schema: Value) -> Schema {
    let mut schema = Schema::try_from(schema).unwrap_or_default();
    let root = schema.ensure_object();
    root.insert("type".into(), "object".into());
    root.entry("properties").or_insert_with(|| Map::new().into());
    schema
}

/// Returns an input schema without properties with `"properties": {}`, which some hosts require; `None` if it has
/// properties.
///
/// # Errors
/// Returns a message if the schema is not the schema of an object.
pub(crate) fn repair(schema: &RawJson) -> Result<Option<RawJson>, String> {
    let mut root: RawMap = schema.decode().unwrap_or_default();
    if root.get("type").and_then(|r#type| r#type.decode::<String>().ok()).as_deref() != Some("object") {
        return Err("the root of the input schema must have \"type\": \"object\"".into());
    }
    match root.get("properties").map(RawJson::decode::<Value>) {
        Some(Ok(Value::Object(_))) => return Ok(None),
        // `null` is absence, and an empty PHP array serializes as `[]`.
        None | Some(Ok(Value::Null)) => {}
        Some(Ok(Value::Array(items))) if items.is_empty() => {}
        Some(_) => return Err("the input schema's `properties` must be an object".into()),
    }
    root.insert("properties", RawJson::empty_object());
    RawJson::new(&root).map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod superset;
#[cfg(test)]
mod tests;
