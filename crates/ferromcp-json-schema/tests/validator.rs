//! Validation of valid, invalid and hostile values and schemas.

#![allow(clippy::needless_pass_by_value, reason = "allows `json!` without a reference in calls")]

use std::time::{Duration, Instant};

use ferromcp_json_schema::{
    LazyValidator, SchemaErrorKind, SchemaLimits, ValidationError, ValidationErrorKind, Validator,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

#[track_caller]
fn compile(schema: Value) -> Validator {
    Validator::compile(&schema.to_string()).unwrap()
}

fn validate(schema: Value, value: Value) -> Result<(), ValidationError> {
    compile(schema).validate(&value.to_string())
}

#[track_caller]
fn reasons(schema: Value, value: Value) -> Vec<String> {
    let mismatch = validate(schema, value).unwrap_err();
    assert_eq!(mismatch.kind(), ValidationErrorKind::Mismatch);
    mismatch.reasons().to_vec()
}

fn compile_error(schema: Value) -> (SchemaErrorKind, String) {
    let error = Validator::compile(&schema.to_string()).unwrap_err();
    (error.kind(), error.to_string())
}

// M26-094
#[test]
fn counts_items_as_evaluated_only_when_subschema_matches() {
    let items = |beside: Value| {
        let mut schema = beside;
        schema["unevaluatedItems"] = json!(false);
        schema
    };
    let first = |inner: Value| json!({ "prefixItems": [inner] });
    assert!(validate(items(first(json!(true))), json!([1])).is_ok());
    assert!(validate(items(first(json!(true))), json!([1, 2])).is_err());
    assert!(validate(items(json!({ "anyOf": [first(json!(true)), true] })), json!([1])).is_ok());
    assert!(validate(items(json!({ "oneOf": [first(json!(false)), true] })), json!([1])).is_err());
    assert!(validate(items(json!({ "not": { "not": first(json!(true)) } })), json!([1])).is_err());
    assert!(validate(items(json!({ "contains": { "type": "string" } })), json!(["a", "b"])).is_ok());
    assert_eq!(
        reasons(items(json!({ "contains": { "type": "string" } })), json!(["a", 5])),
        ["at /1: no value is allowed here"]
    );
    let cousins = json!({ "allOf": [{ "properties": { "a": true } }, { "unevaluatedProperties": false }] });
    assert!(validate(cousins, json!({ "a": 1 })).is_err());
    let condition = json!({ "if": { "properties": { "a": { "const": 1 } } }, "unevaluatedProperties": false });
    assert!(validate(condition.clone(), json!({ "a": 1 })).is_ok() && validate(condition, json!({ "a": 2 })).is_err());
}

/// Builds an array or object of `depth` levels.
fn nested(depth: usize, wrap: impl Fn(Value) -> Value, inner: Value) -> Value {
    (0..depth).fold(inner, |value, _| wrap(value))
}

// M26-337, M26-338, S-252, S-253
#[test]
fn reports_reasons_when_value_does_not_match() {
    let schema = json!({
        "type": "object",
        "properties": {
            "rows": { "type": "array", "items": { "$ref": "#/$defs/row" }, "maxItems": 2 },
            "next": { "type": ["string", "null"], "pattern": "^[a-z]*$" }
        },
        "required": ["rows"],
        "additionalProperties": false,
        "$defs": { "row": { "type": "object", "properties": { "n": { "type": "integer", "minimum": 1 } }, "required": ["n"] } }
    });
    assert_eq!(validate(schema.clone(), json!({ "rows": [{ "n": 1 }], "next": null })), Ok(()));
    assert_eq!(
        reasons(schema.clone(), json!({ "rows": [{ "n": 0 }, {}, 5], "next": "A", "x/y": 1 })),
        [
            "at /rows: has more than 2 items",
            "at /rows/0/n: is less than 1",
            "at /rows/1: missing required property `n`",
            "at /rows/2: expected an object, got a number",
            "at /next: does not match pattern `^[a-z]*$`",
        ]
    );
    assert_eq!(reasons(schema.clone(), json!({ "rows": [], "x/y": 1 })), ["at /x~1y: no value is allowed here"]);
    let mismatch = compile(schema).validate("null").unwrap_err();
    assert_eq!(mismatch.to_string(), "value does not match the schema: at the root: expected an object, got null");
}

// M26-321, M26-337
#[test]
fn validates_values_of_any_type() {
    for value in [json!(null), json!(5), json!("text"), json!([1]), json!({})] {
        assert_eq!(validate(json!(true), value.clone()), Ok(()));
        assert_eq!(validate(json!({ "const": value }), value.clone()), Ok(()));
        assert_eq!(reasons(json!(false), value), ["at the root: no value is allowed here"]);
    }
}

#[test]
fn explains_alternative_of_matching_type_when_any_of_fails() {
    let schema = json!({ "anyOf": [{ "type": "null" }, { "type": "object", "required": ["a"] }] });
    assert_eq!(reasons(schema.clone(), json!({})), ["at the root: missing required property `a`"]);
    assert_eq!(reasons(schema, json!(5)), ["at the root: matches none of 2 alternatives"]);
    let schema = json!({ "oneOf": [{ "minimum": 1 }, { "minimum": 2 }] });
    assert_eq!(reasons(schema, json!(5)), ["at the root: matches 2 of 2 `oneOf` alternatives; must match exactly one"]);
}

// M26-090, M26-091, M26-094, M26-095, S-039, S-040, S-041, S-042
#[test]
fn rejects_schema_when_dialect_is_unsupported() {
    let schema = |dialect: Option<&str>| {
        let mut schema = json!({ "items": [{ "type": "string" }], "definitions": {} });
        if let Some(dialect) = dialect {
            schema["$schema"] = json!(dialect);
        }
        schema
    };
    for draft7 in ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft-07/schema"] {
        assert!(validate(schema(Some(draft7)), json!([5])).is_err(), "{draft7}");
    }
    for newest in [None, Some("https://json-schema.org/draft/2020-12/schema")] {
        let (kind, text) = compile_error(schema(newest));
        assert_eq!(kind, SchemaErrorKind::Invalid, "array-valued `items` is from older dialects");
        assert!(text.contains("at /items"), "{text}");
    }
    let draft4 = "http://json-schema.org/draft-04/schema#";
    let (kind, text) = compile_error(schema(Some(draft4)));
    assert_eq!(kind, SchemaErrorKind::Dialect);
    assert!(text.contains(draft4) && text.contains("2020-12"), "{text}");
    let within = json!({ "$defs": { "a": { "$id": "a", "$schema": draft4 } } });
    assert_eq!(compile_error(within).0, SchemaErrorKind::Dialect);
    assert_eq!(compile_error(json!({ "$schema": 5 })).0, SchemaErrorKind::Invalid);
}

