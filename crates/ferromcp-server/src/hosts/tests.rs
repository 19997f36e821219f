//! Violations of each rule, and the table of the guide. // S3

use ferromcp_core::RawJson;
use serde_json::{Value, json};

use super::*;

/// Returns the problems of a tool with this input schema, each with the hosts.
fn problems(server: &str, name: &str, schema: &Value) -> Vec<String> {
    let tool = ToolDefinition::new(name, RawJson::new(schema).unwrap());
    let warnings = warnings(server, &tool);
    warnings.iter().map(|warning| format!("{}: {}", warning.hosts().join(", "), warning.problem())).collect()
}

fn of_schema(schema: &Value) -> Vec<String> {
    problems("demo", "read", schema)
}

/// Returns the only problem of an argument with this schema.
#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "JSON literals are passed by value")]
fn of_argument(schema: Value) -> String {
    let found = of_schema(&json!({ "type": "object", "properties": { "x": schema } }));
    let [only] = found.as_slice() else { panic!("{found:?}") };
    only.clone()
}

fn empty() -> Value {
    json!({ "type": "object", "properties": {} })
}

#[test]
fn names_are_rejected_when_characters_or_length_exceed_limits() {
    let of_name = |name: &str| problems("demo", name, &empty());
    assert_eq!(of_name("read_file-2"), [""; 0]);
    let dot = of_name("files.read");
    assert_eq!(dot.len(), 1);
    assert!(dot[0].starts_with("Claude Desktop, ") && dot[0].ends_with(": the name contains `.`"), "{dot:?}");
    assert_eq!(of_name("2fa"), ["Gemini API: the name starts with `2`"]);
    assert_eq!(of_name(&"n".repeat(55)), [""; 0]);
    assert_eq!(
        of_name(&"n".repeat(56)),
        ["Cursor: 61 characters of the name with the server's name `demo` exceed the limit of 60"]
    );
    assert_eq!(of_name(&"n".repeat(65)).len(), 2);
    assert_eq!(of_name(&"n".repeat(128)).len(), 3);
    assert_eq!(problems(&"s".repeat(59), "n", &empty()).len(), 1);
}

#[test]
fn root_is_rejected_when_it_is_a_union() {
    for keyword in ["oneOf", "anyOf", "allOf"] {
        let found = of_schema(&json!({ "type": "object", "properties": {}, keyword: [empty()] }));
        let expected =
            format!("Claude API, Claude Code, Codex, OpenAI API: `{keyword}` at the root of the input schema");
        assert_eq!(found, [expected]);
    }
    assert_eq!(of_schema(&empty()), [""; 0]);
}

#[test]
fn root_is_rejected_when_arguments_have_any_name() {
    let open = |others: Value| json!({ "type": "object", "properties": {}, "additionalProperties": others });
    for others in [json!(true), json!({}), json!({ "type": "string" })] {
        let found = of_schema(&open(others));
        assert!(found.len() == 1 && found[0].starts_with("AI SDK: arguments of any name"), "{found:?}");
    }
    assert_eq!(of_schema(&open(json!(false))), [""; 0]);
}

#[test]
fn argument_is_rejected_when_name_has_other_characters() {
    for name in ["filter[id]", "two words", "", &"n".repeat(65)] {
        let found = of_schema(&json!({ "type": "object", "properties": { name: {} } }));
        assert_eq!(found, [format!("Claude API, Claude Code: the name of the argument `{name}`")]);
    }
    // Only the names of arguments are checked, not those of nested properties.
    let nested = json!({ "type": "object", "properties": { "a.b-c_1": { "properties": { "two words": {} } } } });
    assert_eq!(of_schema(&nested), [""; 0]);
}

