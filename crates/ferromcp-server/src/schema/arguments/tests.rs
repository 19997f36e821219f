//! The published root schema of each kind of enum. // S1, S2

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use ferromcp_json_schema::Validator;

use super::*;

fn published<T: JsonSchema>() -> Value {
    crate::schema::arguments_of::<T>().expect("an object deserializes into the type").to_value()
}

/// Asserts that the serialized value is valid, and is read again as the same value.
fn assert_accepted<T>(value: &T)
where
    T: JsonSchema + Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug,
{
    let schema = published::<T>();
    let json = serde_json::to_string(value).unwrap();
    if let Err(error) = Validator::compile(&schema.to_string()).unwrap().validate(&json) {
        panic!("{json}: {error}\n{schema:#}");
    }
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *value);
}

fn assert_no_union_at_root(schema: &Value) {
    for keyword in ["oneOf", "anyOf", "allOf", "$ref", "not", "enum", "const"] {
        assert!(schema.get(keyword).is_none(), "{keyword}: {schema:#}");
    }
    assert_eq!(schema["type"], "object", "{schema:#}");
    assert!(schema["properties"].is_object(), "{schema:#}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Empty {}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Unit;

#[test]
fn properties_are_published_when_type_has_no_fields() {
    assert_eq!(published::<Empty>(), json!({ "type": "object", "properties": {} }));
    assert_eq!(published::<Option<Empty>>(), json!({ "type": "object", "properties": {} }));
    let map = json!({ "type": "object", "properties": {}, "additionalProperties": { "type": "boolean" } });
    assert_eq!(published::<BTreeMap<String, bool>>(), map);
    assert_eq!(published::<HashMap<String, Value>>()["additionalProperties"], true);
    assert_eq!(published::<Value>(), json!({ "type": "object", "properties": {}, "additionalProperties": true }));
}

#[test]
fn schema_is_absent_when_no_object_deserializes_into_type() {
    assert!(crate::schema::arguments_of::<Vec<u8>>().is_none());
    assert!(crate::schema::arguments_of::<String>().is_none());
    assert!(crate::schema::arguments_of::<Unit>().is_none());
    assert!(crate::schema::arguments_of::<(u8, u8)>().is_none());
    assert!(crate::schema::arguments_of::<Option<bool>>().is_none());
}

/// What to draw
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    /// Round
    Circle {
        radius: u32,
        color: Option<String>,
    },
    /// With four
    /// equal sides
    Square {
        side: u32,
    },
    Nothing,
}

#[test]
fn tag_becomes_enum_when_enum_is_internally_tagged() {
    let description = "- `circle`: Round; requires `radius`, allows `color`\n\
                       - `square`: With four equal sides; requires `side`";
    assert_eq!(
        published::<Shape>(),
        json!({
            "type": "object",
            "properties": {
                "kind": { "type": "string", "enum": ["circle", "square", "nothing"], "description": description },
                "radius": { "type": "integer", "minimum": 0 },
                "color": { "type": "string" },
                "side": { "type": "integer", "minimum": 0 },
            },
            "required": ["kind"],
            "description": "What to draw",
        })
    );
    assert_accepted(&Shape::Circle { radius: 1, color: None.or(Some("red".into())) });
    assert_accepted(&Shape::Square { side: 2 });
    assert_accepted(&Shape::Nothing);
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "op", content = "value")]
enum Adjacent {
    Set(String),
    Add(i64),
    Merge { key: String },
    Clear,
}