// M26-097, M26-099, M26-101, M26-350
#[test]
fn rejects_schema_when_reference_is_external() {
    for uri in [
        "https://example.com/schema.json",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "other.json#/a",
        "#/$defs/none",
        "#nobody",
        "https://json-schema.org/draft/2020-12/schema",
    ] {
        for keyword in ["$ref", "$dynamicRef"] {
            let (kind, text) = compile_error(json!({ "properties": { "a": { keyword: uri } } }));
            assert_eq!(kind, SchemaErrorKind::Reference);
            assert!(text.contains(uri) && text.contains("/properties/a") && text.contains("never fetched"), "{text}");
        }
    }
    let bundled = json!({
        "$id": "https://example.com/a", "$ref": "b#/$defs/c",
        "$defs": { "b": { "$id": "b", "$defs": { "c": { "type": "string" } } } }
    });
    assert!(validate(bundled.clone(), json!("x")).is_ok() && validate(bundled, json!(1)).is_err());
}

#[test]
fn reports_location_when_schema_is_invalid() {
    for (schema, place) in [
        (json!({ "type": "strin" }), "at /type: must be a type name"),
        (json!({ "properties": { "a": { "minimum": "1" } } }), "at /properties/a/minimum: must be a number"),
        (json!({ "multipleOf": 0 }), "at /multipleOf"),
        (json!({ "minLength": -1 }), "at /minLength: must be a non-negative integer"),
        (json!({ "required": [1] }), "at /required: must be an array of strings"),
        (json!({ "allOf": [5] }), "at /allOf/0: a schema must be"),
        (json!({ "properties": [] }), "at /properties: must be an object"),
        (json!({ "$ref": 1 }), "at /$ref: must be a string"),
        (json!([]), "at the root: a schema must be"),
    ] {
        let (kind, text) = compile_error(schema);
        assert_eq!(kind, SchemaErrorKind::Invalid);
        assert!(text.contains(place), "{text}");
    }
    for pattern in ["(?=a)b", r"(a)\1", "(", "((a{1000}){1000}){1000}"] {
        let (kind, text) = compile_error(json!({ "pattern": pattern }));
        assert_eq!(kind, SchemaErrorKind::Pattern);
        assert!(text.contains(pattern), "{text}");
    }
}

