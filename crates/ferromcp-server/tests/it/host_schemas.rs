//! Input schemas and startup warnings for hosts. // S1, S2, S3, S12

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::num::{NonZero, NonZeroI8};

use ferromcp_core::RawJson;
use ferromcp_server::{Arg, Args, Server, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{Case, Client};

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Empty {}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Shape {
    Circle { radius: u32 },
    Square { side: u32, color: Option<String> },
    Nothing,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
enum Lookup {
    ById(u64),
    ByName { name: String },
    Newest,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Key {
    Id { id: u64 },
    Name { id: String, exact: Option<bool> },
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Page {
    page: u32,
    #[serde(flatten)]
    shape: Shape,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Note {
    text: String,
    replies: Vec<Note>,
}

fn any(name: &str, schema: Value) -> Tool {
    Tool::dynamic(name, RawJson::new(&schema).unwrap(), |arguments, _| async move { arguments.as_str().to_owned() })
}

fn debug<T: std::fmt::Debug>(value: T) -> String {
    format!("{value:?}")
}

fn server() -> Server {
    Server::new("hosts", "0")
        .with_tool(Tool::sync("none", || "none"))
        .with_tool(Tool::sync("empty", |Args(empty): Args<Empty>| debug(empty)))
        .with_tool(any("dynamic", json!({ "type": "object" })))
        .with_tool(any("closed", json!({ "additionalProperties": false, "type": "object", "properties": null })))
        .with_tool(Tool::sync("shape", |Args(shape): Args<Shape>| debug(shape)))
        .with_tool(Tool::sync("lookup", |Args(lookup): Args<Lookup>| debug(lookup)))
        .with_tool(Tool::sync("key", |Args(key): Args<Key>| debug(key)))
        .with_tool(Tool::sync("page", |Args(page): Args<Page>| debug(page)))
        .with_tool(Tool::sync("nested", |shape: Shape| debug(shape)).args(["shape"]))
}

async fn schemas(client: &mut Client) -> HashMap<String, Value> {
    let list = client.result("tools/list", Value::Null).await;
    let tools = list["tools"].as_array().unwrap().clone();
    tools.into_iter().map(|tool| (tool["name"].as_str().unwrap().to_owned(), tool["inputSchema"].clone())).collect()
}

#[tokio::test]
async fn input_schema_has_properties_when_tool_has_no_arguments() {
    // S1
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let schemas = schemas(&mut client).await;
        for (name, closed) in [("none", true), ("closed", true), ("empty", false), ("dynamic", false)] {
            let mut expected = json!({ "type": "object", "properties": {} });
            if closed {
                expected["additionalProperties"] = json!(false);
            }
            assert_eq!(schemas[name], expected, "{name}");
            assert_eq!(client.result("tools/call", json!({ "name": name })).await["isError"], Value::Null);
        }
    }
}

#[tokio::test]
async fn root_has_no_union_and_calls_are_deserialized_when_arguments_are_an_enum() {
    // S2
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for (name, schema) in schemas(&mut client).await {
            assert_eq!(schema["type"], "object", "{name}");
            assert!(schema["properties"].is_object(), "{name}");
            for keyword in ["oneOf", "anyOf", "allOf", "not", "enum", "$ref"] {
                assert!(schema.get(keyword).is_none(), "{name}: {schema}");
            }
        }
        for (name, arguments, text) in [
            ("shape", json!({ "kind": "Circle", "radius": 1 }), "Circle { radius: 1 }"),
            ("shape", json!({ "kind": "Nothing" }), "Nothing"),
            ("lookup", json!({ "ById": 7 }), "ById(7)"),
            ("lookup", json!({ "ByName": { "name": "a" } }), "ByName { name: \"a\" }"),
            ("lookup", json!({ "Newest": null }), "Newest"),
            ("key", json!({ "id": 7 }), "Id { id: 7 }"),
            ("key", json!({ "id": "a", "exact": true }), "Name { id: \"a\", exact: Some(true) }"),
            (
                "page",
                json!({ "page": 2, "kind": "Square", "side": 3 }),
                "Page { page: 2, shape: Square { side: 3, color: None } }",
            ),
            ("nested", json!({ "shape": { "kind": "Nothing" } }), "Nothing"),
        ] {
            assert_eq!(client.text(name, arguments).await, text);
        }
        // The published schema accepts these; serde does not.
        for (name, arguments) in [
            ("shape", json!({ "kind": "Circle", "side": 1 })),
            ("lookup", json!({ "ById": 7, "Newest": null })),
            ("lookup", json!({})),
            ("page", json!({ "page": 2, "kind": "Square", "radius": 3 })),
        ] {
            client.tool_error(name, arguments).await;
        }
    }
}

#[tokio::test]
async fn nested_enum_is_any_of_when_variants_are_tagged() {
    // S2
    let case = Case::all().next().unwrap();
    let mut client = Client::connect(server(), case).await;
    let nested = &schemas(&mut client).await["nested"]["properties"]["shape"];
    assert_eq!(nested["anyOf"].as_array().unwrap().len(), 3, "{nested}");
    assert_eq!(nested.get("oneOf"), None);
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Search {
    limit: NonZero<u8>,
    offset: Option<NonZero<i32>>,
    #[serde(flatten)]
    lookup: Lookup,
    #[serde(flatten)]
    key: Option<Key>,
}

#[tokio::test]
async fn nested_schema_is_portable_when_type_is_nonzero_or_has_flattened_enums() {
    let server = Server::new("nested", "0")
        .with_tool(Tool::sync("search", |search: Search| debug(search)).args(["search"]))
        .with_tool(Tool::sync("list", |pages: Vec<Page>| debug(pages)).args(["pages"]))
        .with_tool(Tool::sync("map", |all: BTreeMap<String, Option<Search>>| debug(all)).args(["all"]))
        .with_tool(Tool::sync("step", |by: NonZero<i64>| by.get()).args(["by"]))
        .with_tool(Tool::sync("count", |n: NonZero<u32>| n.get()).args(["n"]))
        .with_tool(Tool::sync("steps", |all: Vec<NonZeroI8>| debug(all)).args(["all"]));
    assert_eq!(server.host_warnings(), []);
    for case in Case::all() {
        let mut client = Client::connect(server.clone(), case).await;
        let schemas = schemas(&mut client).await;
        let search = &schemas["search"]["properties"]["search"];
        assert_eq!(search["required"], json!(["limit"]), "{search:#}");
        assert_eq!(search["properties"]["limit"], json!({ "type": "integer", "minimum": 1, "maximum": 255 }));
        let names: BTreeSet<&str> = search["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(["limit", "offset", "ById", "ByName", "Newest", "id", "exact"]));
        assert_eq!(schemas["step"]["properties"]["by"], json!({ "type": "integer", "description": "Not 0" }));
        assert_eq!(schemas["count"]["properties"]["n"]["minimum"], 1);
        // The published schema accepts what the type accepts.
        let valid = json!({ "limit": 5, "offset": -1, "ByName": { "name": "a" }, "id": 7 });
        let text = "Search { limit: 5, offset: Some(-1), lookup: ByName { name: \"a\" }, key: Some(Id { id: 7 }) }";
        assert_eq!(client.text("search", json!({ "search": valid })).await, text);
        let pages =
            json!({ "pages": [{ "page": 1, "kind": "Circle", "radius": 2 }, { "page": 2, "kind": "Nothing" }] });
        let text = "[Page { page: 1, shape: Circle { radius: 2 } }, Page { page: 2, shape: Nothing }]";
        assert_eq!(client.text("list", pages).await, text);
        assert_eq!(client.text("steps", json!({ "all": [-1, 1] })).await, "[-1, 1]");
        // Errors are precise.
        for (tool, arguments, words) in [
            ("step", json!({ "by": 0 }), "`by` must be an integer other than 0, in the range of its type, got 0"),
            ("count", json!({ "n": 0 }), "`n` must be an integer of at least 1, got 0"),
            ("steps", json!({ "all": [1, 0] }), "`all[1]` must be an integer other than 0"),
            ("search", json!({ "search": { "limit": 0, "Newest": null } }), "`search.limit` must be an integer from 1"),
        ] {
            let error = client.tool_error(tool, arguments).await;
            assert!(error.contains(words), "{error}");
        }
    }
}

#[test]
fn host_warnings_name_path_and_remedy_when_a_union_cannot_be_merged() {
    let schema = |inner: Value| json!({ "type": "object", "properties": { "x": { "items": inner, "type": "array" } } });
    for (inner, problem, remedy) in [
        (
            json!({ "oneOf": [{ "type": "string" }] }),
            "`oneOf` in `/properties/x/items`",
            "use `anyOf` for alternatives",
        ),
        (json!({ "not": { "const": 0 } }), "`not` in `/properties/x/items`", "remove `not`"),
        (json!({ "prefixItems": [] }), "`prefixItems` in `/properties/x/items`", "use `items` only"),
    ] {
        let server = Server::new("s", "0").with_tool(any("dynamic", schema(inner)));
        let warnings = server.host_warnings();
        let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
        assert_eq!((warning.tool(), warning.problem()), ("dynamic", problem));
        assert!(warning.remedy().starts_with(remedy), "{warning}");
    }
}

#[tokio::test]
async fn configuration_error_is_reported_when_no_object_deserializes_into_arguments() {
    // S1
    let error = |tool: Tool| Server::new("s", "0").with_tool(tool).check().unwrap_err().to_string();
    for words in [
        error(Tool::sync("list", |_: Args<Vec<u8>>| "")),
        error(Tool::sync("text", |_: Args<String>| "")),
        error(Tool::sync("unit", |_: Args<()>| "")),
    ] {
        assert!(words.contains("does not deserialize from an object; use a struct with named fields"), "{words}");
    }
    let wrong = error(any("wrong", json!({ "type": "object", "properties": ["a"] })));
    assert!(wrong.contains("tool `wrong`: the input schema's `properties` must be an object"), "{wrong}");
}

#[test]
fn host_warnings_name_tool_host_and_remedy_when_hosts_reject_a_tool() {
    // S3
    let server = server()
        .with_tool(Tool::sync("files.read", || ""))
        .with_tool(Tool::sync("n".repeat(70), || ""))
        .with_tool(Tool::sync("notes", |_: Args<Note>| ""))
        .with_tool(any("union", json!({ "type": "object", "oneOf": [{ "required": ["a"] }, { "required": ["b"] }] })))
        .with_tool(any(
            "page",
            json!({ "type": "object", "properties": { "url": { "type": "string", "format": "uri" } } }),
        ));
    // `page` has a duplicate name, which is an error; warnings are separate.
    assert!(server.check().is_err());
    let warnings = server.host_warnings();
    let of = |tool: &str| warnings.iter().filter(|warning| warning.tool() == tool).collect::<Vec<_>>();
    assert_eq!(
        of("files.read")[0].to_string(),
        "tool `files.read` is rejected by Claude Desktop, claude.ai, Codex, Copilot CLI, Cursor, OpenAI API: the name \
         contains `.`; rename the tool with letters, digits, `_` and `-` only"
    );
    assert_eq!(of(&"n".repeat(70)).len(), 2);
    assert!(of("notes")[0].problem().contains("recursive"), "{}", of("notes")[0]);
    assert!(of("notes")[0].hosts().contains(&"Gemini API"));
    assert!(of("union")[0].hosts().contains(&"Claude Code"));
    for tool in ["none", "empty", "dynamic", "shape", "lookup", "key", "nested"] {
        assert!(of(tool).is_empty(), "{tool}: {:?}", of(tool));
    }
}

#[test]
fn host_warnings_are_separate_from_errors_when_server_is_valid() {
    // S3
    let server = Server::new("s", "0").with_tool(Tool::sync("a.b", || ""));
    server.check().unwrap();
    assert_eq!(server.host_warnings().len(), 1);
    server.registry().add_tool(Tool::sync("c.d", || "")).unwrap();
    assert_eq!(server.host_warnings().len(), 2);
    server.registry().remove_tool("a.b");
    server.registry().remove_tool("c.d");
    assert_eq!(server.host_warnings(), []);
}

/// Returns a server with length limits on collections of many types.
fn limited() -> Server {
    let arg = || [Arg::new("x").length(2..=3)];
    Server::new("limited", "0")
        .with_tool(Tool::sync("notes", |x: Vec<Note>| x.len().to_string()).args(arg()))
        .with_tool(Tool::sync("optional", |x: Option<Vec<Shape>>| x.map_or(0, |x| x.len()).to_string()).args(arg()))
        .with_tool(Tool::sync("queue", |x: VecDeque<(u8, u8)>| x.len().to_string()).args(arg()))
        .with_tool(Tool::sync("boxed", |x: Box<[Vec<u8>]>| x.len().to_string()).args(arg()))
        .with_tool(Tool::sync("set", |x: HashSet<String>| x.len().to_string()).args(arg()))
        .with_tool(Tool::sync("ordered", |x: BTreeSet<Vec<u8>>| x.len().to_string()).args(arg()))
        .with_tool(Tool::sync("map", |x: BTreeMap<String, Note>| x.len().to_string()).args(arg()))
        .with_tool(Tool::sync("hash", |x: HashMap<String, Value>| x.len().to_string()).args(arg()))
        .with_tool(Tool::sync("text", |x: String| x.chars().count().to_string()).args(arg()))
        .with_tool(Tool::sync("name", |x: Name| x.0.chars().count().to_string()).args(arg()))
        .with_tool(
            Tool::sync("default", |x: Vec<u16>| x.len().to_string())
                .args([Arg::new("x").length(2..=3).default::<Vec<u16>>(vec![1, 2])]),
        )
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Name(String);

#[tokio::test]
async fn items_are_counted_when_length_limits_lists_sets_and_maps() {
    // S12
    let note = || json!({ "text": "a", "replies": [] });
    let shape = || json!({ "kind": "Nothing" });
    for case in Case::all() {
        let mut client = Client::connect(limited(), case).await;
        let schemas = schemas(&mut client).await;
        let lists = [
            ("notes", vec![note(); 4]),
            ("optional", vec![shape(); 4]),
            ("queue", vec![json!([1, 2]); 4]),
            ("boxed", vec![json!([1]); 4]),
            ("set", vec![json!("a"), json!("b"), json!("c"), json!("d")]),
            ("ordered", vec![json!([1]), json!([2]), json!([3]), json!([])]),
            ("default", vec![json!(1); 4]),
        ];
        for (tool, items) in lists {
            let property = &schemas[tool]["properties"]["x"];
            assert_eq!((&property["minItems"], &property["maxItems"]), (&json!(2), &json!(3)), "{tool}: {property}");
            for count in 0..=4 {
                let arguments = json!({ "x": items[..count] });
                if (2..=3).contains(&count) {
                    assert_eq!(client.text(tool, arguments).await, count.to_string(), "{tool}");
                } else {
                    let error = client.tool_error(tool, arguments).await;
                    assert!(
                        error.contains("`x` must have 2 to 3 ") && error.contains(&format!("got {count}")),
                        "{error}"
                    );
                }
            }
        }
        for (tool, value) in [("map", note()), ("hash", json!(1))] {
            let property = &schemas[tool]["properties"]["x"];
            assert_eq!((&property["minProperties"], &property["maxProperties"]), (&json!(2), &json!(3)), "{tool}");
            assert_eq!(client.text(tool, json!({ "x": { "a": value, "b": value } })).await, "2");
            let error = client.tool_error(tool, json!({ "x": { "a": value } })).await;
            assert!(error.contains("`x` must have 2 to 3 entries, got 1"), "{error}");
        }
        for tool in ["text", "name"] {
            assert_eq!(schemas[tool]["properties"]["x"]["maxLength"], 3, "{tool}");
            assert_eq!(client.text(tool, json!({ "x": "äöü" })).await, "3");
            let error = client.tool_error(tool, json!({ "x": "abcd" })).await;
            assert!(error.contains("`x` must be 2 to 3 long, got a length of 4"), "{error}");
        }
    }
}

#[tokio::test]
async fn length_is_counted_in_value_when_input_has_duplicates_absence_or_strings() {
    // S12
    for case in Case::all() {
        let mut client = Client::connect(limited(), case).await;
        let error = client.tool_error("set", json!({ "x": ["a", "a", "a"] })).await;
        assert!(error.contains("must have 2 to 3 different items, got 1"), "{error}");
        assert_eq!(client.text("set", json!({ "x": ["a", "a", "b", "b"] })).await, "2");
        assert_eq!(client.text("optional", json!({})).await, "0");
        assert_eq!(client.text("optional", json!({ "x": null })).await, "0");
        assert_eq!(client.text("default", json!({})).await, "2");
        // A list that a model wrapped in a string.
        assert_eq!(client.text("default", json!({ "x": "[1, 2, 3]" })).await, "3");
        let error = client.tool_error("default", json!({ "x": "[1]" })).await;
        assert!(error.contains("must have 2 to 3 items, got 1"), "{error}");
    }
}

#[test]
fn configuration_error_is_reported_when_type_has_no_length() {
    // S12
    let limited = |tool: Tool| Server::new("s", "0").with_tool(tool.args([Arg::new("x").length(1..=2)])).check();
    for (words, outcome) in [
        ("Shape", limited(Tool::sync("t", |_: Shape| ""))),
        ("Note", limited(Tool::sync("t", |_: Note| ""))),
        ("u8", limited(Tool::sync("t", |_: u8| ""))),
        ("bool", limited(Tool::sync("t", |_: Option<bool>| ""))),
        ("(u8, u8)", limited(Tool::sync("t", |_: (u8, u8)| ""))),
        ("[u8; 2]", limited(Tool::sync("t", |_: [u8; 2]| ""))),
        ("Value", limited(Tool::sync("t", |_: Value| ""))),
    ] {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("does not support `length`") && error.contains(words), "{error}");
    }
    let default = Arg::new("x").length(1..).default::<Vec<u16>>(Vec::new());
    let server = Server::new("s", "0").with_tool(Tool::sync("t", |_: Vec<u16>| "").args([default]));
    let error = server.check().unwrap_err().to_string();
    assert!(error.contains("default [] is invalid: `x` must have at least 1 item, got 0"), "{error}");
}