#[test]
fn content_accepts_each_variant_when_enum_is_adjacently_tagged() {
    let schema = published::<Adjacent>();
    assert_no_union_at_root(&schema);
    assert_eq!(schema["properties"]["op"]["enum"], json!(["Set", "Add", "Merge", "Clear"]));
    assert_eq!(schema["properties"]["value"]["anyOf"].as_array().unwrap().len(), 3);
    assert_eq!(schema["required"], json!(["op"]));
    assert_accepted(&Adjacent::Set("a".into()));
    assert_accepted(&Adjacent::Add(-1));
    assert_accepted(&Adjacent::Merge { key: "k".into() });
    assert_accepted(&Adjacent::Clear);
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum External {
    /// By number
    ById(u64),
    ByName {
        name: String,
    },
    Newest,
    /// Anything
    Random,
}

#[test]
fn variants_become_properties_when_enum_is_externally_tagged() {
    let schema = published::<External>();
    assert_no_union_at_root(&schema);
    assert_eq!(schema["description"], "Give one of `newest`, `by_id`, `by_name`, `random`.");
    assert_eq!(schema["properties"]["by_id"]["description"], "By number");
    assert_eq!(schema["properties"]["random"], json!({ "type": "null", "description": "Anything" }));
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema.get("required"), None);
    assert_accepted(&External::ById(1));
    assert_accepted(&External::ByName { name: "a".into() });
    // A unit variant serializes as a string, which cannot be the arguments of a call.
    for unit in [External::Newest, External::Random] {
        let name = serde_json::to_value(&unit).unwrap();
        let object = json!({ name.as_str().unwrap(): null }).to_string();
        assert!(Validator::compile(&schema.to_string()).unwrap().validate(&object).is_ok(), "{object}");
        assert_eq!(serde_json::from_str::<External>(&object).unwrap(), unit);
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Id { id: u64 },
    Names { id: Vec<String>, strict: Option<bool> },
    Text(String),
}

#[test]
fn conflicting_types_become_any_of_when_enum_is_untagged() {
    let schema = published::<Untagged>();
    assert_no_union_at_root(&schema);
    let list = json!({ "type": "array", "items": { "type": "string" } });
    assert_eq!(schema["properties"]["id"], json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, list] }));
    assert_eq!(schema["required"], json!(["id"]));
    assert_accepted(&Untagged::Id { id: 7 });
    assert_accepted(&Untagged::Names { id: vec!["a".into()], strict: Some(true) });
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Open {
    Known { id: u64 },
    Other(BTreeMap<String, Value>),
}

#[test]
fn property_accepts_any_value_when_a_variant_is_a_map() {
    let schema = published::<Open>();
    assert_no_union_at_root(&schema);
    assert_eq!(schema["additionalProperties"], true);
    assert_accepted(&Open::Known { id: 1 });
    assert_accepted(&Open::Other(BTreeMap::from([("id".into(), json!("text")), ("x".into(), json!([]))])));
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Flattened {
    page: u32,
    #[serde(flatten)]
    shape: Shape,
    #[serde(flatten)]
    order: Option<Order>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "order")]
enum Order {
    Rising { by: String },
    Falling { by: String },
}

#[test]
fn fields_and_variants_are_merged_when_enums_are_flattened() {
    let schema = published::<Flattened>();
    assert_no_union_at_root(&schema);
    assert_eq!(schema["required"], json!(["page", "kind"]));
    let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["page", "kind", "radius", "color", "side", "order", "by"]);
    let order = Some(Order::Rising { by: "x".into() });
    assert_accepted(&Flattened { page: 1, shape: Shape::Square { side: 1 }, order });
    assert_accepted(&Flattened { page: 1, shape: Shape::Nothing, order: None });
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct FlattenedChoice {
    limit: u8,
    #[serde(flatten)]
    choice: External,
}

#[test]
fn variants_become_properties_when_externally_tagged_enum_is_flattened() {
    let schema = published::<FlattenedChoice>();
    assert_no_union_at_root(&schema);
    assert_eq!(schema["required"], json!(["limit"]));
    assert_accepted(&FlattenedChoice { limit: 1, choice: External::ById(2) });
    assert_accepted(&FlattenedChoice { limit: 1, choice: External::Newest });
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
enum Expression {
    Number { value: i64 },
    Sum { parts: Vec<Expression> },
    Nested(Operation),
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "operation", deny_unknown_fields)]
enum Operation {
    Negate { inner: Box<Expression> },
    Zero,
}