// M26-102
#[test]
fn rejects_schema_when_limit_is_exceeded() {
    let limits = SchemaLimits::new().bytes(100_000);
    let within = |schema: Value| Validator::compile_with_limits(&schema.to_string(), limits).map(drop);
    let wide = |count: usize| json!({ "allOf": vec![json!({}); count] });
    assert!(within(wide(9999)).is_ok());
    let patterns = |count: usize| {
        let pattern = |n: usize| (format!("{n}"), json!({}));
        json!({ "patternProperties": (0..count).map(pattern).collect::<Map<_, _>>() })
    };
    rejects_schema_when_patterns_exceed_limit();
    for (schema, expected) in [
        (wide(10_000), "10000 subschemas"),
        (json!({ "title": "x".repeat(100_000) }), "100000 bytes"),
        (patterns(129), "128 patterns"),
        (nested(65, |inner| json!({ "not": inner }), json!({})), "64 levels"),
        (json!({ "$defs": { "a": { "$id": "a".repeat(5000) } } }), "bytes in a `$id`"),
    ] {
        let error = within(schema).unwrap_err();
        assert_eq!(error.kind(), SchemaErrorKind::TooLarge);
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(Validator::compile(&("[".repeat(100_000) + &"]".repeat(100_000))).is_err());
}

fn rejects_schema_when_patterns_exceed_limit() {
    let letters = |count: u32| json!({ "pattern": format!(r"^[\p{{L}} ]{{1,{count}}}$") });
    assert!(validate(letters(100), json!("Größe")).is_ok());
    let many: Vec<Value> = (60..100).map(letters).collect();
    let (kind, text) = compile_error(json!({ "anyOf": many }));
    assert_eq!(kind, SchemaErrorKind::TooLarge);
    assert!(text.contains("bytes of patterns"), "{text}");
}

/// Asserts that compilation and validation finish quickly, whatever the outcome.
#[track_caller]
fn validate_quickly(schema: Value, value: &Value) -> Option<Result<(), ValidationError>> {
    let begin = Instant::now();
    let outcome = Validator::compile(&schema.to_string()).ok().map(|s| s.validate(&value.to_string()));
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    if let Some(Err(mismatch)) = &outcome {
        assert!(mismatch.to_string().len() < 5000, "{mismatch}");
    }
    outcome
}

// M26-102
#[test]
fn validation_time_is_bounded_when_composition_is_exponential() {
    for keyword in ["anyOf", "allOf", "oneOf"] {
        // Each definition references the next one twice.
        let mut definitions = Map::new();
        for n in 0..60 {
            let next = json!({ "$ref": format!("#/$defs/{}", n + 1) });
            definitions.insert(n.to_string(), json!({ keyword: [next, next] }));
        }
        definitions.insert("60".to_owned(), json!({ "type": "string" }));
        let doubled = json!({ "$ref": "#/$defs/0", "$defs": definitions });
        assert!(validate_quickly(doubled, &json!(1)).unwrap().is_err());

        // Two subschemas evaluate each level of the value.
        let way = json!({ "properties": { "x": { "$ref": "#" } } });
        let deep = nested(60, |inner| json!({ "x": inner, "y": 1 }), json!({}));
        let both = json!({ keyword: [way, way], "required": ["y"] });
        validate_quickly(both.clone(), &deep);
        let mut watched = both;
        watched["unevaluatedProperties"] = json!({ "type": "integer" });
        validate_quickly(watched, &deep);
    }
    // Every definition references every other.
    let any: Vec<Value> = (0..40).map(|n| json!({ "$ref": format!("#/$defs/{n}") })).collect();
    let each = json!({ "properties": { "x": { "anyOf": any } }, "required": ["y"] });
    let definitions: Map<String, Value> = (0..40).map(|n| (n.to_string(), each.clone())).collect();
    let deep = nested(30, |inner| json!({ "x": inner, "y": 1 }), json!({}));
    let mutual = json!({ "$ref": "#/$defs/0", "$defs": definitions });
    assert_eq!(
        validate_quickly(mutual, &deep).unwrap().unwrap_err().kind(),
        ValidationErrorKind::Mismatch,
        "within the step limit"
    );
    // Large schemas over large values.
    let wide = json!({ "items": { "allOf": vec![json!({ "type": "integer" }); 5000] } });
    let mismatch = validate_quickly(wide, &json!(vec![1; 100_000])).unwrap().unwrap_err();
    assert_eq!(mismatch.kind(), ValidationErrorKind::LimitExceeded);
    assert!(mismatch.to_string().contains("more than 10000000 steps"), "{mismatch}");
    let unevaluated = |inner| json!({ "anyOf": [inner], "unevaluatedProperties": false });
    validate_quickly(nested(30, unevaluated, json!({ "properties": { "x": true } })), &json!({ "x": 1 }))
        .unwrap()
        .unwrap();
}

// M26-102
#[test]
fn validation_time_is_bounded_when_patterns_backtrack() {
    let text = "a".repeat(2 << 20) + "b";
    validate_quickly(json!({ "pattern": "^(a+)+$" }), &json!(text)).unwrap().unwrap_err();
    let texts = vec![json!("a".repeat(10_000)); 500];
    validate_quickly(json!({ "items": { "pattern": "(a?){200}a{200}b" } }), &json!(texts)).unwrap().unwrap_err();
    validate_quickly(json!({ "items": { "pattern": r"^(\p{L}{1,30} ?){1,20}$" } }), &json!(texts));
}

// M26-102
#[test]
fn stack_does_not_overflow_when_schema_or_value_is_deep() {
    // Self-references that do not descend into the value.
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "$defs": { "a": { "not": { "$ref": "#/$defs/b" } }, "b": { "anyOf": [{ "$ref": "#/$defs/a" }] } }, "$ref": "#/$defs/a" }),
        json!({ "$dynamicAnchor": "a", "if": { "$dynamicRef": "#a" }, "unevaluatedItems": false }),
    ] {
        let mismatch = validate_quickly(schema, &json!([1])).unwrap().unwrap_err();
        assert_eq!(mismatch.kind(), ValidationErrorKind::LimitExceeded);
        assert!(mismatch.to_string().contains("nested subschemas"), "{mismatch}");
    }
    // A chain of references that would overflow the stack.
    for step in [|next: Value| next, |next: Value| json!({ "not": next }), |next: Value| json!({ "oneOf": [next] })] {
        let mut definitions = Map::new();
        for n in 0..4000 {
            definitions.insert(n.to_string(), step(json!({ "$ref": format!("#/$defs/{}", n + 1) })));
        }
        definitions.insert("4000".to_owned(), json!({ "type": "string" }));
        let chain = json!({ "$ref": "#/$defs/0", "$defs": definitions });
        assert_eq!(
            validate_quickly(chain, &json!("x")).unwrap().unwrap_err().kind(),
            ValidationErrorKind::LimitExceeded
        );
    }
    // The maximum depth, by the keywords that need the most stack.
    let deep = nested(120, |inner| json!({ "x": [inner] }), json!(1));
    let tree = json!({ "properties": { "x": { "items": { "$ref": "#" } } }, "unevaluatedProperties": false, "type": "object" });
    let text = serde_json::to_string(&deep).unwrap();
    assert!(compile(tree.clone()).validate(&text).is_err());
    let deep = nested(60, |inner| json!({ "x": [inner] }), json!(1));
    assert_eq!(reasons(tree, deep).len(), 1, "explains mismatches at ordinary depths");
}

