//! Results against output schemas: those that are right, those that are wrong, and those that mean harm.

use std::time::{Duration, Instant};

use ferromcp_client::validate::{LazySchema, Mismatch, MismatchKind, OutputSchema, SchemaErrorKind, SchemaLimits};
use ferromcp_core::RawJson;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

#[track_caller]
fn compile(schema: Value) -> OutputSchema {
    OutputSchema::compile(&RawJson::from(schema)).unwrap()
}

fn check(schema: Value, value: Value) -> Result<(), Mismatch> {
    compile(schema).check(&RawJson::from(value))
}

#[track_caller]
fn reasons(schema: Value, value: Value) -> Vec<String> {
    let mismatch = check(schema, value).unwrap_err();
    assert_eq!(mismatch.kind(), MismatchKind::Different);
    mismatch.reasons().to_vec()
}

fn refused(schema: Value) -> (SchemaErrorKind, String) {
    let error = OutputSchema::compile(&RawJson::from(schema)).unwrap_err();
    (error.kind(), error.to_string())
}

// M26-094
#[test]
fn what_others_looked_at_counts_only_if_they_hold() {
    let items = |beside: Value| {
        let mut schema = beside;
        schema["unevaluatedItems"] = json!(false);
        schema
    };
    let first = |inner: Value| json!({ "prefixItems": [inner] });
    assert!(check(items(first(json!(true))), json!([1])).is_ok());
    assert!(check(items(first(json!(true))), json!([1, 2])).is_err());
    assert!(check(items(json!({ "anyOf": [first(json!(true)), true] })), json!([1])).is_ok());
    assert!(check(items(json!({ "oneOf": [first(json!(false)), true] })), json!([1])).is_err());
    assert!(check(items(json!({ "not": { "not": first(json!(true)) } })), json!([1])).is_err());
    assert!(check(items(json!({ "contains": { "type": "string" } })), json!(["a", "b"])).is_ok());
    assert_eq!(
        reasons(items(json!({ "contains": { "type": "string" } })), json!(["a", 5])),
        ["at /1: nothing is allowed here"]
    );
    let cousins = json!({ "allOf": [{ "properties": { "a": true } }, { "unevaluatedProperties": false }] });
    assert!(check(cousins, json!({ "a": 1 })).is_err());
    let condition = json!({ "if": { "properties": { "a": { "const": 1 } } }, "unevaluatedProperties": false });
    assert!(check(condition.clone(), json!({ "a": 1 })).is_ok() && check(condition, json!({ "a": 2 })).is_err());
}

/// An array or object of `depth` levels.
fn nested(depth: usize, wrap: impl Fn(Value) -> Value, inner: Value) -> Value {
    (0..depth).fold(inner, |value, _| wrap(value))
}

// M26-337, M26-338, S-252, S-253
#[test]
fn results_are_held_against_their_schema() {
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
    assert_eq!(check(schema.clone(), json!({ "rows": [{ "n": 1 }], "next": null })), Ok(()));
    assert_eq!(
        reasons(schema.clone(), json!({ "rows": [{ "n": 0 }, {}, 5], "next": "A", "x/y": 1 })),
        [
            "at /rows: it has more than 2 items",
            "at /rows/0/n: it is less than 1",
            "at /rows/1: `n` is missing",
            "at /rows/2: a number, where an object is expected",
            "at /next: it does not match the pattern `^[a-z]*$`",
        ]
    );
    assert_eq!(reasons(schema.clone(), json!({ "rows": [], "x/y": 1 })), ["at /x~1y: nothing is allowed here"]);
    let mismatch = compile(schema).check(&RawJson::parse("null").unwrap()).unwrap_err();
    assert_eq!(
        mismatch.to_string(),
        "the result does not follow the output schema of its tool: at the top: null, where an object is expected"
    );
}

// M26-321, M26-337
#[test]
fn any_value_can_be_a_result() {
    for value in [json!(null), json!(5), json!("text"), json!([1]), json!({})] {
        assert_eq!(check(json!(true), value.clone()), Ok(()));
        assert_eq!(check(json!({ "const": value }), value.clone()), Ok(()));
        assert_eq!(reasons(json!(false), value), ["at the top: nothing is allowed here"]);
    }
}

#[test]
fn alternatives_are_explained_by_the_one_that_was_meant() {
    let schema = json!({ "anyOf": [{ "type": "null" }, { "type": "object", "required": ["a"] }] });
    assert_eq!(reasons(schema.clone(), json!({})), ["at the top: `a` is missing"]);
    assert_eq!(reasons(schema, json!(5)), ["at the top: it follows none of 2 alternatives"]);
    let schema = json!({ "oneOf": [{ "minimum": 1 }, { "minimum": 2 }] });
    assert_eq!(reasons(schema, json!(5)), ["at the top: it follows 2 of 2 alternatives, and may follow one only"]);
}

