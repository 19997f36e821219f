//! Tests of edits in all formats.

use serde_json::json;

use super::*;

fn key(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

fn entry() -> Value {
    json!({"command": "/bin/demo", "args": ["-v"]})
}

fn add(format: Format, path: &str, text: &str) -> Result<String, EditError> {
    insert(format, text, Place { key: &key(path), name: "demo" }, &entry(), false)
}

fn json(text: &str) -> String {
    add(Format::Jsonc, "mcpServers", text).unwrap()
}

fn delete(format: Format, path: &str, text: &str) -> Result<String, EditError> {
    remove(format, text, Place { key: &key(path), name: "demo" })
}

#[test]
fn json_file_is_created_when_empty() {
    let expected = r#"{
  "mcpServers": {
    "demo": {
      "command": "/bin/demo",
      "args": [
        "-v"
      ]
    }
  }
}
"#;
    assert_eq!(json(""), expected);
    assert_eq!(json(" \n"), expected);
    assert_eq!(json("// mine\n"), format!("// mine\n{expected}"));
    let created = json("{}");
    assert_eq!(format!("{created}\n"), expected);
    assert_eq!(delete(Format::Jsonc, "mcpServers", expected).unwrap(), "{\n  \"mcpServers\": {}\n}\n");
}

#[test]
fn json_layout_is_kept_when_entries_exist() {
    let text = "{\r\n\t// servers\r\n\t\"mcpServers\": {\r\n\t\t\"a\": {\"command\": \"a\"}, // first\r\n\t\t\"b\": {} // second\r\n\t\t/* end */\r\n\t},\r\n\t\"n\": 1234567890123456789012345678901234567890\r\n}";
    let changed = json(text);
    let inserted = "\r\n\t\t\"demo\": {\r\n\t\t\t\"command\": \"/bin/demo\",\r\n\t\t\t\"args\": [\r\n\t\t\t\t\"-v\"\r\n\t\t\t]\r\n\t\t}";
    let expected = text.replace("{} // second", &format!("{{}}, // second{inserted}"));
    assert_eq!(changed, expected);
    assert_eq!(delete(Format::Jsonc, "mcpServers", &changed).unwrap(), text);
}

#[test]
fn json_entry_is_removed_exactly_when_the_table_had_others() {
    for text in [
        r#"{"mcpServers":{"a":{}}}"#,
        r#"{ "mcpServers": { "a": {} } }"#,
        r#"{"mcpServers": {"a": {}, }}"#,
        "{\"mcpServers\": {\"a\": {} // c\n}}",
        "{\"mcpServers\": {\"a\": {}, // c\n}}",
        "{\"mcpServers\": {\n    \"a\": {} /* c */,\n    // last\n}}",
        "\u{FEFF}{\"mcpServers\": {\n    \"a\": {},\n}}\n\n",
        "{\"mcpServers\": {\n  }}",
    ] {
        let changed = json(text);
        let restored = delete(Format::Jsonc, "mcpServers", &changed).unwrap();
        if text.contains("\"a\"") {
            assert_eq!(restored, text, "{changed}");
        }
        assert_eq!(changed.starts_with(BOM), text.starts_with(BOM));
    }
}

