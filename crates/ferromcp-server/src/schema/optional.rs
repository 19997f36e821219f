//! Optional values in input schemas: omitted instead of `null`.

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

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
