//! Conversion of arguments.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn converted(schema: &Value, words: &[&str]) -> Result<Value, String> {
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    let written = parse(&words).map_err(|error| error.to_string())?;
    convert(written, Schema::new(schema), Map::new()).map(Value::Object).map_err(|error| error.to_string())
}

fn schema() -> Value {
    json!({
        "$defs": { "Place": { "type": "object", "properties": { "city": { "type": "string" }, "zip": { "type": "integer" } } } },
        "properties": {
            "int": { "type": "integer" },
            "num": { "type": "number" },
            "flag": { "type": "boolean" },
            "text": { "type": "string" },
            "unit": { "type": "string", "enum": ["c", "f"] },
            "size": { "enum": [1, 2, "auto", null] },
            "maybe": { "anyOf": [{ "type": "integer" }, { "type": "null" }] },
            "either": { "type": ["string", "integer"] },
            "tags": { "type": "array", "items": { "type": "string" } },
            "ids": { "anyOf": [{ "type": "array", "items": { "type": "integer" } }, { "type": "null" }] },
            "place": { "anyOf": [{ "$ref": "#/$defs/Place" }, { "type": "null" }] },
            "a.b": { "type": "integer" },
            "any": {},
        },
    })
}

#[test]
fn values_are_converted_to_the_types_of_the_schema() {
    let schema = schema();
    for (word, expected) in [
        ("int=5", json!({ "int": 5 })),
        ("int=-3", json!({ "int": -3 })),
        ("int=1e3", json!({ "int": 1000 })),
        ("num=1.5", json!({ "num": 1.5 })),
        ("num=2", json!({ "num": 2 })),
        ("flag=true", json!({ "flag": true })),
        ("text=5", json!({ "text": "5" })),
        ("text=", json!({ "text": "" })),
        ("text=a=b", json!({ "text": "a=b" })),
        ("text=null", json!({ "text": "null" })),
        ("unit=c", json!({ "unit": "c" })),
        ("size=2", json!({ "size": 2 })),
        ("size=auto", json!({ "size": "auto" })),
        ("size=null", json!({ "size": null })),
        ("maybe=null", json!({ "maybe": null })),
        ("maybe=7", json!({ "maybe": 7 })),
        ("either=7", json!({ "either": 7 })),
        ("either=x", json!({ "either": "x" })),
        ("tags=a, b,c", json!({ "tags": ["a", "b", "c"] })),
        (r#"tags=["a,b"]"#, json!({ "tags": ["a,b"] })),
        ("tags=", json!({ "tags": [] })),
        ("ids=1,2", json!({ "ids": [1, 2] })),
        ("place.zip=5", json!({ "place": { "zip": 5 } })),
        ("place.city=5", json!({ "place": { "city": "5" } })),
        (r#"place={"zip":1}"#, json!({ "place": { "zip": 1 } })),
        ("a.b=1", json!({ "a.b": 1 })),
        ("any=1", json!({ "any": 1 })),
        ("any=x", json!({ "any": "x" })),
        ("other=true", json!({ "other": true })),
        (r#"int:={"x":[1]}"#, json!({ "int": { "x": [1] } })),
        (r#"text:="@at""#, json!({ "text": "@at" })),
    ] {
        assert_eq!(converted(&schema, &[word]), Ok(expected), "{word}");
    }
    let many = converted(&schema, &["ids=1", "ids=2", "place.zip=1", "place.city=x", "tags=a,b", "tags:=3"]);
    let expected = json!({ "ids": [1, 2], "place": { "zip": 1, "city": "x" }, "tags": ["a,b", 3] });
    assert_eq!(many, Ok(expected), "repeated values are items");
}

#[test]
fn error_names_the_type_when_a_value_cannot_be_converted() {
    let schema = schema();
    for (words, expected) in [
        (&["int=x"][..], "cannot set the argument `int`: it must be of type integer, got `x`"),
        (&["int=1.5"], "must be of type integer"),
        (&["num=inf"], "must be of type number"),
        (&["flag=yes"], "must be of type boolean"),
        (&["unit=k"], r#"it must be of type "c" | "f", got `k`"#),
        (&["ids=1,x"], "it must be of type integer[] | null"),
        (&["place=x"], "it must be of type object | null"),
        (&["int=1", "int=2"], "it is given twice"),
        (&["text:=x", "x=y"], "cannot read the argument `text`: invalid JSON"),
        (&["word"], "cannot read the argument `word`: `=` is missing"),
        (&["=x"], "`=` is missing"),
        (&["any=1", "any.x=2"], "cannot set the argument `any.x`: `any` is not an object"),
        (&["text=@/does/not/exist"], "cannot read the argument `text` from `/does/not/exist`"),
    ] {
        let error = converted(&schema, words).unwrap_err();
        assert!(error.contains(expected), "{words:?}: {error}");
    }
}

#[test]
fn values_are_read_from_files() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[1]\n").unwrap();
    let path = file.path().display();
    assert_eq!(converted(&schema(), &[&format!("text=@{path}")]), Ok(json!({ "text": "[1]\n" })));
    assert_eq!(converted(&schema(), &[&format!("any:=@{path}")]), Ok(json!({ "any": [1] })));
}

#[test]
fn whole_object_is_parsed() {
    assert_eq!(whole(r#"{"a":1}"#).unwrap().len(), 1);
    assert!(whole("[1]").unwrap_err().to_string().contains("not a JSON object"));
}

proptest! {
    #[test]
    fn conversion_never_panics(word in ".{0,40}", name in "(int|num|flag|unit|size|ids|place|a\\.b|any)") {
        let schema = schema();
        let _ = converted(&schema, &[&word]);
        let word = word.trim_start_matches('@');
        let _ = converted(&schema, &[&format!("{name}={word}"), &format!("{name}.x={word}")]);
        // A string is passed as it is.
        prop_assert_eq!(converted(&schema, &[&format!("text={word}")]).unwrap(), json!({ "text": word }));
    }
}