// M26-090, M26-091, M26-094, M26-095, S-039, S-040, S-041, S-042
#[test]
fn the_dialect_decides_and_unknown_ones_are_refused_by_name() {
    let schema = |dialect: Option<&str>| {
        let mut schema = json!({ "items": [{ "type": "string" }], "definitions": {} });
        if let Some(dialect) = dialect {
            schema["$schema"] = json!(dialect);
        }
        schema
    };
    for draft7 in ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft-07/schema"] {
        assert!(check(schema(Some(draft7)), json!([5])).is_err(), "{draft7}");
    }
    for newest in [None, Some("https://json-schema.org/draft/2020-12/schema")] {
        let (kind, text) = refused(schema(newest));
        assert_eq!(kind, SchemaErrorKind::Invalid, "a list of items is of older dialects");
        assert!(text.contains("at /items"), "{text}");
    }
    let draft4 = "http://json-schema.org/draft-04/schema#";
    let (kind, text) = refused(schema(Some(draft4)));
    assert_eq!(kind, SchemaErrorKind::Dialect);
    assert!(text.contains(draft4) && text.contains("2020-12"), "{text}");
    let within = json!({ "$defs": { "a": { "$id": "a", "$schema": draft4 } } });
    assert_eq!(refused(within).0, SchemaErrorKind::Dialect);
    assert_eq!(refused(json!({ "$schema": 5 })).0, SchemaErrorKind::Invalid);
}

// M26-097, M26-099, M26-101, M26-350
#[test]
fn references_out_of_the_schema_are_refused_by_name() {
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
            let (kind, text) = refused(json!({ "properties": { "a": { keyword: uri } } }));
            assert_eq!(kind, SchemaErrorKind::Reference);
            assert!(text.contains(uri) && text.contains("/properties/a") && text.contains("never fetched"), "{text}");
        }
    }
    let bundled = json!({
        "$id": "https://example.com/a", "$ref": "b#/$defs/c",
        "$defs": { "b": { "$id": "b", "$defs": { "c": { "type": "string" } } } }
    });
    assert!(check(bundled.clone(), json!("x")).is_ok() && check(bundled, json!(1)).is_err());
}

#[test]
fn what_is_no_schema_is_refused_with_its_place() {
    for (schema, place) in [
        (json!({ "type": "strin" }), "at /type: is neither"),
        (json!({ "properties": { "a": { "minimum": "1" } } }), "at /properties/a/minimum: is not a number"),
        (json!({ "multipleOf": 0 }), "at /multipleOf"),
        (json!({ "minLength": -1 }), "at /minLength: is not a whole number"),
        (json!({ "required": [1] }), "at /required: is not a list of names"),
        (json!({ "allOf": [5] }), "at /allOf/0: a schema is"),
        (json!({ "properties": [] }), "at /properties: is not an object"),
        (json!({ "$ref": 1 }), "at /$ref: is not a text"),
        (json!([]), "at the top: a schema is"),
    ] {
        let (kind, text) = refused(schema);
        assert_eq!(kind, SchemaErrorKind::Invalid);
        assert!(text.contains(place), "{text}");
    }
    for pattern in ["(?=a)b", r"(a)\1", "(", "((a{1000}){1000}){1000}"] {
        let (kind, text) = refused(json!({ "pattern": pattern }));
        assert_eq!(kind, SchemaErrorKind::Pattern);
        assert!(text.contains(pattern), "{text}");
    }
}

// M26-102
#[test]
fn schemas_are_bounded() {
    let mut limits = SchemaLimits::default();
    (limits.bytes, limits.subschemas, limits.patterns, limits.depth) = (10_000, 20, 2, 8);
    let within = |schema: Value| OutputSchema::compile_within(&RawJson::from(schema), limits).map(drop);
    let wide = |count: usize| json!({ "allOf": vec![json!({}); count] });
    assert!(within(wide(19)).is_ok());
    limits_of_patterns();
    for (schema, told) in [
        (wide(20), "20 subschemas"),
        (json!({ "title": "x".repeat(10_000) }), "10000 bytes"),
        (json!({ "patternProperties": { "a": {}, "b": {}, "c": {} } }), "2 patterns"),
        (nested(9, |inner| json!({ "not": inner }), json!({})), "8 levels"),
        (json!({ "$defs": { "a": { "$id": "a".repeat(5000) } } }), "bytes in a `$id`"),
    ] {
        let error = within(schema).unwrap_err();
        assert_eq!(error.kind(), SchemaErrorKind::TooLarge);
        assert!(error.to_string().contains(told), "{error}");
    }
    assert!(
        OutputSchema::compile(
            &RawJson::parse("[".repeat(100_000) + &"]".repeat(100_000)).unwrap_or_else(|_| RawJson::null())
        )
        .is_err()
    );
}

