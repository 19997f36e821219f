//! Property tests: an object that a union accepts is accepted by the merged schema. // S2
//!
//! The union is closed by `unevaluatedProperties`: a property that only another variant lists has the type that it has there.

use ferromcp_json_schema::Validator;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use schemars::Schema;
use schemars::transform::Transform;
use serde_json::{Map, Value, json};

use super::{Plain, object_root};

/// Schemas of properties, each with valid values.
fn leaves() -> Vec<(Value, Vec<Value>)> {
    vec![
        (json!({ "type": "integer", "minimum": 0 }), vec![json!(0), json!(7)]),
        (json!({ "type": "integer", "description": "Signed" }), vec![json!(-1), json!(7)]),
        (json!({ "type": "string" }), vec![json!(""), json!("one")]),
        (json!({ "type": "string", "enum": ["one", "two"] }), vec![json!("one"), json!("two")]),
        (json!({ "type": "string", "const": "three", "description": "Third" }), vec![json!("three")]),
        (json!({ "type": ["boolean", "null"] }), vec![json!(true), json!(null)]),
        (json!({ "type": "array", "items": { "type": "integer" } }), vec![json!([]), json!([1])]),
        (json!({ "anyOf": [{ "type": "boolean" }, { "type": "string" }] }), vec![json!(false), json!("two")]),
        (
            json!({ "type": "object", "properties": { "k": { "type": "string" } } }),
            vec![json!({}), json!({ "k": "v" })],
        ),
        (json!(true), vec![json!(null), json!([{}])]),
    ]
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// The fields of a variant: the index of the schema, and whether the field is required.
type Fields = std::collections::BTreeMap<&'static str, (usize, bool)>;

fn fields() -> impl Strategy<Value = Fields> {
    btree_map(select(NAMES.to_vec()), (0..leaves().len(), any::<bool>()), 0..4)
}

#[derive(Debug, Clone, Copy)]
enum Tagging {
    Internal,
    Adjacent,
    External,
    Untagged,
}

/// A struct of `outer` fields with a flattened union.
#[derive(Debug, Clone)]
struct Union {
    tagging: Tagging,
    variants: Vec<Fields>,
    /// Whether unknown fields of each variant are errors.
    closed: bool,
    /// Adds a variant without fields, as of a flattened `Option`.
    optional: bool,
    /// Adds a variant that is a map of the values of a schema.
    map_of: Option<usize>,
}

fn object(fields: &Fields, closed: bool) -> Value {
    let schema = |index: &usize| leaves()[*index].0.clone();
    let properties: Map<String, Value> =
        fields.iter().map(|(name, (index, _))| ((*name).into(), schema(index))).collect();
    let required: Vec<&str> = fields.iter().filter(|(_, (_, required))| *required).map(|(name, _)| *name).collect();
    let mut object = json!({ "type": "object", "properties": properties, "required": required });
    if closed {
        object["additionalProperties"] = json!(false);
    }
    object
}

impl Union {
    fn schema(&self) -> Value {
        let names = ["first", "second", "third"];
        let variant = |(name, fields): (&str, &Fields)| {
            let mut inner = object(fields, self.closed);
            match self.tagging {
                Tagging::Untagged => inner,
                Tagging::Internal => {
                    inner["properties"]["kind"] = json!({ "type": "string", "const": name });
                    inner["required"].as_array_mut().unwrap().push("kind".into());
                    inner
                }
                Tagging::Adjacent => json!({
                    "type": "object",
                    "properties": { "kind": { "type": "string", "const": name }, "data": inner },
                    "required": ["kind", "data"],
                }),
                Tagging::External => {
                    let mut outer = json!({ "type": "object", "properties": { name: inner }, "required": [name] });
                    if self.closed {
                        outer["additionalProperties"] = json!(false);
                    }
                    outer
                }
            }
        };
        let mut variants: Vec<Value> = names.into_iter().zip(&self.variants).map(variant).collect();
        if self.optional {
            variants.push(json!({}));
        }
        if let Some(index) = self.map_of {
            variants.push(json!({ "type": "object", "additionalProperties": leaves()[index].0 }));
        }
        let is_exclusive = !matches!(self.tagging, Tagging::Untagged) && !self.optional && self.map_of.is_none();
        json!({ if is_exclusive { "oneOf" } else { "anyOf" }: variants })
    }

    /// Returns objects of the fields of a variant.
    fn value(&self, variant: usize, picks: &[usize]) -> Map<String, Value> {
        let variant = variant % self.variants.len();
        let name = ["first", "second", "third"][variant];
        let inner = values(&self.variants[variant], picks);
        match self.tagging {
            Tagging::Untagged => inner,
            Tagging::Internal => inner.into_iter().chain([("kind".into(), name.into())]).collect(),
            Tagging::Adjacent => Map::from_iter([("kind".into(), name.into()), ("data".into(), inner.into())]),
            Tagging::External => Map::from_iter([(name.into(), inner.into())]),
        }
    }
}

fn values(fields: &Fields, picks: &[usize]) -> Map<String, Value> {
    let mut values = Map::new();
    for ((name, (index, required)), pick) in fields.iter().zip(picks) {
        if *required || pick % 3 != 0 {
            let valid = leaves()[*index].1.clone();
            values.insert((*name).into(), valid[pick % valid.len()].clone());
        }
    }
    values
}

fn unions() -> impl Strategy<Value = Union> {
    let tagging = select(vec![Tagging::Internal, Tagging::Adjacent, Tagging::External, Tagging::Untagged]);
    let map_of = prop_oneof![3 => Just(None), 1 => (0..leaves().len()).prop_map(Some)];
    (tagging, vec(fields(), 1..4), any::<bool>(), any::<bool>(), map_of)
        .prop_map(|(tagging, variants, closed, optional, map_of)| Union { tagging, variants, closed, optional, map_of })
}

/// Returns any object of the known names.
fn objects() -> impl Strategy<Value = Map<String, Value>> {
    let names = ["a", "b", "c", "d", "kind", "data", "first", "second", "third", "unknown"];
    let mut any_value: Vec<Value> = leaves().into_iter().flat_map(|(_, values)| values).collect();
    any_value.extend([json!("first"), json!("second"), json!({ "a": 1 }), json!({ "b": "one" })]);
    btree_map(select(names.to_vec()), select(any_value), 0..6)
        .prop_map(|object| object.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn accepts(schema: &Value, value: &Map<String, Value>) -> bool {
    let validator = Validator::compile(&schema.to_string()).expect("the schema compiles");
    validator.validate(&Value::from(value.clone()).to_string()).is_ok()
}

/// Returns the merged schema.
fn merged(union: &Value) -> Value {
    let merged = object_root(Schema::try_from(union.clone()).unwrap()).expect("a variant is an object").to_value();
    for keyword in ["oneOf", "anyOf", "allOf"] {
        assert!(merged.get(keyword).is_none(), "{merged:#}");
    }
    merged
}

fn closed(mut union: Value) -> Value {
    union["unevaluatedProperties"] = json!(false);
    union
}

proptest! {
    #[test]
    fn object_is_accepted_when_union_accepts_it(
        union in unions(),
        variant in 0..3_usize,
        picks in vec(0..12_usize, 4),
        extra in objects(),
    ) {
        let schema = union.schema();
        let merged = merged(&schema);
        let value = union.value(variant, &picks);
        prop_assert!(accepts(&merged, &value), "{value:?}\n{schema:#}\n{merged:#}");
        // The same with other properties, and any object.
        let more = value.into_iter().chain(extra.clone()).collect();
        for object in [more, extra] {
            if accepts(&closed(schema.clone()), &object) {
                prop_assert!(accepts(&merged, &object), "{object:?}\n{schema:#}\n{merged:#}");
            }
        }
    }

    #[test]
    fn object_is_accepted_when_struct_with_flattened_unions_accepts_it(
        outer in fields(),
        first in unions(),
        second in unions(),
        variants in (0..3_usize, 0..3_usize),
        picks in vec(0..12_usize, 4),
        extra in objects(),
    ) {
        let mut schema = object(&outer, false);
        schema["allOf"] = json!([first.schema(), second.schema()]);
        let merged = merged(&schema);
        let value = first.value(variants.0, &picks).into_iter().chain(second.value(variants.1, &picks));
        let value: Map<String, Value> = value.chain(values(&outer, &picks)).collect();
        let more = value.clone().into_iter().chain(extra).collect();
        for object in [value, more] {
            if accepts(&closed(schema.clone()), &object) {
                prop_assert!(accepts(&merged, &object), "{object:?}\n{schema:#}\n{merged:#}");
            }
        }
    }

    #[test]
    fn nested_object_is_accepted_when_struct_with_flattened_unions_accepts_it(
        outer in fields(),
        first in unions(),
        second in unions(),
        both in any::<bool>(),
        variants in (0..3_usize, 0..3_usize),
        picks in vec(0..12_usize, 4),
    ) {
        let mut schema = object(&outer, false);
        let mut value = values(&outer, &picks);
        value.extend(first.value(variants.0, &picks));
        if both {
            schema["allOf"] = json!([first.schema(), second.schema()]);
            value.extend(second.value(variants.1, &picks));
        } else {
            let union = first.schema();
            schema.as_object_mut().unwrap().extend(union.as_object().unwrap().clone());
        }
        let nest = |schema: &Value| json!({ "type": "object", "properties": { "x": schema } });
        let mut published = Schema::try_from(nest(&schema)).unwrap();
        Plain.transform(&mut published);
        crate::schema::make_portable(&mut published);
        let published = published.to_value();
        for keyword in ["oneOf", "anyOf", "allOf"] {
            prop_assert!(published["properties"]["x"].get(keyword).is_none(), "{schema:#}\n{published:#}");
        }
        let nested = Map::from_iter([("x".to_owned(), Value::from(value))]);
        if accepts(&nest(&closed(schema.clone())), &nested) {
            prop_assert!(accepts(&published, &nested), "{nested:?}\n{schema:#}\n{published:#}");
        }
    }
}
