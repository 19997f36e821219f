//! Marks: where they may stand, what they may say, and what is none.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::header::{Annotation, Flaw, Kind, ScanLimits, scan, scan_within};
use crate::json::RawJson;

fn marks(schema: Value) -> Vec<Annotation> {
    scan(&RawJson::from(schema)).unwrap()
}

fn bad(schema: Value) -> (String, Flaw) {
    let bad = scan(&RawJson::from(schema)).unwrap_err();
    (bad.place().to_owned(), bad.flaw())
}

/// A schema with one property `a` of this type and mark.
fn one(kind: &Value, mark: &Value) -> Value {
    json!({"type": "object", "properties": {"a": {"type": kind, "x-mcp-header": mark}}})
}

/// A property with a mark that would be fine in the right place.
fn good() -> Value {
    json!({"type": "string", "x-mcp-header": "Region"})
}

#[test]
fn marked_properties_are_found_with_path_name_and_type() {
    // M26-191, M26-198, M26-200
    let found = marks(json!({
        "type": "object",
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "plain": {"type": "string"},
            "any": true,
            "options": {"type": "object", "properties": {
                "retries": {"x-mcp-header": "Retry-Count", "type": "integer"},
                "deep": {"properties": {"dry run": {"type": "boolean", "x-mcp-header": "Method"}}},
            }},
        },
    }));
    let seen: Vec<_> = found.iter().map(|mark| (mark.path().join("."), mark.header(), mark.kind())).collect();
    assert_eq!(
        seen,
        [
            ("region".to_owned(), "Mcp-Param-Region", Kind::String),
            ("options.retries".to_owned(), "Mcp-Param-Retry-Count", Kind::Integer),
            ("options.deep.dry run".to_owned(), "Mcp-Param-Method", Kind::Boolean),
        ]
    );
}

#[test]
fn schemas_without_marks_have_none() {
    // M26-191
    for schema in [json!({}), json!(true), json!(null), json!([1]), json!({"properties": {"a": {"type": "number"}}})] {
        assert_eq!(marks(schema), []);
    }
}

#[test]
fn a_mark_is_a_token() {
    // M26-194, M26-195, M26-196
    let at = "/properties/a".to_owned();
    assert_eq!(bad(one(&json!("string"), &json!(""))), (at.clone(), Flaw::Empty));
    for text in
        ["My Region", "Region:Primary", "a\tb", "a\r\nEvil: 1", "\u{7f}", "Région", "a/b", "(a)", "\"a\"", "a,b"]
    {
        assert_eq!(bad(one(&json!("string"), &json!(text))), (at.clone(), Flaw::NotToken), "{text}");
    }
    for mark in [json!(null), json!(1), json!(true), json!(["a"]), json!({"name": "a"})] {
        assert_eq!(bad(one(&json!("string"), &mark)), (at.clone(), Flaw::NotText), "{mark}");
    }
    let every = "!#$%&'*+-.^_`|~09azAZ";
    assert_eq!(marks(one(&json!("string"), &json!(every)))[0].header(), format!("Mcp-Param-{every}"));
}

#[test]
fn names_are_unique_in_any_case_over_the_whole_schema() {
    // M26-197
    let schema = |second: &str| {
        json!({"properties": {
            "a": good(),
            "b": {"properties": {"c": {"type": "string", "x-mcp-header": second}}},
        }})
    };
    assert_eq!(bad(schema("Region")), ("/properties/b/properties/c".to_owned(), Flaw::Taken));
    assert_eq!(bad(schema("REGION")).1, Flaw::Taken);
    assert_eq!(marks(schema("Regions")).len(), 2);
}

#[test]
fn only_strings_integers_and_booleans_are_marked() {
    // M26-198
    for kind in [
        json!("number"),
        json!("object"),
        json!("array"),
        json!("null"),
        json!("String"),
        json!(["string", "null"]),
        json!(["string"]),
        json!(null),
    ] {
        assert_eq!(bad(one(&kind, &json!("A"))), ("/properties/a".to_owned(), Flaw::Type), "{kind}");
    }
    assert_eq!(bad(json!({"properties": {"a": {"x-mcp-header": "A"}}})).1, Flaw::Type);
}