fn limits_of_patterns() {
    let letters = |count: u32| json!({ "pattern": format!(r"^[\p{{L}} ]{{1,{count}}}$") });
    assert!(check(letters(100), json!("Größe")).is_ok());
    let many: Vec<Value> = (60..100).map(letters).collect();
    let (kind, text) = refused(json!({ "anyOf": many }));
    assert_eq!(kind, SchemaErrorKind::TooLarge);
    assert!(text.contains("bytes of patterns"), "{text}");
}

/// Checks that nothing here takes long, whatever comes of it.
#[track_caller]
fn is_quick(schema: Value, value: &Value) -> Option<Result<(), Mismatch>> {
    let begin = Instant::now();
    let outcome = OutputSchema::compile(&RawJson::from(schema)).ok().map(|s| s.check(&RawJson::new(value).unwrap()));
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    if let Some(Err(mismatch)) = &outcome {
        assert!(mismatch.to_string().len() < 5000, "{mismatch}");
    }
    outcome
}

// M26-102
#[test]
fn composition_is_no_way_to_waste_time() {
    for keyword in ["anyOf", "allOf", "oneOf"] {
        // Each definition names the next one twice.
        let mut definitions = Map::new();
        for n in 0..60 {
            let next = json!({ "$ref": format!("#/$defs/{}", n + 1) });
            definitions.insert(n.to_string(), json!({ keyword: [next, next] }));
        }
        definitions.insert("60".to_owned(), json!({ "type": "string" }));
        let doubled = json!({ "$ref": "#/$defs/0", "$defs": definitions });
        assert!(is_quick(doubled, &json!(1)).unwrap().is_err());

        // Two ways into each level of the value.
        let way = json!({ "properties": { "x": { "$ref": "#" } } });
        let deep = nested(60, |inner| json!({ "x": inner, "y": 1 }), json!({}));
        let both = json!({ keyword: [way, way], "required": ["y"] });
        is_quick(both.clone(), &deep);
        let mut watched = both;
        watched["unevaluatedProperties"] = json!({ "type": "integer" });
        is_quick(watched, &deep);
    }
    // Every definition leads to every other.
    let any: Vec<Value> = (0..40).map(|n| json!({ "$ref": format!("#/$defs/{n}") })).collect();
    let each = json!({ "properties": { "x": { "anyOf": any } }, "required": ["y"] });
    let definitions: Map<String, Value> = (0..40).map(|n| (n.to_string(), each.clone())).collect();
    let deep = nested(30, |inner| json!({ "x": inner, "y": 1 }), json!({}));
    let mutual = json!({ "$ref": "#/$defs/0", "$defs": definitions });
    assert_eq!(is_quick(mutual, &deep).unwrap().unwrap_err().kind(), MismatchKind::Different, "it can be told");
    // Large schemas over large values.
    let wide = json!({ "items": { "allOf": vec![json!({ "type": "integer" }); 5000] } });
    let mismatch = is_quick(wide, &json!(vec![1; 100_000])).unwrap().unwrap_err();
    assert_eq!(mismatch.kind(), MismatchKind::TooCostly);
    assert!(mismatch.to_string().contains("more than 10000000 steps"), "{mismatch}");
    let unevaluated = |inner| json!({ "anyOf": [inner], "unevaluatedProperties": false });
    is_quick(nested(30, unevaluated, json!({ "properties": { "x": true } })), &json!({ "x": 1 })).unwrap().unwrap();
}

// M26-102
#[test]
fn patterns_are_no_way_to_waste_time() {
    let text = "a".repeat(2 << 20) + "b";
    is_quick(json!({ "pattern": "^(a+)+$" }), &json!(text)).unwrap().unwrap_err();
    let texts = vec![json!("a".repeat(10_000)); 500];
    is_quick(json!({ "items": { "pattern": "(a?){200}a{200}b" } }), &json!(texts)).unwrap().unwrap_err();
    is_quick(json!({ "items": { "pattern": r"^(\p{L}{1,30} ?){1,20}$" } }), &json!(texts));
}