#[test]
fn argument_is_rejected_when_schema_has_unsupported_keywords() {
    let text = json!({ "type": "string" });
    assert_eq!(
        of_argument(json!({ "type": "array" })),
        "Gemini API, OpenAI API, VS Code: an array without `items` in `/properties/x`"
    );
    assert_eq!(
        of_argument(
            json!({ "type": "object", "properties": { "y": { "type": "array", "items": { "type": "array" } } } })
        ),
        "Gemini API, OpenAI API, VS Code: an array without `items` in `/properties/x/properties/y/items`"
    );
    assert_eq!(
        of_argument(json!({ "type": "string", "format": "uri" })),
        "OpenAI API (strict mode): the format `uri` in `/properties/x`"
    );
    assert_eq!(
        of_argument(json!({ "oneOf": [text, { "type": "integer" }] })),
        "OpenAI API (strict mode): `oneOf` in `/properties/x`"
    );
    assert_eq!(of_argument(json!({ "type": ["string", "null"] })), "Gemini API: a list of types in `/properties/x`");
    for (choices, words) in [
        (json!([]), "an `enum` without values"),
        (json!(["a", ""]), "the value \"\" of an `enum`"),
        (json!([1]), "the value 1 of an `enum`"),
        (json!(["a", null]), "the value null of an `enum`"),
    ] {
        assert_eq!(of_argument(json!({ "enum": choices })), format!("Gemini API: {words} in `/properties/x`"));
    }
    // Names that are equal to keywords, and values, are not keywords.
    let named = json!({ "type": "object", "properties": { "oneOf": text, "format": text, "enum": text } });
    assert_eq!(of_schema(&named), [""; 0]);
    assert!(of_argument(json!({ "type": "array", "items": true })).contains("an array without `items`"));
    assert_eq!(of_schema(&json!({ "type": "object", "properties": { "x": { "default": { "oneOf": [] } } } })), [""; 0]);
}

#[test]
fn reference_is_rejected_when_it_is_recursive() {
    let node = |target: &str| json!({ "type": "object", "properties": { "next": { "$ref": target } } });
    assert_eq!(of_schema(&node("#")), ["Gemini API, Gemini CLI: `$ref` to `#` is recursive"]);
    let with = |definitions: Value| json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/A" } }, "$defs": definitions });
    assert_eq!(of_schema(&with(json!({ "A": { "type": "string" } }))), [""; 0]);
    assert_eq!(of_schema(&with(json!({ "A": { "$ref": "#/$defs/B" }, "B": {} }))), [""; 0]);
    for definitions in [
        json!({ "A": node("#/$defs/A") }),
        json!({ "A": node("#/$defs/B"), "B": node("#/$defs/A") }),
        json!({ "A": { "type": "array", "items": { "$ref": "#/$defs/A" } } }),
    ] {
        assert_eq!(of_schema(&with(definitions)), ["Gemini API, Gemini CLI: `$ref` to `#/$defs/A` is recursive"]);
    }
    let cycle_after_reference = json!({ "A": { "$ref": "#/$defs/B" }, "B": node("#/$defs/B") });
    assert_eq!(of_schema(&with(cycle_after_reference)), ["Gemini API, Gemini CLI: `$ref` to `#/$defs/B` is recursive"]);
    assert_eq!(of_schema(&with(json!({ "A": { "$ref": "#missing" } }))), [""; 0]);
}

#[test]
fn schema_is_rejected_when_it_is_too_large() {
    let nested = |levels: usize| {
        let inner = |schema: Value, _| json!({ "type": "object", "properties": { "x": schema } });
        (1..levels).fold(json!({ "type": "object", "properties": {} }), inner)
    };
    assert_eq!(of_schema(&nested(10)), [""; 0]);
    let deep = "Kimi API, OpenAI API (strict mode): 11 levels of objects and arrays exceed the limit of 10";
    assert_eq!(of_schema(&nested(11)), [deep]);
    assert_eq!(of_schema(&nested(30)).len(), 1);
    let choices = |count: usize| json!({ "enum": (0..count).map(|n| n.to_string()).collect::<Vec<_>>() });
    assert_eq!(of_argument(choices(1001)), "OpenAI API (strict mode): 1001 values of `enum` exceed the limit of 1000");
    let properties = |count: usize| (0..count).map(|n| (format!("p{n}"), json!({}))).collect::<serde_json::Map<_, _>>();
    let many = json!({ "type": "object", "properties": properties(5001) });
    assert_eq!(of_schema(&many), ["OpenAI API (strict mode): 5001 properties exceed the limit of 5000"]);
}

#[test]
fn guide_lists_every_rule() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/host-types.md")).unwrap();
    for rule in rules::RULES {
        let row = format!("| {} | {} |", rule.limit, rule.hosts.join(", "));
        assert!(page.contains(&row), "docs/guide/host-types.md has no row {row}");
    }
}
