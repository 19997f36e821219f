//! The text of a resource, and values that are deserialized from it.

use std::collections::BTreeMap;

use ferromcp_core::model::{ReadResourceResult, ResourceContents};
use serde::Deserialize;

fn text(text: &str) -> ResourceContents {
    ResourceContents::text("note://a", text)
}

fn blob() -> ResourceContents {
    ResourceContents::blob("note://b", "AAEC")
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Low,
    High,
}

#[test]
fn text_is_the_first_text_when_there_are_several_contents() {
    for (contents, expected) in [
        (vec![], None),
        (vec![blob()], None),
        (vec![text("a")], Some("a")),
        (vec![text("a"), text("b")], Some("a")),
        (vec![blob(), text("b"), text("c")], Some("b")),
        (vec![text(""), text("b")], Some("")),
    ] {
        let result = ReadResourceResult::new(contents);
        assert_eq!(result.text(), expected, "{result:?}");
    }
}

#[test]
fn parse_deserializes_the_first_text_as_json_or_as_string() {
    let of = |json: &str| ReadResourceResult::new(vec![blob(), text(json), text("7")]);
    assert_eq!(of("[1,2]").parse::<Vec<u8>>().unwrap(), [1, 2]);
    assert_eq!(of(r#"{"a":-1}"#).parse::<BTreeMap<String, i8>>().unwrap()["a"], -1);
    assert_eq!(of("null").parse::<Option<u8>>().unwrap(), None);
    assert_eq!(of("plain words").parse::<String>().unwrap(), "plain words");
    assert_eq!(of("").parse::<String>().unwrap(), "");
    assert_eq!(of("\"quoted\"").parse::<String>().unwrap(), "quoted", "JSON comes first");
    assert_eq!(
        (of("low").parse::<Level>().unwrap(), of("\"high\"").parse::<Level>().unwrap()),
        (Level::Low, Level::High)
    );
    assert_eq!(of(r#""ab\ud83d""#).parse::<String>().unwrap(), "ab\u{fffd}", "C10");
}

#[test]
fn parse_names_the_reason_when_it_fails() {
    let error = |contents| ReadResourceResult::new(contents).parse::<Vec<u8>>().unwrap_err().to_string();
    assert_eq!(error(vec![]), "the resource has no contents");
    assert_eq!(error(vec![blob(), blob()]), "the contents of the resource are binary");
    assert!(error(vec![text("words")]).starts_with("expected value at line 1"), "{}", error(vec![text("words")]));
    assert!(error(vec![text("[300]")]).contains("expected u8"), "{}", error(vec![text("[300]")]));
}