#[test]
fn reasons_are_bounded_and_do_not_quote_values() {
    let schema =
        json!({ "items": { "type": "integer", "enum": [1] }, "patternProperties": { "": { "type": "integer" } } });
    let reasons_of_many = reasons(schema.clone(), json!(vec!["s3cret"; 1000]));
    assert_eq!(reasons_of_many.len(), 5);
    assert!(!reasons_of_many.join("").contains("s3cret"));
    let long = reasons(schema, json!({ "x\n".repeat(100_000): "s3cret" }));
    assert!(long[0].len() < 1000 && long[0].contains('…') && !long[0].contains('\n'), "{long:?}");
}

#[test]
fn lazy_validator_compiles_once() {
    let bad = LazyValidator::new(r#"{"$ref":"https://example.com"}"#);
    let good = LazyValidator::new(r#"{"type":"string"}"#);
    assert_eq!(bad.get().unwrap_err().kind(), SchemaErrorKind::Reference);
    assert!(std::ptr::eq(bad.get().unwrap_err(), bad.get().unwrap_err()));
    assert!(good.get().unwrap().validate("\"x\"").is_ok());
    assert!(std::ptr::eq(good.get().unwrap(), good.get().unwrap()));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        // Not 1.0, because validators disagree on whether it is an integer.
        (-3_i32..4).prop_map(|n| json!(f64::from(n) + 0.5)),
        "[abü]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[abc]", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn any_schema() -> impl Strategy<Value = Value> {
    let types =
        proptest::sample::subsequence(vec!["null", "boolean", "object", "array", "number", "string", "integer"], 1..4);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        types.prop_map(|types| json!({ "type": types })),
        any_value().prop_map(|value| json!({ "const": value })),
        proptest::collection::vec(any_value(), 1..4).prop_map(|values| json!({ "enum": values })),
        (-3_i32..4, 1_u32..4)
            .prop_map(|(limit, unit)| json!({ "minimum": f64::from(limit) / 2.0, "multipleOf": unit })),
        (-3_i32..4).prop_map(|limit| json!({ "exclusiveMaximum": limit })),
        (0_u32..3, 0_u32..3)
            .prop_map(|(least, most)| json!({ "minLength": least, "maxItems": most, "maxProperties": most })),
        Just(json!({ "uniqueItems": true })),
        "[abü]{0,2}".prop_map(|pattern| json!({ "pattern": pattern })),
        Just(json!({ "required": ["a"], "dependentRequired": { "b": ["c"] } })),
        Just(json!({ "$ref": "#/$defs/d" })),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let list = proptest::collection::vec(inner.clone(), 1..3);
        let named = proptest::collection::btree_map("[abc]", inner.clone(), 0..3);
        prop_oneof![
            list.clone().prop_map(|list| json!({ "allOf": list })),
            list.clone().prop_map(|list| json!({ "anyOf": list })),
            list.clone().prop_map(|list| json!({ "oneOf": list })),
            inner.clone().prop_map(|inner| json!({ "not": inner })),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| json!({ "if": a, "then": b, "else": c })),
            (named.clone(), inner.clone())
                .prop_map(|(named, rest)| json!({ "properties": named, "additionalProperties": rest })),
            named.clone().prop_map(|named| json!({ "patternProperties": named })),
            (list, inner.clone()).prop_map(|(list, rest)| json!({ "prefixItems": list, "items": rest })),
            inner.clone().prop_map(|one| json!({ "contains": one, "minContains": 2 })),
            (named, inner).prop_map(|(named, inner)| json!({ "dependentSchemas": named, "propertyNames": inner })),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    // M26-094: differential test, except `unevaluated…`, where the other validator is unreliable.
    #[test]
    fn agrees_with_another_validator(
        schema in any_schema(),
        definition in any_schema(),
        values in proptest::collection::vec(any_value(), 30),
    ) {
        let refers_to_itself = definition.to_string().contains("$ref");
        let definition = if refers_to_itself { json!({}) } else { definition };
        let schema = json!({ "allOf": [schema], "$defs": { "d": definition } });
        // The other validator compiles slowly and leaks memory, so each schema is tested with many values.
        let other = jsonschema::draft202012::new(&schema).unwrap();
        let ours = compile(schema);
        for value in values {
            let checked = ours.validate(&value.to_string());
            prop_assert_eq!(checked.is_ok(), other.is_valid(&value), "{}: {:?}", value, checked);
        }
    }

    #[test]
    fn does_not_panic_on_any_schema(text in r##"\{("(type|items|\$ref|\$id|allOf|properties|enum|pattern|if)":("#/allOf/0"|"#"|\[\]|\[\{\}\]|\{"a":\{\}\}|"a"|1|true),?){0,4}\}"##) {
        if let Ok(validator) = Validator::compile(&text) {
            let _ = validator.validate(r#"{"a":[1,{"a":"b"}]}"#);
        }
    }
}
