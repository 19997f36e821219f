//! Reads a schema as a [`Shape`], through references and unions.

use serde_json::{Map, Value};

use super::shape::{Rest, Shape};
use super::union::union;

/// The maximum number of nested references and unions that are resolved.
const MAX_DEPTH: usize = 16;

/// The error of a schema that refers to its own root in a union, or nests too deeply.
#[derive(Debug)]
pub(super) struct Recursive;

/// Returns the shape of the objects that match `schema`, or `None` if no object does.
pub(super) fn shape_of(schema: &Value, definitions: &Map<String, Value>) -> Result<Option<Shape>, Recursive> {
    at_depth(schema, definitions, 0)
}

fn at_depth(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> Result<Option<Shape>, Recursive> {
    if depth > MAX_DEPTH {
        return Err(Recursive);
    }
    let schema = match schema {
        Value::Bool(true) => return Ok(Some(Shape::default().with_rest(Rest::Any))),
        Value::Object(schema) => schema,
        _ => return Ok(None),
    };
    if let Some(units) = Shape::of_units(schema) {
        return Ok(union(units));
    }
    if schema.get("type").is_some_and(|r#type| !allows_object(r#type)) {
        return Ok(None);
    }
    let mut shape = Shape::of_keywords(schema);
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = reference.strip_prefix("#/$defs/").and_then(|name| definitions.get(name)).ok_or(Recursive)?;
        let Some(target) = at_depth(target, definitions, depth + 1)? else { return Ok(None) };
        shape = shape.and(target);
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        let Some(part) = at_depth(part, definitions, depth + 1)? else { return Ok(None) };
        shape = shape.and(part);
    }
    for keyword in ["oneOf", "anyOf"] {
        let Some(variants) = schema.get(keyword).and_then(Value::as_array) else { continue };
        let mut shapes = Vec::new();
        for variant in variants {
            match variant.as_object().and_then(Shape::of_units) {
                Some(units) => shapes.extend(units),
                None => shapes.extend(at_depth(variant, definitions, depth + 1)?),
            }
        }
        let Some(merged) = union(shapes) else { return Ok(None) };
        shape = shape.and(merged);
    }
    if let (Rest::Unstated, Some(unevaluated)) = (&shape.rest, schema.get("unevaluatedProperties")) {
        shape = shape.with_rest(Rest::of(unevaluated));
    }
    Ok(Some(shape))
}

fn allows_object(r#type: &Value) -> bool {
    match r#type {
        Value::Array(types) => types.iter().any(|it| it == "object"),
        one => one == "object",
    }
}