#[test]
fn a_mark_anywhere_else_is_invalid() {
    // M26-200, M26-201
    assert_eq!(bad(json!({"type": "string", "x-mcp-header": "A"})), (String::new(), Flaw::Elsewhere));
    for keyword in [
        "items",
        "additionalItems",
        "contains",
        "unevaluatedItems",
        "not",
        "if",
        "then",
        "else",
        "additionalProperties",
        "unevaluatedProperties",
        "propertyNames",
        "contentSchema",
        "x-vendor",
    ] {
        // On the root, in a property, and hidden below `properties` once more.
        let schema = |inner: Value| json!({ keyword: inner });
        assert_eq!(bad(schema(good())), (format!("/{keyword}"), Flaw::Elsewhere));
        assert_eq!(bad(json!({"properties": {"a": schema(good())}})).0, format!("/properties/a/{keyword}"));
        let hidden = json!({"properties": {"b": good()}});
        assert_eq!(bad(schema(hidden)), (format!("/{keyword}/properties/b"), Flaw::Elsewhere));
    }
    for keyword in ["oneOf", "anyOf", "allOf", "prefixItems", "items"] {
        assert_eq!(bad(json!({ keyword: [true, good()] })), (format!("/{keyword}/1"), Flaw::Elsewhere));
    }
    for keyword in ["$defs", "definitions", "patternProperties", "dependentSchemas", "dependencies"] {
        assert_eq!(bad(json!({ keyword: {"b": good()} })), (format!("/{keyword}/b"), Flaw::Elsewhere));
    }
    let referred = json!({"properties": {"a": {"$ref": "#/$defs/r"}}, "$defs": {"r": good()}});
    assert_eq!(bad(referred), ("/$defs/r".to_owned(), Flaw::Elsewhere));
    assert_eq!(bad(json!([good()])), ("/0".to_owned(), Flaw::Elsewhere));
}

#[test]
fn a_parameter_of_that_name_is_no_mark() {
    // M26-200, M26-201
    let schema = json!({"properties": {
        "x-mcp-header": {"type": "object", "properties": {"x-mcp-header": {"type": "string"}}},
        "items": {"type": "string", "x-mcp-header": "Items"},
        "properties": {"properties": {"$ref": {"type": "integer", "x-mcp-header": "Ref"}}},
    }});
    let found = marks(schema);
    assert_eq!(found[0].path(), ["items"]);
    assert_eq!(found[1].path(), ["properties", "$ref"]);
    assert_eq!(found.len(), 2);
    for keyword in ["$defs", "definitions", "patternProperties", "dependentSchemas", "dependencies"] {
        assert_eq!(marks(json!({ keyword: {"x-mcp-header": {"type": "string"}} })), [], "{keyword}");
    }
    assert_eq!(marks(json!({"items": {"properties": {"x-mcp-header": {"type": "string"}}}})), []);
    assert_eq!(marks(json!({"dependentRequired": {"x-mcp-header": ["a"]}, "required": ["x-mcp-header"]})), []);
}

#[test]
fn text_and_data_are_no_mark() {
    // M26-201
    let data = json!({"x-mcp-header": "Region", "properties": {"a": {"x-mcp-header": ""}}});
    let schema = json!({"description": "see x-mcp-header", "properties": {"a": {
        "title": "x-mcp-header",
        "description": "{\"x-mcp-header\": \"Region\"}",
        "default": data,
        "const": data,
        "enum": [data],
        "examples": [data, [data]],
    }}});
    assert_eq!(marks(schema), []);
}

