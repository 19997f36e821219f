//! Tests of `x-mcp-header` annotations: location, value and limits.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::header::annotation::scan_to_depth;
use crate::header::{Annotation, InvalidAnnotationKind, ParamType, scan};
use crate::json::RawJson;

fn annotations(schema: Value) -> Vec<Annotation> {
    scan(&RawJson::from(schema)).unwrap()
}

fn bad(schema: Value) -> (String, InvalidAnnotationKind) {
    let bad = scan(&RawJson::from(schema)).unwrap_err();
    (bad.pointer().to_owned(), bad.kind())
}

/// A schema with one property `a` of this type and annotation.
fn one(kind: &Value, annotation: &Value) -> Value {
    json!({"type": "object", "properties": {"a": {"type": kind, "x-mcp-header": annotation}}})
}

/// A property with an annotation that is valid in a suitable location.
fn good() -> Value {
    json!({"type": "string", "x-mcp-header": "Region"})
}

#[test]
fn finds_annotations_with_path_header_and_type() {
    // M26-191, M26-198, M26-200
    let found = annotations(json!({
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
    let seen: Vec<_> = found
        .iter()
        .map(|annotation| (annotation.path().join("."), annotation.header(), annotation.param_type()))
        .collect();
    assert_eq!(
        seen,
        [
            ("region".to_owned(), "Mcp-Param-Region", ParamType::String),
            ("options.retries".to_owned(), "Mcp-Param-Retry-Count", ParamType::Integer),
            ("options.deep.dry run".to_owned(), "Mcp-Param-Method", ParamType::Boolean),
        ]
    );
}

#[test]
fn returns_no_annotations_when_schema_has_none() {
    // M26-191
    for schema in [json!({}), json!(true), json!(null), json!([1]), json!({"properties": {"a": {"type": "number"}}})] {
        assert_eq!(annotations(schema), []);
    }
}

#[test]
fn returns_error_when_annotation_is_not_a_token() {
    // M26-194, M26-195, M26-196
    let at = "/properties/a".to_owned();
    assert_eq!(bad(one(&json!("string"), &json!(""))), (at.clone(), InvalidAnnotationKind::Empty));
    for text in
        ["My Region", "Region:Primary", "a\tb", "a\r\nEvil: 1", "\u{7f}", "Région", "a/b", "(a)", "\"a\"", "a,b"]
    {
        assert_eq!(bad(one(&json!("string"), &json!(text))), (at.clone(), InvalidAnnotationKind::NotToken), "{text}");
    }
    for annotation in [json!(null), json!(1), json!(true), json!(["a"]), json!({"name": "a"})] {
        assert_eq!(
            bad(one(&json!("string"), &annotation)),
            (at.clone(), InvalidAnnotationKind::NotText),
            "{annotation}"
        );
    }
    let every = "!#$%&'*+-.^_`|~09azAZ";
    assert_eq!(annotations(one(&json!("string"), &json!(every)))[0].header(), format!("Mcp-Param-{every}"));
}

#[test]
fn returns_error_when_header_name_is_repeated_in_any_case() {
    // M26-197
    let schema = |second: &str| {
        json!({"properties": {
            "a": good(),
            "b": {"properties": {"c": {"type": "string", "x-mcp-header": second}}},
        }})
    };
    assert_eq!(bad(schema("Region")), ("/properties/b/properties/c".to_owned(), InvalidAnnotationKind::Taken));
    assert_eq!(bad(schema("REGION")).1, InvalidAnnotationKind::Taken);
    assert_eq!(annotations(schema("Regions")).len(), 2);
}

#[test]
fn returns_error_when_annotated_type_is_not_string_integer_or_boolean() {
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
        assert_eq!(bad(one(&kind, &json!("A"))), ("/properties/a".to_owned(), InvalidAnnotationKind::Type), "{kind}");
    }
    assert_eq!(bad(json!({"properties": {"a": {"x-mcp-header": "A"}}})).1, InvalidAnnotationKind::Type);
}

#[test]
fn returns_error_when_annotation_is_not_reachable_through_properties() {
    // M26-200, M26-201
    assert_eq!(bad(json!({"type": "string", "x-mcp-header": "A"})), (String::new(), InvalidAnnotationKind::Elsewhere));
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
        // On the root, in a property, and nested below another `properties`.
        let schema = |inner: Value| json!({ keyword: inner });
        assert_eq!(bad(schema(good())), (format!("/{keyword}"), InvalidAnnotationKind::Elsewhere));
        assert_eq!(bad(json!({"properties": {"a": schema(good())}})).0, format!("/properties/a/{keyword}"));
        let hidden = json!({"properties": {"b": good()}});
        assert_eq!(bad(schema(hidden)), (format!("/{keyword}/properties/b"), InvalidAnnotationKind::Elsewhere));
    }
    for keyword in ["oneOf", "anyOf", "allOf", "prefixItems", "items"] {
        assert_eq!(
            bad(json!({ keyword: [true, good()] })),
            (format!("/{keyword}/1"), InvalidAnnotationKind::Elsewhere)
        );
    }
    for keyword in ["$defs", "definitions", "patternProperties", "dependentSchemas", "dependencies"] {
        assert_eq!(bad(json!({ keyword: {"b": good()} })), (format!("/{keyword}/b"), InvalidAnnotationKind::Elsewhere));
    }
    let referred = json!({"properties": {"a": {"$ref": "#/$defs/r"}}, "$defs": {"r": good()}});
    assert_eq!(bad(referred), ("/$defs/r".to_owned(), InvalidAnnotationKind::Elsewhere));
    assert_eq!(bad(json!([good()])), ("/0".to_owned(), InvalidAnnotationKind::Elsewhere));
}

#[test]
fn ignores_parameter_named_like_the_keyword() {
    // M26-200, M26-201
    let schema = json!({"properties": {
        "x-mcp-header": {"type": "object", "properties": {"x-mcp-header": {"type": "string"}}},
        "items": {"type": "string", "x-mcp-header": "Items"},
        "properties": {"properties": {"$ref": {"type": "integer", "x-mcp-header": "Ref"}}},
    }});
    let found = annotations(schema);
    assert_eq!(found[0].path(), ["items"]);
    assert_eq!(found[1].path(), ["properties", "$ref"]);
    assert_eq!(found.len(), 2);
    for keyword in ["$defs", "definitions", "patternProperties", "dependentSchemas", "dependencies"] {
        assert_eq!(annotations(json!({ keyword: {"x-mcp-header": {"type": "string"}} })), [], "{keyword}");
    }
    assert_eq!(annotations(json!({"items": {"properties": {"x-mcp-header": {"type": "string"}}}})), []);
    assert_eq!(annotations(json!({"dependentRequired": {"x-mcp-header": ["a"]}, "required": ["x-mcp-header"]})), []);
}

#[test]
fn ignores_keyword_in_text_and_data() {
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
    assert_eq!(annotations(schema), []);
}

#[test]
fn finds_annotation_when_keyword_is_escaped() {
    // M26-201
    let hidden = RawJson::parse(r#"{"items":{"type":"string","\u0078-mcp-header":"A"}}"#).unwrap();
    assert_eq!(scan(&hidden).unwrap_err().kind(), InvalidAnnotationKind::Elsewhere);
}

#[test]
fn error_quotes_location_to_prevent_log_injection() {
    // M26-204
    let schema = json!({"properties": {"a/b~c\n": {"type": "number", "x-mcp-header": "A"}}});
    let error = scan(&RawJson::from(schema)).unwrap_err();
    assert_eq!(error.pointer(), "/properties/a~1b~0c\n");
    assert_eq!(
        error.to_string(),
        r#"`x-mcp-header` at "/properties/a~1b~0c\n" is on a property with a type that is not string, integer or boolean"#
    );
}

#[test]
fn returns_error_when_scan_limits_are_exceeded() {
    let mut deep = json!({"a": good()});
    for _ in 0..40 {
        deep = json!({"a": {"properties": deep}});
    }
    let deep = RawJson::from(json!({"properties": deep}));
    assert_eq!(scan(&deep).unwrap_err().kind(), InvalidAnnotationKind::TooDeep);
    assert_eq!(scan_to_depth(&deep, 100).unwrap()[0].path().len(), 41);
    let hopeless = RawJson::parse(format!("{{\"x-mcp-header\":{}1{}}}", "[".repeat(9000), "]".repeat(9000))).unwrap();
    assert_eq!(scan(&hopeless).unwrap_err().kind(), InvalidAnnotationKind::TooDeep);
    assert_eq!(scan_to_depth(&hopeless, usize::MAX).unwrap_err().kind(), InvalidAnnotationKind::Unreadable);

    let many = |n: usize| {
        let property = |i: usize| (format!("p{i}"), json!({"type": "string", "x-mcp-header": format!("P{i}")}));
        RawJson::from(json!({"properties": (0..n).map(property).collect::<serde_json::Map<_, _>>()}))
    };
    assert_eq!(scan(&many(64)).unwrap().len(), 64);
    assert_eq!(scan(&many(65)).unwrap_err().kind(), InvalidAnnotationKind::TooMany);

    assert_eq!(annotations(one(&json!("string"), &json!("a".repeat(128)))).len(), 1);
    assert_eq!(bad(one(&json!("string"), &json!("a".repeat(129)))).1, InvalidAnnotationKind::TooLong);
}

/// JSON that consists mostly of relevant keywords.
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

/// A tree of annotated properties that are mostly valid, with an occasional `anyOf`.
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
    fn finds_all_annotations_or_returns_error(tree in trees()) {
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
            Err(bad) => match bad.kind() {
                InvalidAnnotationKind::Taken => prop_assert!(names.len() < count),
                InvalidAnnotationKind::Elsewhere => prop_assert!(!in_place),
                kind => prop_assert!(false, "{:?}", kind),
            },
        }
    }

    #[test]
    fn scans_any_json(schema in schemas()) {
        // M26-195, M26-197, M26-198, M26-200
        let Ok(found) = scan(&RawJson::from(schema.clone())) else { return Ok(()) };
        for (index, annotation) in found.iter().enumerate() {
            let pointer = format!("/properties/{}", annotation.path().join("/properties/"));
            let property = schema.pointer(&pointer).unwrap();
            let name = property["x-mcp-header"].as_str().unwrap();
            prop_assert_eq!(annotation.header(), format!("Mcp-Param-{}", name));
            prop_assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()));
            let others = &found[index + 1..];
            prop_assert!(others.iter().all(|other| !other.header().eq_ignore_ascii_case(annotation.header())));
        }
    }

    #[test]
    fn accepts_annotation_only_when_it_is_a_token(text in any::<String>()) {
        // M26-195, M26-196
        let found = scan(&RawJson::from(one(&json!("string"), &json!(text))));
        let is_token = !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte));
        prop_assert_eq!(found.is_ok(), is_token && text.len() <= 128);
    }
}
