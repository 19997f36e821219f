//! Tests of the comparison of schemas.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Severity::{self, Breaking, Compatible, Informational};
use super::*;

/// Returns the severity of the most severe change of arguments and of results.
fn severities(old: &Value, new: &Value) -> (Severity, Severity) {
    let worst = |direction| compare_schemas(old, new, direction).into_iter().map(|change| change.severity).max();
    (worst(Direction::Input).expect("a change"), worst(Direction::Output).expect("a change"))
}

/// Compares two schemas of the property `a`.
#[track_caller]
fn assert_property(old: &Value, new: &Value, expected: (Severity, Severity)) {
    let of = |node: &Value| json!({ "type": "object", "properties": { "a": node } });
    assert_eq!(severities(&of(old), &of(new)), expected, "{old} -> {new}");
}

#[test]
fn constraints_are_breaking_in_one_direction() {
    for (wide, narrow) in [
        (json!({}), json!({ "type": "string" })),
        (json!({ "type": "number" }), json!({ "type": "integer" })),
        (json!({ "type": ["string", "null"] }), json!({ "type": "string" })),
        (json!({ "enum": ["a", "b"] }), json!({ "enum": ["a"] })),
        (json!({ "minimum": 1 }), json!({ "minimum": 2 })),
        (json!({}), json!({ "exclusiveMaximum": 2 })),
        (json!({ "maxLength": 9 }), json!({ "maxLength": 8 })),
        (json!({ "minItems": 0 }), json!({ "minItems": 1 })),
        (json!({}), json!({ "pattern": "^a" })),
        (json!({}), json!({ "format": "date" })),
        (json!({ "uniqueItems": false }), json!({ "uniqueItems": true })),
        (json!({ "items": { "type": ["string", "null"] } }), json!({ "items": { "type": "string" } })),
        (json!({ "additionalProperties": true }), json!({ "additionalProperties": false })),
        (json!({}), json!({ "additionalProperties": { "type": "string" } })),
        (json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }), json!({ "type": "string" })),
        (json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }), json!({ "anyOf": [{ "type": "string" }] })),
        (json!({ "type": ["string", "null"] }), json!({ "anyOf": [{ "type": "string" }] })),
        (json!({ "oneOf": [{ "const": 1 }, { "const": 2 }] }), json!({ "oneOf": [{ "const": 1 }] })),
        (
            json!({ "allOf": [{ "minimum": 1 }, { "maximum": 9 }] }),
            json!({ "allOf": [{ "minimum": 1 }, { "maximum": 9 }, { "maxLength": 2 }] }),
        ),
        (json!({ "properties": { "x": {} } }), json!({ "properties": { "x": {} }, "required": ["x"] })),
        (json!(true), json!(false)),
    ] {
        assert_property(&wide, &narrow, (Breaking, Compatible));
        assert_property(&narrow, &wide, (Compatible, Breaking));
    }
}

#[test]
fn change_is_breaking_when_it_cannot_be_compared() {
    for (old, new) in [
        (json!({ "pattern": "a" }), json!({ "pattern": "b" })),
        (json!({ "type": "string" }), json!({ "type": "integer" })),
        (json!({ "not": { "type": "null" } }), json!({ "not": { "type": "string" } })),
        (json!({}), json!({ "if": {}, "then": false })),
        (json!({ "type": 5 }), json!({ "type": 6 })),
        (json!({ "required": "x" }), json!({ "required": ["x"] })),
        (json!({ "properties": [] }), json!({ "properties": { "x": {} } })),
        (json!({ "enum": 1 }), json!({ "enum": [1] })),
        (json!({ "minimum": "1" }), json!({ "minimum": 1 })),
        (json!({ "items": [{}] }), json!({ "items": [{}, {}] })),
        (json!({ "$ref": "https://example.com/a" }), json!({ "$ref": "https://example.com/b" })),
        (json!(5), json!({})),
        (json!({ "oneOf": [{ "type": "number" }] }), json!({ "oneOf": [{ "type": "number" }, { "minimum": 1 }] })),
        (
            json!({ "anyOf": [{ "minimum": 1 }, { "minimum": 2 }] }),
            json!({ "anyOf": [{ "maximum": 1 }, { "maximum": 2 }] }),
        ),
    ] {
        assert_property(&old, &new, (Breaking, Breaking));
    }
}

#[test]
fn arguments_and_results_are_classified() {
    let of = |properties: Value, required: Value| json!({ "type": "object", "properties": properties, "required": required });
    let base = of(json!({ "a": {} }), json!([]));
    let optional = of(json!({ "a": {}, "b": {} }), json!([]));
    let required = of(json!({ "a": {}, "b": {} }), json!(["b"]));
    assert_eq!(severities(&base, &optional), (Compatible, Compatible));
    assert_eq!(severities(&base, &required), (Breaking, Compatible));
    assert_eq!(severities(&optional, &base), (Breaking, Breaking));
    assert_eq!(severities(&required, &optional), (Compatible, Breaking));
    assert_property(&json!({ "default": 1 }), &json!({ "default": 2 }), (Breaking, Informational));
    assert_property(&json!({}), &json!({ "default": 2 }), (Informational, Informational));
    assert_property(&json!({ "title": "a" }), &json!({ "title": "b" }), (Informational, Informational));
    assert_property(&json!({ "x-a": 1 }), &json!({ "x-a": 2 }), (Informational, Informational));
    assert_property(
        &json!({ "required": ["a", "b"] }),
        &json!({ "required": ["b", "a"] }),
        (Informational, Informational),
    );
}