#[test]
fn an_escaped_mark_is_found() {
    // M26-201
    let hidden = RawJson::parse(r#"{"items":{"type":"string","\u0078-mcp-header":"A"}}"#).unwrap();
    assert_eq!(scan(&hidden).unwrap_err().flaw(), Flaw::Elsewhere);
}

#[test]
fn an_error_names_the_place_and_cannot_forge_a_line() {
    // M26-204
    let schema = json!({"properties": {"a/b~c\n": {"type": "number", "x-mcp-header": "A"}}});
    let error = scan(&RawJson::from(schema)).unwrap_err();
    assert_eq!(error.place(), "/properties/a~1b~0c\n");
    assert_eq!(
        error.to_string(),
        r#"`x-mcp-header` at "/properties/a~1b~0c\n" marks a property whose type is not string, integer or boolean"#
    );
}

#[test]
fn depth_number_and_length_are_bounded() {
    let mut deep = json!({"a": good()});
    for _ in 0..40 {
        deep = json!({"a": {"properties": deep}});
    }
    let deep = RawJson::from(json!({"properties": deep}));
    assert_eq!(scan(&deep).unwrap_err().flaw(), Flaw::TooDeep);
    assert_eq!(
        scan_within(&deep, &ScanLimits { max_depth: 100, ..ScanLimits::default() }).unwrap()[0].path().len(),
        41
    );
    let hopeless = RawJson::parse(format!("{{\"x-mcp-header\":{}1{}}}", "[".repeat(9000), "]".repeat(9000))).unwrap();
    assert_eq!(scan(&hopeless).unwrap_err().flaw(), Flaw::TooDeep);
    let deepest = ScanLimits { max_depth: usize::MAX, ..ScanLimits::default() };
    assert_eq!(scan_within(&hopeless, &deepest).unwrap_err().flaw(), Flaw::Unreadable);

    let many = |n: usize| {
        let property = |i: usize| (format!("p{i}"), json!({"type": "string", "x-mcp-header": format!("P{i}")}));
        RawJson::from(json!({"properties": (0..n).map(property).collect::<serde_json::Map<_, _>>()}))
    };
    assert_eq!(scan(&many(64)).unwrap().len(), 64);
    assert_eq!(scan(&many(65)).unwrap_err().flaw(), Flaw::TooMany);

    assert_eq!(marks(one(&json!("string"), &json!("a".repeat(128)))).len(), 1);
    assert_eq!(bad(one(&json!("string"), &json!("a".repeat(129)))).1, Flaw::TooLong);
}

/// JSON that is mostly made of what the walk looks for.
fn schemas() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        4 => proptest::sample::select(vec!["properties", "x-mcp-header", "type", "items", "anyOf", "$defs", "default"]),
        1 => proptest::sample::select(vec!["a", "b"]),
    ];
    let leaf = prop_oneof![
        proptest::sample::select(vec!["string", "integer", "A", "B", "a", "", "x-mcp-header", "é"])
            .prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(6, 48, 5, move |inner| {
        prop_oneof![
            3 => proptest::collection::vec((key.clone(), inner.clone()), 0..5)
                .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            1 => proptest::collection::vec(inner, 0..3).prop_map(Value::Array),
        ]
    })
}

/// A tree of properties whose marks are valid but for an accident, and perhaps one `anyOf`.
fn trees() -> impl Strategy<Value = Value> {
    let leaf = ("[A-Za-z]{1,3}", proptest::sample::select(vec!["string", "integer", "boolean"]))
        .prop_map(|(name, kind)| json!({"type": kind, "x-mcp-header": name}));
    leaf.prop_recursive(4, 8, 3, |inner| {
        let properties = proptest::collection::vec(("[a-z]{1,2}", inner.clone()), 1..4)
            .prop_map(|properties| json!({"properties": properties.into_iter().collect::<serde_json::Map<_, _>>()}));
        prop_oneof![9 => properties, 1 => inner.prop_map(|inner| json!({"anyOf": [inner]}))]
    })
}

proptest! {
    #[test]
    fn marks_are_all_found_or_one_is_bad(tree in trees()) {
        // M26-197, M26-200, M26-201
        let text = tree.to_string();
        let mut names: Vec<_> = text
            .split("\"x-mcp-header\":\"")
            .skip(1)
            .map(|rest| rest[..rest.find('"').unwrap()].to_ascii_lowercase())
            .collect();
        let count = names.len();
        names.sort();
        names.dedup();
        let in_place = tree.get("x-mcp-header").is_none() && !text.contains("anyOf");
        match scan(&RawJson::from(tree)) {
            Ok(found) => prop_assert_eq!((found.len(), names.len(), in_place), (count, count, true)),
            Err(bad) => match bad.flaw() {
                Flaw::Taken => prop_assert!(names.len() < count),
                Flaw::Elsewhere => prop_assert!(!in_place),
                flaw => prop_assert!(false, "{:?}", flaw),
            },
        }
    }

    #[test]
    fn any_json_is_scanned(schema in schemas()) {
        // M26-195, M26-197, M26-198, M26-200
        let Ok(found) = scan(&RawJson::from(schema.clone())) else { return Ok(()) };
        for (index, mark) in found.iter().enumerate() {
            let pointer = format!("/properties/{}", mark.path().join("/properties/"));
            let property = schema.pointer(&pointer).unwrap();
            let name = property["x-mcp-header"].as_str().unwrap();
            prop_assert_eq!(mark.header(), format!("Mcp-Param-{}", name));
            prop_assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()));
            let others = &found[index + 1..];
            prop_assert!(others.iter().all(|other| !other.header().eq_ignore_ascii_case(mark.header())));
        }
    }

    #[test]
    fn any_text_as_a_mark_is_judged(text in any::<String>()) {
        // M26-195, M26-196
        let found = scan(&RawJson::from(one(&json!("string"), &json!(text))));
        let is_token = !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte));
        prop_assert_eq!(found.is_ok(), is_token && text.len() <= 128);
    }
}
