//! Rewriting of schemas for compatibility with hosts. Model providers support less of JSON Schema than the specification
//! allows, and some reject a complete list of tools because of one keyword.
//!
//! | schemars output | reason | sent |
//! |---|---|---|
//! | `"format": "uint32"` | not a JSON Schema format | removed |
//! | `"const": "a"` | not supported by some hosts | `"enum": ["a"]` |
//! | `oneOf` of strings with descriptions | not supported by some hosts | one `enum` with a combined description |
//! | `oneOf` of which at most one branch can match, as of a tagged enum | not supported by some hosts | `anyOf` |
//! | `"items": true`, a property that is `true` | some hosts require objects | `{}` |
//! | `prefixItems` only | some hosts require `items` in each array | `prefixItems` and `items` |

use schemars::Schema;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value, json};

/// Rewrites a schema and all of its subschemas.
#[derive(Debug, Clone)]
pub(super) struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(object) = schema.as_object_mut() {
            drop_foreign_format(object);
            write_bounds_whole(object);
            write_anything_as_object(object);
            merge_choices(object);
            write_one_of_as_any_of(object);
            write_const_as_enum(object);
            add_items(object);
        }
        transform_subschemas(self, schema);
    }
}

/// Returns the lines of a description that describe the values of an `enum`.
pub(crate) fn enum_descriptions(schema: &Map<String, Value>) -> Option<String> {
    let choices = schema.get("enum")?.as_array()?;
    let lines = schema.get("description")?.as_str()?.lines();
    let of_choice = |line: &&str| choices.iter().filter_map(Value::as_str).any(|it| line.starts_with(&line_prefix(it)));
    let lines: Vec<&str> = lines.filter(of_choice).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Returns the prefix of the line that describes a value.
pub(super) fn line_prefix(choice: &str) -> String {
    format!("- `{choice}`: ")
}

fn drop_foreign_format(object: &mut Map<String, Value>) {
    let is_size = |digits: &str| digits.parse::<u8>().is_ok();
    let is_foreign = |format: &str| {
        matches!(format, "float" | "double" | "int" | "uint" | "ip")
            || format.strip_prefix("uint").or(format.strip_prefix("int")).is_some_and(is_size)
    };
    if object.get("format").and_then(Value::as_str).is_some_and(is_foreign) {
        object.remove("format");
    }
}

/// Writes limits such as `0.0` and `255.0` as integers.
fn write_bounds_whole(object: &mut Map<String, Value>) {
    if object.get("type").is_none_or(|r#type| r#type != "integer") {
        return;
    }
    for keyword in ["minimum", "maximum"] {
        let whole = object.get(keyword).and_then(Value::as_f64).filter(|n| n.fract() == 0.0 && n.abs() < 1e15);
        if let Some(whole) = whole {
            #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
            object.insert(keyword.into(), (whole as i64).into());
        }
    }
}

fn write_anything_as_object(object: &mut Map<String, Value>) {
    let rewrite = |schema: &mut Value| {
        if *schema == Value::Bool(true) {
            *schema = json!({});
        }
    };
    if let Some(items) = object.get_mut("items") {
        rewrite(items);
    }
    for keyword in ["properties", "$defs"] {
        if let Some(Value::Object(schemas)) = object.get_mut(keyword) {
            schemas.values_mut().for_each(rewrite);
        }
    }
    for keyword in ["prefixItems", "anyOf", "oneOf"] {
        if let Some(Value::Array(schemas)) = object.get_mut(keyword) {
            schemas.iter_mut().for_each(rewrite);
        }
    }
}

/// Merges `oneOf` branches that are all strings into one `enum`, with their descriptions as lines of the description.
fn merge_choices(object: &mut Map<String, Value>) {
    let Some(arms) = object.get("oneOf").and_then(Value::as_array) else { return };
    let mut choices = Vec::new();
    let mut lines = Vec::new();
    for arm in arms {
        let Some(texts) = arm.as_object().and_then(texts) else { return };
        if let Some(words) = arm.get("description").and_then(Value::as_str) {
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            lines.extend(texts.iter().map(|text| format!("{}{words}", line_prefix(text))));
        }
        choices.extend(texts.into_iter().map(Value::from));
    }
    let lines = lines.join("\n");
    let description = match object.get("description").and_then(Value::as_str) {
        Some(words) if !lines.is_empty() => format!("{words}\n{lines}"),
        Some(words) => words.to_owned(),
        None => lines,
    };
    object.remove("oneOf");
    object.insert("type".into(), "string".into());
    object.insert("enum".into(), choices.into());
    if !description.is_empty() {
        object.insert("description".into(), description.into());
    }
}

/// Returns the strings that a branch allows, if it has no other keywords than these and a description.
pub(super) fn texts(arm: &Map<String, Value>) -> Option<Vec<&str>> {
    let is_plain = |keyword: &String| matches!(keyword.as_str(), "type" | "const" | "enum" | "description");
    if !arm.keys().all(is_plain) {
        return None;
    }
    match (arm.get("const"), arm.get("enum")) {
        (Some(Value::String(text)), None) => Some(vec![text]),
        (None, Some(Value::Array(texts))) => texts.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// Writes `oneOf` as `anyOf` if the two are equivalent, because no value matches two branches.
fn write_one_of_as_any_of(object: &mut Map<String, Value>) {
    let Some(arms) = object.get("oneOf").and_then(Value::as_array) else { return };
    let is_exclusive = |(index, arm): (usize, &Value)| arms[..index].iter().all(|other| are_exclusive(arm, other));
    if arms.iter().enumerate().all(is_exclusive) {
        rename_one_of(object);
    }
}

/// Renames `oneOf` to `anyOf`, in place to keep the order of the keywords. A schema with both keywords is not changed.
pub(super) fn rename_one_of(object: &mut Map<String, Value>) {
    if !object.contains_key("oneOf") || object.contains_key("anyOf") {
        return;
    }
    let renamed = std::mem::take(object).into_iter().map(|(keyword, value)| match keyword.as_str() {
        "oneOf" => ("anyOf".to_owned(), value),
        _ => (keyword, value),
    });
    *object = renamed.collect();
}

/// Returns true if no value matches both schemas: they have different types, different tags, or different required
/// properties of closed objects.
fn are_exclusive(one: &Value, other: &Value) -> bool {
    let r#type = |schema: &Value| match schema.get("type").and_then(Value::as_str) {
        Some("integer") => Some("number".to_owned()),
        known => known.map(str::to_owned),
    };
    if let (Some(one), Some(other)) = (r#type(one), r#type(other)) {
        if one != other {
            return true;
        }
    }
    let property = |schema: &Value, name: &Value| schema.get("properties")?.get(name.as_str()?).cloned();
    let required = |schema: &Value| schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let has_other_tag = |name: &Value| {
        let (Some(Value::Object(one)), Some(Value::Object(other))) = (property(one, name), property(other, name))
        else {
            return false;
        };
        texts(&one).zip(texts(&other)).is_some_and(|(one, other)| !one.iter().any(|choice| other.contains(choice)))
    };
    let is_closed_to = |closed: &Value, open: &Value| {
        closed.get("additionalProperties") == Some(&Value::Bool(false))
            && required(open).iter().any(|name| property(closed, name).is_none())
    };
    required(one).iter().any(|name| required(other).contains(name) && has_other_tag(name))
        || is_closed_to(one, other)
        || is_closed_to(other, one)
}

fn write_const_as_enum(object: &mut Map<String, Value>) {
    if object.get("const").is_some_and(Value::is_string) {
        if let Some(only) = object.remove("const") {
            object.insert("enum".into(), Value::Array(vec![only]));
        }
    }
}

/// Adds an `items` schema to a tuple that allows each of its item types.
fn add_items(object: &mut Map<String, Value>) {
    if object.contains_key("items") {
        return;
    }
    let Some(places) = object.get("prefixItems").and_then(Value::as_array) else { return };
    let mut kinds: Vec<&Value> = Vec::new();
    for place in places {
        if !kinds.contains(&place) {
            kinds.push(place);
        }
    }
    let items = match kinds.as_slice() {
        [only] => (*only).clone(),
        kinds => json!({ "anyOf": kinds }),
    };
    object.insert("items".into(), items);
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde_json::{Value, json};

    use super::super::root_of;

    /// Sort order
    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is used")]
    enum Order {
        /// Smallest
        /// first
        Rising,
        Falling,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is used")]
    #[serde(tag = "kind")]
    enum Filter {
        Name { name: String, other: Value },
        All,
    }

    #[test]
    fn choices_with_descriptions_are_merged_into_one_enum() {
        // M26-319, S-232
        let description = "Sort order\n- `Rising`: Smallest first";
        assert_eq!(
            root_of::<Order>().to_value(),
            json!({ "type": "string", "enum": ["Falling", "Rising"], "description": description })
        );
    }

    #[test]
    fn tag_is_enum_and_any_value_is_empty_object() {
        // M26-319, S-232
        let tag = |name| json!({ "type": "string", "enum": [name] });
        assert_eq!(
            root_of::<Filter>().to_value(),
            json!({ "anyOf": [
                {
                    "type": "object",
                    "properties": { "kind": tag("Name"), "name": { "type": "string" }, "other": {} },
                    "required": ["kind", "name", "other"],
                },
                { "type": "object", "properties": { "kind": tag("All") }, "required": ["kind"] },
            ] })
        );
        assert_eq!(root_of::<Vec<Value>>().get("items"), Some(&json!({})));
    }

    #[test]
    fn format_is_removed_when_not_defined_by_json_schema() {
        // M26-319, S-232
        use std::net::{IpAddr, Ipv4Addr};
        assert_eq!(root_of::<IpAddr>().to_value(), json!({ "type": "string" }));
        assert_eq!(root_of::<f32>().to_value(), json!({ "type": "number" }));
        assert_eq!(root_of::<Ipv4Addr>().get("format"), Some(&json!("ipv4")));
    }

    #[test]
    fn tuple_schema_has_items() {
        // M26-319, S-232
        let (number, text) = (json!({ "type": "number" }), json!({ "type": "string" }));
        assert_eq!(root_of::<(f64, f64)>().get("items"), Some(&number));
        assert_eq!(root_of::<(f64, String)>().get("items"), Some(&json!({ "anyOf": [number, text] })));
    }
}