// M26-102
#[test]
fn no_depth_overflows_the_stack() {
    // Refers to itself without going into the value.
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "$defs": { "a": { "not": { "$ref": "#/$defs/b" } }, "b": { "anyOf": [{ "$ref": "#/$defs/a" }] } }, "$ref": "#/$defs/a" }),
        json!({ "$dynamicAnchor": "a", "if": { "$dynamicRef": "#a" }, "unevaluatedItems": false }),
    ] {
        let mismatch = is_quick(schema, &json!([1])).unwrap().unwrap_err();
        assert_eq!(mismatch.kind(), MismatchKind::TooCostly);
        assert!(mismatch.to_string().contains("within each other"), "{mismatch}");
    }
    // A chain of references that is longer than any stack.
    for step in [|next: Value| next, |next: Value| json!({ "not": next }), |next: Value| json!({ "oneOf": [next] })] {
        let mut definitions = Map::new();
        for n in 0..4000 {
            definitions.insert(n.to_string(), step(json!({ "$ref": format!("#/$defs/{}", n + 1) })));
        }
        definitions.insert("4000".to_owned(), json!({ "type": "string" }));
        let chain = json!({ "$ref": "#/$defs/0", "$defs": definitions });
        assert_eq!(is_quick(chain, &json!("x")).unwrap().unwrap_err().kind(), MismatchKind::TooCostly);
    }
    // The deepest there may be, by the ways that need most of the stack.
    let deep = nested(120, |inner| json!({ "x": [inner] }), json!(1));
    let tree = json!({ "properties": { "x": { "items": { "$ref": "#" } } }, "unevaluatedProperties": false, "type": "object" });
    let text = serde_json::to_string(&deep).unwrap();
    assert!(compile(tree.clone()).check(&RawJson::parse(text).unwrap_or_else(|_| RawJson::null())).is_err());
    let deep = nested(60, |inner| json!({ "x": [inner] }), json!(1));
    assert_eq!(reasons(tree, deep).len(), 1, "ordinary depths are explained to the end");
}

#[test]
fn reasons_are_few_and_short_and_quote_no_values() {
    let schema =
        json!({ "items": { "type": "integer", "enum": [1] }, "patternProperties": { "": { "type": "integer" } } });
    let reasons_of_many = reasons(schema.clone(), json!(vec!["s3cret"; 1000]));
    assert_eq!(reasons_of_many.len(), SchemaLimits::default().reasons);
    assert!(!reasons_of_many.join("").contains("s3cret"));
    let long = reasons(schema, json!({ "x\n".repeat(100_000): "s3cret" }));
    assert!(long[0].len() < 1000 && long[0].contains('…') && !long[0].contains('\n'), "{long:?}");
}

#[test]
fn a_schema_is_read_once_and_spoils_no_other() {
    let bad = LazySchema::new(RawJson::parse(r#"{"$ref":"https://example.com"}"#).unwrap());
    let good = LazySchema::new(RawJson::parse(r#"{"type":"string"}"#).unwrap());
    assert_eq!(bad.get().unwrap_err().kind(), SchemaErrorKind::Reference);
    assert!(std::ptr::eq(bad.get().unwrap_err(), bad.get().unwrap_err()));
    assert!(good.get().unwrap().check(&RawJson::parse("\"x\"").unwrap()).is_ok());
    assert!(std::ptr::eq(good.get().unwrap(), good.get().unwrap()));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        // Not 1.0, which not every validator takes for an integer everywhere.
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

    // M26-094: a second opinion, on all but `unevaluated…`, where it is not to be relied on.
    #[test]
    fn another_validator_says_the_same(
        schema in any_schema(),
        definition in any_schema(),
        values in proptest::collection::vec(any_value(), 30),
    ) {
        let refers_to_itself = definition.to_string().contains("$ref");
        let definition = if refers_to_itself { json!({}) } else { definition };
        let schema = json!({ "allOf": [schema], "$defs": { "d": definition } });
        // It is slow to read a schema, and loses memory each time; hence many values for each.
        let other = jsonschema::draft202012::new(&schema).unwrap();
        let ours = compile(schema);
        for value in values {
            let checked = ours.check(&RawJson::new(&value).unwrap());
            prop_assert_eq!(checked.is_ok(), other.is_valid(&value), "{}: {:?}", value, checked);
        }
    }

    #[test]
    fn nothing_that_is_checked_makes_trouble(text in r##"\{("(type|items|\$ref|\$id|allOf|properties|enum|pattern|if)":("#/allOf/0"|"#"|\[\]|\[\{\}\]|\{"a":\{\}\}|"a"|1|true),?){0,4}\}"##) {
        if let Ok(schema) = RawJson::parse(text) {
            if let Ok(schema) = OutputSchema::compile(&schema) {
                let _ = schema.check(&RawJson::parse(r#"{"a":[1,{"a":"b"}]}"#).unwrap());
            }
        }
    }
}
