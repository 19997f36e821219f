//! Tests of the violations that a value has of its schema.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::super::blanks::remove_blanks;
use super::*;
use crate::schema;

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Filter {
    #[schemars(extend("format" = "date"))]
    due_before: Option<String>,
    kind: Kind,
    #[schemars(range(min = 1, max = 5))]
    priority: Option<u8>,
    tags: Option<Vec<u8>>,
    #[serde(flatten)]
    page: Page,
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Page {
    limit: u32,
    first: bool,
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
enum Kind {
    Open,
    Done,
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
#[serde(tag = "shape")]
enum Tagged {
    Circle { radius: f64 },
    Square { side: f64, corner: Option<Kind> },
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
enum External {
    Nothing,
    Move { x: i64, y: i64 },
    Text(String),
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Range { from: u8, to: u8 },
    Names { names: Vec<String> },
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Tree {
    value: u8,
    children: Vec<Tree>,
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
#[schemars(deny_unknown_fields)]
struct Strict {
    due_before: Option<bool>,
    by_id: std::collections::BTreeMap<u32, bool>,
}

fn found<T: JsonSchema>(value: &Value) -> Vec<String> {
    let mut schema = schema::root_of::<T>();
    schema::optional_without_null(&mut schema);
    violations(schema.as_value(), schema.as_value(), "v", value, 20)
}

#[test]
fn all_violations_are_found_when_a_struct_has_several() {
    // S6
    let value = json!({ "due_before": "soon", "kind": 0, "priority": 9, "tags": [1, "2", 300], "limit": -1 });
    let mut found = found::<Filter>(&value);
    found.sort();
    assert_eq!(
        found,
        [
            "`v.due_before` must be a date such as 2026-12-24, got \"soon\"",
            "`v.first` is missing",
            "`v.kind` must be one of \"Open\", \"Done\", got 0",
            "`v.limit` must be an integer of at least 0, got -1",
            "`v.priority` must be an integer from 1 to 5, got 9",
            "`v.tags[1]` must be an integer from 0 to 255, got \"2\"",
            "`v.tags[2]` must be an integer from 0 to 255, got 300",
        ]
    );
}

#[test]
fn alternative_is_selected_by_tag_key_type_or_properties() {
    // S6
    for (found, expected) in [
        (found::<Tagged>(&json!({ "shape": "Circle" })), "`v.radius` is missing"),
        (
            found::<Tagged>(&json!({ "shape": "Square", "side": 1, "corner": "x" })),
            "`v.corner` must be one of \"Open\", \"Done\", got \"x\"",
        ),
        (found::<Tagged>(&json!({ "shape": "Line" })), "`v.shape` must be one of \"Circle\", \"Square\", got \"Line\""),
        (found::<Tagged>(&json!({ "shape": 0 })), "`v.shape` must be one of \"Circle\", \"Square\", got 0"),
        (found::<Tagged>(&json!({})), "`v.shape` is missing; it must be one of \"Circle\", \"Square\""),
        (found::<External>(&json!({ "Move": { "x": 1 } })), "`v.Move.y` is missing"),
        (found::<External>(&json!({ "Text": 1 })), "`v.Text` must be a string, got 1"),
        (
            found::<External>(&json!("Move")),
            "`v` must be one of \"Nothing\" or an object with `Move` or an object with `Text`, got \"Move\"",
        ),
        (found::<Untagged>(&json!({ "from": 1, "to": "x" })), "`v.to` must be an integer from 0 to 255, got \"x\""),
        (found::<Untagged>(&json!({ "names": [1] })), "`v.names[0]` must be a string, got 1"),
        (found::<Untagged>(&json!(500)), "`v` must be an integer from 0 to 255, got 500"),
    ] {
        assert_eq!(found, [expected]);
    }
}

#[test]
fn unknown_field_is_reported_with_suggestion_when_the_schema_is_closed() {
    // S6
    assert_eq!(
        found::<Strict>(&json!({ "dueBefore": true, "by_id": {} })),
        ["unknown field `v.dueBefore`; did you mean `due_before`?"]
    );
    assert_eq!(found::<Strict>(&json!({ "by_id": { "7": 1 } })), ["`v.by_id.7` must be true or false, got 1"]);
    assert_eq!(
        found::<Page>(&json!({ "limit": 1, "frist": true })),
        ["`v.first` is missing; unknown field `frist`, did you mean `first`?"]
    );
}

#[test]
fn null_is_absence_of_an_optional_property_unless_it_is_the_only_violation() {
    // S6, S7
    let page = json!({ "limit": 1, "first": true, "kind": "Open", "priority": null });
    assert_eq!(found::<Filter>(&page), ["`v.priority` must be an integer from 1 to 5, got null"]);
    let page = json!({ "limit": "1", "first": true, "kind": "Open", "priority": null });
    assert_eq!(found::<Filter>(&page), ["`v.limit` must be an integer of at least 0, got \"1\""]);
    let nested = json!({ "value": 1, "children": [{ "value": 2, "children": [{ "value": 3 }] }] });
    assert_eq!(found::<Tree>(&nested), ["`v.children[0].children[0].children` is missing"]);
}

#[test]
fn blanks_are_removed_when_the_property_is_optional_and_does_not_allow_them() {
    // S7
    let mut schema = schema::root_of::<Vec<Filter>>();
    schema::optional_without_null(&mut schema);
    let schema = schema.to_value();
    let mut value = json!([{ "due_before": "", "priority": null, "tags": "", "kind": "", "limit": "" }]);
    assert!(remove_blanks(&schema, &schema, &mut value));
    assert_eq!(value, json!([{ "kind": "", "limit": "" }]), "required properties stay");
    assert!(!remove_blanks(&schema, &schema, &mut value));
}

#[test]
fn search_is_bounded_when_values_are_large_or_deep() {
    // S6
    let begin = Instant::now();
    let tree = json!({ "anyOf": [{ "type": "array", "items": { "$ref": "#" } }, { "type": "array", "items": { "$ref": "#" } }] });
    let mut deep = json!("x");
    for _ in 0..100 {
        deep = json!([deep, deep.clone()]).as_array().map_or(Value::Null, |pair| json!([pair[0]]));
    }
    violations(&tree, &tree, "v", &deep, 20);
    let wide = Value::Array(vec![json!("x".repeat(1000)); 10_000]);
    assert_eq!(violations(&tree, &tree, "v", &wide, 20).len(), 1);
    let endless = json!({ "$ref": "#" });
    assert!(violations(&endless, &endless, "v", &wide, 20).is_empty());
    let text = json!("x".repeat(4 << 20));
    let found = violations(&tree, &tree, "v", &text, 20);
    assert!(found.iter().all(|error| error.len() < 500), "{found:?}");
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}