#[test]
fn description_is_shown_as_a_difference() {
    let changes = compare_schemas(&json!({ "description": "a" }), &json!({ "description": "b" }), Direction::Input);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].diff.as_deref(), Some("@@ -1 +1 @@\n-a\n+b\n"));
}

#[test]
fn references_are_followed() {
    let of = |unit: Value| {
        json!({
            "$defs": { "Unit": unit, "Tree": { "properties": { "next": { "$ref": "#/$defs/Tree" }, "unit": { "$ref": "#/$defs/Unit" } } } },
            "properties": { "tree": { "$ref": "#/$defs/Tree", "description": "x" }, "list": { "items": { "anyOf": [{ "$ref": "#/$defs/Unit" }, { "type": "null" }] } } },
        })
    };
    let (old, new) = (of(json!({ "enum": ["c", "f"] })), of(json!({ "enum": ["c"] })));
    let changes = compare_schemas(&old, &new, Direction::Input);
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(changes[0].severity == Breaking && changes[0].message.contains("no longer has the values \"f\""));
    assert_eq!(severities(&new, &old), (Compatible, Breaking));
    let inlined = json!({ "properties": { "a": { "enum": ["c"] } } });
    let referenced = json!({ "$defs": { "U": { "enum": ["c"] } }, "properties": { "a": { "allOf": [{ "$ref": "#/$defs/U" }], "title": "t" } } });
    assert_eq!(severities(&inlined, &referenced), (Informational, Informational));
    let other = |unit: Value| json!({ "$defs": { "U": unit }, "not": { "$ref": "#/$defs/U" } });
    assert_eq!(severities(&other(json!({})), &other(json!({ "type": "null" }))), (Breaking, Breaking));
}

#[test]
fn comparison_ends_when_schemas_are_hostile() {
    // Each level has two references to the next one.
    let mut definitions = serde_json::Map::new();
    for level in 0..60 {
        let next = json!({ "$ref": format!("#/$defs/{}", level + 1) });
        definitions
            .insert(level.to_string(), json!({ "properties": { "a": next, "b": { "properties": { "c": next } } } }));
    }
    let old = json!({ "$defs": definitions, "$ref": "#/$defs/0" });
    let mut new = old.clone();
    new["$defs"]["59"]["type"] = "object".into();
    assert!(!compare_schemas(&old, &new, Direction::Input).is_empty());
    let inline = json!({ "properties": { "a": { "properties": { "a": { "properties": {} } } } } });
    let recursive = json!({ "properties": { "a": { "$ref": "#" } }, "anyOf": [{ "$ref": "#" }, { "$ref": "#" }] });
    assert!(!compare_schemas(&inline, &recursive, Direction::Input).is_empty());
    let looped = json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/a" } } });
    assert!(!compare_schemas(&looped, &recursive, Direction::Output).is_empty());
    let mut deep = json!({ "type": "string" });
    for _ in 0..100 {
        deep = json!({ "properties": { "a": deep } });
    }
    let changes = compare_schemas(&json!({ "properties": { "a": { "$ref": "#" } } }), &deep, Direction::Input);
    assert!(changes.iter().any(|change| change.message.contains(UNDECIDED)), "{changes:?}");
}

fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({})),
        prop::sample::select(vec!["string", "integer", "number", "boolean"]).prop_map(|name| json!({ "type": name })),
        (0..5_i32).prop_map(|limit| json!({ "type": "integer", "minimum": limit, "default": limit })),
        prop::collection::vec("[a-d]", 1..4).prop_map(|values| json!({ "enum": values, "description": "one of them" })),
        Just(json!({ "$ref": "#/$defs/D" })),
        Just(json!({ "not": { "type": "null" }, "x-extra": 1 })),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({ "type": "array", "items": items, "maxItems": 3 })),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| json!({ "anyOf": parts })),
            prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|properties| {
                let required: Vec<&String> = properties.keys().take(1).collect();
                json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
            }),
        ]
    })
    .prop_map(|schema| json!({ "properties": { "root": schema }, "$defs": { "D": { "type": "string", "maxLength": 5 } } }))
}

/// Collects the JSON pointers of a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                pointers(member, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn comparison_with_itself_is_empty(schema in any_schema()) {
        prop_assert!(compare_schemas(&schema, &schema, Direction::Input).is_empty());
        prop_assert!(compare_schemas(&schema, &schema, Direction::Output).is_empty());
    }

    #[test]
    fn every_mutation_is_reported(schema in any_schema(), place in any::<prop::sample::Index>(), kind in 0..4_u8) {
        let mut found = Vec::new();
        pointers(&schema, "", &mut found);
        let mut mutated = schema.clone();
        let node = mutated.pointer_mut(&found[place.index(found.len())]).unwrap();
        match (kind, &mut *node) {
            (0, Value::Object(members)) => drop(members.pop_last_entry()),
            (1, Value::Object(members)) => drop(members.insert("pattern".to_owned(), "^x".into())),
            (2, Value::Array(items)) => drop(items.pop()),
            _ => *node = json!(7),
        }
        prop_assume!(canonical(&schema) != canonical(&mutated));
        for direction in [Direction::Input, Direction::Output] {
            prop_assert!(!compare_schemas(&schema, &mutated, direction).is_empty(), "{schema} {mutated}");
        }
    }
}

/// Removes the last member of an object.
trait PopLast {
    fn pop_last_entry(&mut self) -> Option<Value>;
}

impl PopLast for serde_json::Map<String, Value> {
    fn pop_last_entry(&mut self) -> Option<Value> {
        let key = self.keys().next_back()?.clone();
        self.remove(&key)
    }
}