#[test]
fn nested_enums_are_merged_when_variants_are_enums() {
    let schema = published::<Expression>();
    assert_no_union_at_root(&schema);
    assert_eq!(schema["properties"]["operation"]["enum"], json!(["Negate", "Zero"]));
    assert_eq!(schema["required"], json!(["type"]));
    let number = || Expression::Number { value: 1 };
    assert_accepted(&Expression::Sum { parts: vec![number(), Expression::Sum { parts: vec![] }] });
    assert_accepted(&Expression::Nested(Operation::Negate { inner: Box::new(number()) }));
    assert_accepted(&Expression::Nested(Operation::Zero));
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Tree {
    label: String,
    children: Vec<Tree>,
    parent: Option<Box<Tree>>,
}

#[test]
fn root_is_a_definition_when_type_is_recursive() {
    // S3
    let schema = published::<Tree>();
    let reference = json!({ "$ref": "#/$defs/Tree" });
    assert_eq!(schema["properties"]["children"]["items"], reference);
    assert_eq!(schema["$defs"]["Tree"]["properties"], schema["properties"]);
    assert_eq!(schema["$defs"]["Tree"]["properties"]["parent"], reference);
    let node = |children, parent| json!({ "label": "node", "children": children, "parent": parent });
    let root = json!({ "label": "root", "children": [] });
    let tree = node(vec![node(vec![], root.clone())], root);
    serde_json::from_value::<Tree>(tree.clone()).unwrap();
    let validator = Validator::compile(&schema.to_string()).unwrap();
    assert!(validator.validate(&tree.to_string()).is_ok(), "{tree}\n{schema:#}");
    assert!(validator.validate(&node(vec![json!({ "label": "leaf" })], tree).to_string()).is_err());
    // The root of an enum is merged; its definition is exact.
    let expression = published::<Expression>();
    assert_no_union_at_root(&expression);
    assert_eq!(expression["$defs"]["Expression"]["anyOf"].as_array().unwrap().len(), 3);
}

#[test]
fn union_stays_when_it_refers_to_its_root() {
    let recursive = json!({ "oneOf": [{ "$ref": "#" }, { "type": "object" }] });
    let root = object_root(Schema::try_from(recursive).unwrap()).unwrap();
    assert!(root.get("oneOf").is_some());
    assert_eq!(root.get("properties"), Some(&json!({})));
}

#[test]
fn input_schema_gets_properties_when_it_has_none() {
    let repaired = |schema: Value| {
        let schema = RawJson::new(&schema).unwrap();
        repair(&schema).map(|repaired| repaired.unwrap_or(schema).decode::<Value>().unwrap())
    };
    let closed = json!({ "type": "object", "additionalProperties": false, "properties": {} });
    assert_eq!(repaired(json!({ "type": "object", "additionalProperties": false })), Ok(closed));
    for empty in [json!({ "type": "object" }), json!({ "type": "object", "properties": null })] {
        assert_eq!(repaired(empty), Ok(json!({ "type": "object", "properties": {} })));
    }
    assert_eq!(
        repaired(json!({ "properties": [], "type": "object" })),
        Ok(json!({ "type": "object", "properties": {} }))
    );
    let full = json!({ "type": "object", "properties": { "a": {} } });
    assert_eq!(repaired(full.clone()), Ok(full));
    for wrong in [json!({}), json!({ "type": "array" }), json!([]), json!(true), json!({ "type": ["object"] })] {
        assert!(repaired(wrong.clone()).unwrap_err().contains("\"type\": \"object\""), "{wrong}");
    }
    assert!(repaired(json!({ "type": "object", "properties": ["a"] })).unwrap_err().contains("must be an object"));
}