#[test]
fn json_entry_is_removed_when_first_middle_or_last() {
    let path = "mcpServers";
    for (text, expected) in [
        (r#"{"mcpServers": {"demo": 1, "a": 2}}"#, r#"{"mcpServers": {"a": 2}}"#),
        (r#"{"mcpServers": {"a": 2, "demo": 1}}"#, r#"{"mcpServers": {"a": 2}}"#),
        (r#"{"mcpServers": {"a": 2, "demo": 1, "b": 3}}"#, r#"{"mcpServers": {"a": 2, "b": 3}}"#),
        ("{\"mcpServers\": {\n  // about demo\n  \"demo\": 1\n}}", "{\"mcpServers\": {\n  // about demo\n}}"),
        ("{\"mcpServers\": {\n  \"demo\": 1,\n  \"a\": 2\n}}", "{\"mcpServers\": {\n  \"a\": 2\n}}"),
        ("{\"mcpServers\": {\n  \"a\": 1 // x\n  , \"demo\": 1}}", "{\"mcpServers\": {\n  \"a\": 1 // x\n  }}"),
    ] {
        assert_eq!(delete(Format::Jsonc, path, text).unwrap(), expected, "{text}");
    }
    let error = delete(Format::Json, path, "{}").unwrap_err();
    assert_eq!(error.kind, EditErrorKind::Missing);
}

#[test]
fn json_is_rejected_when_the_table_is_not_an_object() {
    for (text, found) in [("[]", "an array"), ("null", "`null`"), ("\"x\"", "a string"), ("1", "a number")] {
        let error = add(Format::Jsonc, "mcpServers", &format!("{{\n\"mcpServers\": {text}}}")).unwrap_err();
        let expected = format!(
            "line 2: `mcpServers` is {found}, not a table of servers; move its content elsewhere and write `{{}}`"
        );
        assert_eq!(error.to_string(), expected);
    }
    assert!(add(Format::Json, "mcpServers", "[]").unwrap_err().to_string().contains("the file is an array"));
}

#[test]
fn json_is_rejected_when_keys_are_duplicate() {
    let text = "{\n\"mcpServers\": {},\n\"mcpServers\": {\"a\": {}}}";
    let error = add(Format::Json, "mcpServers", text).unwrap_err();
    assert_eq!((error.kind, error.line), (EditErrorKind::Structure, Some(2)));
    assert!(error.to_string().contains("on lines 2 and 3"), "{error}");
    let text = "{\"mcpServers\": {\"demo\": {}, \"demo\": {\"command\": \"x\"}}}";
    assert!(add(Format::Json, "mcpServers", text).is_err());
    assert_eq!(value_at(Format::Json, text, &key("mcpServers.demo.command")).unwrap(), Some("x".into()));
    // Duplicates elsewhere are not edited.
    assert!(add(Format::Json, "mcpServers", "{\"a\": 1, \"a\": 2}").unwrap().contains("\"a\": 1, \"a\": 2"));
}

#[test]
fn json_is_rejected_when_the_host_would_reject_it() {
    for text in ["{'a': 1}", "{a: 1}", "{\"a\": 0x1}", "{\"a\": 1 \"b\": 2}", "{\"a\": +1}", "{", "{\"a\": }", "{} {}"]
    {
        for format in [Format::Json, Format::Jsonc] {
            let error = add(format, "mcpServers", text).unwrap_err();
            assert_eq!(error.kind, EditErrorKind::Syntax, "{text}");
        }
    }
    for text in ["{} // c", "{\"a\": 1,}"] {
        assert!(add(Format::Json, "mcpServers", text).is_err() && add(Format::Jsonc, "mcpServers", text).is_ok());
    }
    let error = add(Format::Json, "mcpServers", "{\n\n\"a\": tru}").unwrap_err();
    assert_eq!(error.line, Some(3), "{error}");
}

#[test]
fn entry_is_replaced_only_when_forced() {
    let path = key("mcpServers");
    let place = Place { key: &path, name: "demo" };
    let text =
        "{\n    \"mcpServers\": {\n        \"demo\": {\"command\": \"old\"}, // mine\n        \"b\": {}\n    }\n}";
    let error = insert(Format::Jsonc, text, place, &entry(), false).unwrap_err();
    assert_eq!(error.kind, EditErrorKind::Exists);
    assert!(error.to_string().contains("`--force`"), "{error}");
    let changed = insert(Format::Jsonc, text, place, &json!({"command": "new"}), true).unwrap();
    let new = "\"demo\": {\n            \"command\": \"new\"\n        }, // mine";
    assert_eq!(changed, text.replace("\"demo\": {\"command\": \"old\"}, // mine", new));
    assert_eq!(
        insert(Format::Jsonc, &changed, place, &json!({"command": "new"}), false).unwrap(),
        changed,
        "unchanged"
    );
}

#[test]
fn nested_tables_are_created_when_missing() {
    let text = add(Format::Jsonc, "mcp.servers", r#"{"mcp": {"timeout": 1}}"#).unwrap();
    assert_eq!(text, r#"{"mcp": {"timeout": 1, "servers": {"demo": {"command": "/bin/demo", "args": ["-v"]}}}}"#);
}

#[test]
fn toml_table_is_appended_and_removed_exactly() {
    let block = "[mcp_servers.demo]\ncommand = \"/bin/demo\"\nargs = [\"-v\"]";
    assert_eq!(add(Format::Toml, "mcp_servers", "").unwrap(), format!("{block}\n"));
    for text in [
        "model = \"x\" # mine\n",
        "model = \"x\"",
        "model = \"x\"\r\n[other]\r\na = 1\r\n",
        "\u{FEFF}a = 1\n\n\n",
        "[mcp_servers.a]\ncommand = 'a'\n\n[mcp_servers.a.env]\nX = \"1\"\n# end\n",
        "a = \"\"\"\n[mcp_servers.demo]\n\"\"\"\n",
        "mcp_servers.a.command = 'x'\n",
    ] {
        let changed = add(Format::Toml, "mcp_servers", text).unwrap();
        assert!(changed.starts_with(text), "{changed}");
        assert_eq!(changed.contains("\r\n"), text.contains("\r\n"));
        assert_eq!(delete(Format::Toml, "mcp_servers", &changed).unwrap(), text, "{changed}");
    }
}

#[test]
fn toml_entry_is_removed_when_between_others() {
    let text = "a = 1\n\n[mcp_servers.demo]\ncommand = 'x'\n\n[mcp_servers.demo.env]\nK = 'v'\n\n# about other\n[other]\nb = 2\n";
    let expected = "a = 1\n\n# about other\n[other]\nb = 2\n";
    assert_eq!(delete(Format::Toml, "mcp_servers", text).unwrap(), expected);
    let text = "[mcp_servers]\ndemo = { command = 'x' } # mine\nb = { command = 'y' }\n";
    assert_eq!(delete(Format::Toml, "mcp_servers", text).unwrap(), "[mcp_servers]\nb = { command = 'y' }\n");
}

#[test]
fn toml_is_rejected_when_the_layout_is_not_supported() {
    for (text, cause) in [
        ("mcp_servers = { a = { command = 'x' } }\n", "line 1: `mcp_servers` is an inline table"),
        ("\n[[mcp_servers]]\na = 1\n", "line 2: `mcp_servers` is of type array of tables"),
        ("mcp_servers = 1\n", "line 1: `mcp_servers` is of type integer"),
        ("a = 1\nb = \n", "line 2: invalid TOML"),
        ("a = 1\na = 2\n", "line 2: invalid TOML"),
    ] {
        let error = add(Format::Toml, "mcp_servers", text).unwrap_err().to_string();
        assert!(error.starts_with(cause), "{error}");
    }
    let dotted = "mcp_servers.demo.command = 'x'\n";
    assert!(delete(Format::Toml, "mcp_servers", dotted).unwrap_err().to_string().contains("dotted keys"));
}

#[test]
fn yaml_entry_is_added_and_removed_exactly() {
    let block = "  demo:\n    command: /bin/demo\n    args:\n      - \"-v\"\n";
    assert_eq!(add(Format::Yaml, "extensions", "").unwrap(), format!("extensions:\n{block}"));
    assert_eq!(add(Format::Yaml, "extensions", "# c\n").unwrap(), format!("# c\nextensions:\n{block}"));
    assert_eq!(add(Format::Yaml, "extensions", "extensions:\na: 1\n").unwrap(), format!("extensions:\n{block}a: 1\n"));
    assert_eq!(
        add(Format::Yaml, "extensions", "extensions: {} # c\na: 1").unwrap(),
        format!("extensions: # c\n{block}a: 1")
    );
    assert_eq!(add(Format::Yaml, "extensions", "a: 1").unwrap(), format!("a: 1\nextensions:\n{}", block.trim_end()));
    for text in [
        "extensions:\n  a:\n    type: builtin # c\n# end\nother: 1\n",
        "extensions:\r\n  a:\r\n    x: 1\r\n\r\nother: ü\r\n",
        "ü: 1\nextensions:\n    a:\n        text: |\n            one\n\n            two\n    # mine\n",
        "extensions:\n  a: {x: 1}",
        "extensions:\n  a:\nlast: 1\n",
        "\u{FEFF}extensions:\n  a: 'x: y'\n",
    ] {
        let changed = add(Format::Yaml, "extensions", text).unwrap();
        assert_eq!(delete(Format::Yaml, "extensions", &changed).unwrap(), text, "{changed}");
    }
    let only = format!("a: 1\nextensions: # c\n{block}b: 2\n");
    assert_eq!(delete(Format::Yaml, "extensions", &only).unwrap(), "a: 1\nextensions: {} # c\nb: 2\n");
}

#[test]
fn yaml_is_rejected_when_the_layout_is_not_supported() {
    for (text, cause) in [
        ("extensions: {a: {x: 1}}\n", "line 1: `extensions` is written in one line with braces"),
        ("a: 1\nextensions: []\n", "line 2: `extensions` is a sequence"),
        ("extensions: 1\n", "line 1: `extensions` is a scalar"),
        ("extensions:\n  a: 1\nextensions:\n  b: 1\n", "line 1: `extensions` occurs more than once, on lines 1 and 3"),
        ("{a: 1}\n", "line 1: the file is not a block mapping"),
        ("a: [1\nb: 2\n", "line 2: invalid YAML"),
        ("a: 1\n---\nb: 2\n", "it has several documents"),
    ] {
        let error = add(Format::Yaml, "extensions", text).unwrap_err().to_string();
        assert!(error.starts_with(cause), "{error}");
    }
}

#[test]
fn snippet_contains_the_table_of_servers() {
    let path = key("mcp_servers");
    let place = Place { key: &path, name: "a b" };
    assert_eq!(snippet(Format::Toml, place, &json!({"command": "x"})), "[mcp_servers.\"a b\"]\ncommand = \"x\"\n");
}
