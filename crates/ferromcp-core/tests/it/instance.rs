//! Generates instances of a definition with every property and every variant of every union.

use serde_json::{Map, Value, json};

use crate::official::Official;

/// Returns instances of a definition that together contain every property and every variant.
pub(crate) fn fullest(schema: &Official, name: &str) -> Vec<Value> {
    let mut instances = named(schema, name);
    for instance in &mut instances {
        match name {
            "InputRequiredResult" => instance["resultType"] = json!("input_required"),
            _ => set_result_type(instance),
        }
    }
    instances
}

/// Sets `resultType`, which is any string in the schema but one of two values on the wire.
fn set_result_type(instance: &mut Value) {
    if let Value::Object(members) = instance {
        if let Some(Value::String(kind)) = members.get_mut("resultType") {
            if kind != "input_required" {
                "complete".clone_into(kind);
            }
        }
        members.values_mut().for_each(set_result_type);
    }
}

fn named(schema: &Official, name: &str) -> Vec<Value> {
    match name {
        // Recursive without bound. The generated schema lacks `null` and fractions here.
        "JSONValue" => vec![json!({ "deep": [1, "two", true] })],
        "JSONObject" => vec![json!({ "key": { "deep": [1, "two", true] } })],
        "JSONArray" => vec![json!([1, "two"])],
        _ => {
            let mut instances = of(schema, schema.definition(name));
            if name == "InputRequiredResult" {
                for instance in &mut instances {
                    instance["resultType"] = json!("input_required");
                }
            }
            if name.ends_with("MetaObject") {
                let foreign = json!({ "anything": [1, null, 0.5] });
                for instance in &mut instances {
                    instance["com.example/foreign"] = foreign.clone();
                }
            }
            instances
        }
    }
}

fn of(schema: &Official, definition: &Value) -> Vec<Value> {
    if let Some(path) = definition["$ref"].as_str() {
        return named(schema, path.rsplit('/').next().unwrap());
    }
    if let Some(value) = definition.get("const") {
        return vec![value.clone()];
    }
    if let Some(values) = definition["enum"].as_array() {
        return values.clone();
    }
    if let Some(arms) = definition["anyOf"].as_array() {
        return arms.iter().flat_map(|arm| of(schema, arm)).collect();
    }
    if let Some(parts) = definition["allOf"].as_array() {
        let parts: Vec<Vec<Value>> = parts.iter().map(|part| of(schema, part)).collect();
        let count = parts.iter().map(Vec::len).max().unwrap_or(0);
        return (0..count)
            .map(|index| {
                let mut whole = Map::new();
                for part in &parts {
                    whole.extend(part[index % part.len()].as_object().cloned().expect("parts of objects"));
                }
                // `Result & Task`: the additional members belong to the base type, the combined type is a task.
                whole.retain(|name, _| !name.starts_with("com.example/"));
                Value::Object(whole)
            })
            .collect();
    }
    match &definition["type"] {
        Value::String(kind) => of_type(schema, kind, definition),
        Value::Array(definitions) => {
            definitions.iter().flat_map(|kind| of_type(schema, kind.as_str().unwrap(), definition)).collect()
        }
        _ if definition.get("properties").is_some() => object(schema, definition),
        _ => vec![json!({ "anything": [1, null, 0.5] })],
    }
}

fn of_type(schema: &Official, kind: &str, definition: &Value) -> Vec<Value> {
    match kind {
        "object" => object(schema, definition),
        "array" => vec![Value::Array(of(schema, &definition["items"]))],
        "string" => vec![json!(match definition["format"].as_str() {
            Some("uri") => "https://example.com/a",
            Some("uri-template") => "file:///{path}",
            Some("byte") => "QUJD",
            _ => "text \"quoted\" \u{e9}",
        })],
        "integer" => vec![json!(7)],
        "number" => vec![json!(0.5)],
        "boolean" => vec![json!(true), json!(false)],
        "null" => vec![Value::Null],
        other => panic!("unexpected schema type: {other}"),
    }
}

fn object(schema: &Official, definition: &Value) -> Vec<Value> {
    let properties: Vec<(&String, Vec<Value>)> = definition["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, property)| (name, of(schema, property)))
        .collect();
    let mut open = Map::new();
    if let Some(others @ Value::Object(_)) = definition.get("additionalProperties") {
        for (index, value) in of(schema, others).into_iter().enumerate() {
            open.insert(format!("com.example/other{index}"), value);
        }
    }
    let count = properties.iter().map(|(_, values)| values.len()).max().unwrap_or(1);
    (0..count)
        .map(|index| {
            let mut members: Map<String, Value> = properties
                .iter()
                .map(|(name, values)| ((*name).clone(), values[index % values.len()].clone()))
                .collect();
            members.extend(open.clone());
            Value::Object(members)
        })
        .collect()
}
