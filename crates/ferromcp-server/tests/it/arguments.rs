//! Arguments of tools: read leniently where a model means well, else refused in words it can use.

use std::collections::BTreeMap;

use ferromcp_core::Revision;
use ferromcp_server::{Arg, Args, Server, State, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{Case, Client};

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
    Blue,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Point {
    x: f64,
    y: f64,
    #[serde(default)]
    label: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Shape {
    points: Vec<Point>,
    color: Color,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Query {
    /// What to look for
    text: String,
    #[serde(default)]
    limit: Option<u8>,
}

fn json_of<T: Serialize>(value: T) -> String {
    serde_json::to_string(&value).unwrap()
}

fn server() -> Server {
    Server::new("arguments", "0")
        .state(7_u64)
        .with_tool(Tool::sync("add", |a: i64, b: i64| (a + b).to_string()).args(["a", "b"]))
        .with_tool(Tool::sync("small", |n: u8| n.to_string()).args(["n"]))
        .with_tool(Tool::sync("flag", |on: bool| on.to_string()).args(["on"]))
        .with_tool(Tool::sync("ratio", |r: f64| r.to_string()).args(["r"]))
        .with_tool(Tool::sync("text", |s: String| s).args(["s"]))
        .with_tool(Tool::sync("list", |l: Vec<i64>| json_of(l)).args(["l"]))
        .with_tool(Tool::sync("map", |m: BTreeMap<String, i64>| json_of(m)).args(["m"]))
        .with_tool(Tool::sync("any", |v: Value| json_of(v)).args(["v"]))
        .with_tool(Tool::sync("paint", |c: Color| json_of(c)).args(["c"]))
        .with_tool(Tool::sync("maybe", |n: Option<i64>| json_of(n)).args(["n"]))
        .with_tool(Tool::sync("draw", |shape: Shape| json_of(shape)).args([Arg::new("shape").describe("What to draw")]))
        .with_tool(Tool::sync("rows", |limit: u32, sort: Option<String>| format!("{limit} {sort:?}")).args([
            Arg::new("limit").range::<u32>(1..=1000).default::<u32>(50),
            Arg::new("sort").default("name".to_owned()),
        ]))
        .with_tool(Tool::sync("odds", |p: f64| p.to_string()).args([Arg::new("p").range::<f64>(0.0..1.0)]))
        .with_tool(Tool::sync("name", |s: String| s).args([Arg::new("s").length(2..=4)]))
        .with_tool(Tool::sync("few", |l: Vec<String>| json_of(l)).args([Arg::new("l").length(1..3)]))
        .with_tool(Tool::sync("mixed", |State(seven): State<u64>, n: u64| (seven * n).to_string()).args(["seven", "n"]))
        .with_tool(Tool::sync("whole", |Args(query): Args<Query>| json_of(query)).args(["query"]))
        .with_tool(Tool::sync("none", || "none"))
}

#[tokio::test]
async fn function_receives_arguments_when_types_match() {
    // M26-343, S-260
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for (tool, arguments, expected) in [
            ("add", json!({ "a": 1, "b": 2 }), "3"),
            ("add", json!({ "b": -2, "a": i64::MAX }), "9223372036854775805"),
            ("small", json!({ "n": 255 }), "255"),
            ("flag", json!({ "on": true }), "true"),
            ("ratio", json!({ "r": 2 }), "2"),
            ("text", json!({ "s": "\u{0}\u{1F980}\n" }), "\u{0}\u{1F980}\n"),
            ("text", json!({ "s": "" }), ""),
            ("text", json!({ "s": "5" }), "5"),
            ("list", json!({ "l": [] }), "[]"),
            ("map", json!({ "m": { "": 1 } }), "{\"\":1}"),
            ("any", json!({ "v": { "a": [null] } }), "{\"a\":[null]}"),
            ("any", json!({ "v": "5" }), "\"5\""),
            ("paint", json!({ "c": "blue" }), "\"blue\""),
            ("maybe", json!({}), "null"),
            ("maybe", json!({ "n": null }), "null"),
            ("maybe", json!({ "n": 0 }), "0"),
            ("rows", json!({}), "50 Some(\"name\")"),
            ("rows", json!({ "limit": 1000, "sort": "age" }), "1000 Some(\"age\")"),
            ("odds", json!({ "p": 0 }), "0"),
            ("name", json!({ "s": "\u{1F980}\u{1F980}" }), "\u{1F980}\u{1F980}"),
            ("few", json!({ "l": ["a", "b"] }), "[\"a\",\"b\"]"),
            ("mixed", json!({ "n": 6 }), "42"),
            ("whole", json!({ "text": "x" }), "{\"text\":\"x\",\"limit\":null}"),
            ("none", json!({}), "none"),
        ] {
            assert_eq!(client.text(tool, arguments.clone()).await, expected, "{tool} {arguments}");
        }
        for arguments in [Value::Null, json!({})] {
            let result = client.result("tools/call", json!({ "name": "none", "arguments": arguments })).await;
            assert_eq!(result["content"][0]["text"], "none");
        }
        let result = client.result("tools/call", json!({ "name": "none" })).await;
        assert_eq!(result["content"][0]["text"], "none");
    }
}

#[tokio::test]
async fn function_receives_nested_arguments_when_types_match() {
    // M26-343, S-260
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let shape = json!({ "points": [{ "x": 1.5, "y": 2.0, "label": null }, { "x": 0.0, "y": 0.0, "label": "o" }], "color": "red" });
        let drawn: Value = serde_json::from_str(&client.text("draw", json!({ "shape": shape })).await).unwrap();
        assert_eq!(drawn, shape);
        // The same, put into a string by mistake.
        let drawn = client.text("draw", json!({ "shape": shape.to_string() })).await;
        assert_eq!(serde_json::from_str::<Value>(&drawn).unwrap(), shape);
    }
}

#[tokio::test]
async fn error_states_name_expectation_and_value_when_argument_is_invalid() {
    // M26-340, M26-343, S-254, S-257, S-260
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for (tool, arguments, words) in [
            ("add", json!({ "a": "one", "b": 2 }), &["add", "`a`", "an integer", "\"one\""][..]),
            ("add", json!({ "a": 1.5, "b": 2 }), &["`a`", "an integer", "1.5"]),
            ("add", json!({ "a": null, "b": 2 }), &["`a`", "an integer", "null"]),
            ("add", json!({ "a": 1 }), &["`b` is missing"]),
            ("add", json!({}), &["`a` is missing", "`b` is missing"]),
            ("add", json!({ "a": 1, "b": 2, "c": 3 }), &["unknown argument `c`", "`a`", "`b`"]),
            ("add", json!({ "a": true, "c": 3 }), &["`a`", "an integer", "true", "`b` is missing", "`c`"]),
            ("add", json!({ "a": [], "b": {} }), &["`a`", "[]", "`b`", "{}"]),
            ("small", json!({ "n": 256 }), &["`n`", "an integer from 0 to 255", "256"]),
            ("small", json!({ "n": -1 }), &["`n`", "0 to 255", "-1"]),
            ("flag", json!({ "on": "maybe" }), &["`on`", "true or false", "\"maybe\""]),
            ("flag", json!({ "on": 1 }), &["`on`", "true or false", "1"]),
            ("ratio", json!({ "r": "half" }), &["`r`", "a number", "\"half\""]),
            ("text", json!({ "s": 5 }), &["`s`", "a string", "5"]),
            ("text", json!({ "s": null }), &["`s`", "a string", "null"]),
            ("list", json!({ "l": 5 }), &["`l`", "an array", "5"]),
            ("list", json!({ "l": [1, "x"] }), &["`l[1]`", "an integer", "\"x\""]),
            ("map", json!({ "m": [] }), &["`m`", "an object", "[]"]),
            ("paint", json!({ "c": "green" }), &["`c`", "one of \"red\", \"blue\"", "\"green\""]),
            ("maybe", json!({ "n": "x" }), &["`n`", "an integer", "\"x\""]),
            ("rows", json!({ "limit": 0 }), &["`limit`", "at least 1 and at most 1000"]),
            ("rows", json!({ "limit": 1001 }), &["`limit`", "at least 1 and at most 1000"]),
            ("rows", json!({ "sort": 3 }), &["`sort`", "a string", "3"]),
            ("odds", json!({ "p": 1 }), &["`p`", "less than 1"]),
            ("odds", json!({ "p": -0.1 }), &["`p`", "at least 0"]),
            ("name", json!({ "s": "a" }), &["`s`", "2 to 4 long"]),
            ("name", json!({ "s": "abcde" }), &["`s`", "2 to 4 long"]),
            ("few", json!({ "l": [] }), &["`l`", "1 to 2 items"]),
            ("few", json!({ "l": ["a", "b", "c"] }), &["`l`", "1 to 2 items"]),
            (
                "draw",
                json!({ "shape": { "points": [{ "x": "left", "y": 0 }], "color": "red" } }),
                &["shape", "points[0].x", "\"left\""],
            ),
            ("draw", json!({ "shape": { "points": [], "color": "mauve" } }), &["shape", "color", "mauve"]),
            ("draw", json!({ "shape": { "points": [] } }), &["shape", "color"]),
            ("draw", json!({ "shape": "circle" }), &["`shape`", "an object", "\"circle\""]),
            ("whole", json!({}), &["text"]),
            ("whole", json!({ "text": "x", "limit": 256 }), &["limit", "256"]),
            ("mixed", json!({ "seven": 8, "n": 1 }), &["unknown argument `seven`", "`n`"]),
            ("none", json!({ "x": 1 }), &["unknown argument `x`"]),
        ] {
            let complaint = client.tool_error(tool, arguments.clone()).await;
            for word in words {
                assert!(complaint.contains(word), "{tool} {arguments}: {word:?} is not in {complaint:?}");
            }
            assert!(!complaint.contains(" at line "), "{complaint}");
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn excerpt_is_truncated_when_invalid_value_is_long() {
    // M26-340
    for case in Case::eras() {
        let mut client = Client::connect(server(), case).await;
        let complaint =
            client.tool_error("add", json!({ "a": "\u{e9}".repeat(100_000), "b": 1, "x".repeat(10_000): 1 })).await;
        assert!(complaint.len() < 1000, "{} bytes", complaint.len());
    }
}

#[tokio::test]
async fn arguments_are_rejected_when_duplicate() {
    // M26-343, S-260
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let request = client.request_of("t", "tools/call", json!({ "name": "add", "arguments": "HERE" }));
        client.send_bytes(request.to_string().replace("\"HERE\"", r#"{"a":1,"a":2,"b":3}"#));
        let answer = client.answer("t").await;
        assert!(answer["result"]["isError"] == true, "{answer}");
        assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains('a'), "{answer}");
    }
}

#[tokio::test]
async fn json_in_strings_is_parsed_when_lenient() {
    // M26-343, S-260
    let slips = [
        ("add", json!({ "a": "1", "b": "2" }), "3"),
        ("small", json!({ "n": " 7 " }), "7"),
        ("flag", json!({ "on": "true" }), "true"),
        ("ratio", json!({ "r": "0.5" }), "0.5"),
        ("list", json!({ "l": "[1,2]" }), "[1,2]"),
        ("map", json!({ "m": "{\"a\":1}" }), "{\"a\":1}"),
        ("maybe", json!({ "n": "3" }), "3"),
        ("maybe", json!({ "n": "null" }), "null"),
    ];
    for case in Case::eras() {
        let mut lenient = Client::connect(server(), case).await;
        let mut strict = Client::connect(server().lenient_arguments(false), case).await;
        for (tool, arguments, expected) in slips.clone() {
            assert_eq!(lenient.text(tool, arguments.clone()).await, expected, "{tool} {arguments}");
            strict.tool_error(tool, arguments).await;
        }
        // Limits still apply, and strings remain strings.
        assert!(lenient.tool_error("rows", json!({ "limit": "1001" })).await.contains("at most 1000"));
        assert_eq!(lenient.text("text", json!({ "s": "[1]" })).await, "[1]");
    }
}

#[tokio::test]
async fn input_schema_contains_limits_when_arguments_have_limits() {
    // M26-090, M26-093, M26-096, M26-319, M26-320, S-039, S-041, S-043, S-045, S-232, S-233, S-234
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let tools = client.result("tools/list", Value::Null).await["tools"].clone();
        let schema = |name: &str| {
            tools.as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap()["inputSchema"].clone()
        };
        for tool in tools.as_array().unwrap() {
            assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
            jsonschema::draft202012::meta::validate(&tool["inputSchema"])
                .unwrap_or_else(|error| panic!("{tool}: {error}"));
        }
        assert_eq!(schema("none"), json!({ "type": "object", "properties": {}, "additionalProperties": false })); // S1
        assert_eq!(
            schema("rows"),
            json!({
                "type": "object",
                "properties": {
                    "limit": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 50 },
                    "sort": { "type": "string", "default": "name" },
                },
                "additionalProperties": false,
            })
        );
        assert_eq!(schema("name")["properties"]["s"], json!({ "type": "string", "minLength": 2, "maxLength": 4 }));
        assert_eq!(schema("few")["properties"]["l"]["maxItems"], 2);
        assert_eq!(schema("odds")["properties"]["p"]["exclusiveMaximum"], 1.0);
        assert_eq!(schema("paint")["properties"]["c"]["enum"], json!(["red", "blue"]));
        assert_eq!(schema("maybe")["properties"]["n"], json!({ "type": "integer" }));
        assert_eq!(schema("mixed")["properties"], json!({ "n": { "type": "integer", "minimum": 0 } }));
        assert_eq!(schema("whole")["properties"]["text"]["description"], "What to look for");
        assert_eq!(schema("whole")["required"], json!(["text"]));
        assert_eq!(schema("draw")["properties"]["shape"]["description"], "What to draw");
        assert_eq!(schema("draw")["required"], json!(["shape"]));
    }
}

#[tokio::test]
async fn arguments_are_accepted_when_valid_by_input_schema() {
    // M26-343, S-043, S-260
    let mut client = Client::connect(server(), Case::eras()[1]).await;
    let tools = client.result("tools/list", Value::Null).await["tools"].clone();
    let values = [
        json!(0),
        json!(1),
        json!(-1),
        json!(255),
        json!(1000),
        json!(1001),
        json!(0.5),
        json!(true),
        json!(null),
        json!(""),
        json!("abc"),
        json!("red"),
        json!([]),
        json!([1]),
        json!(["a"]),
        json!({}),
        json!({ "a": 1 }),
    ];
    for tool in tools.as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        let validator = jsonschema::draft202012::new(&tool["inputSchema"]).unwrap();
        let Some(properties) = tool["inputSchema"]["properties"].as_object() else { continue };
        for value in &values {
            let arguments: Value =
                properties.keys().map(|key| (key.clone(), value.clone())).collect::<serde_json::Map<_, _>>().into();
            if !validator.is_valid(&arguments) {
                continue;
            }
            let result = client.call(name, arguments.clone()).await;
            assert_ne!(result["isError"], true, "{name} {arguments}: {result}");
        }
    }
}

#[tokio::test]
async fn input_schema_is_equal_when_revisions_differ() {
    // M26-317, S-232
    let mut schemas = Vec::new();
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let tools = client.result("tools/list", Value::Null).await["tools"].clone();
        let names: Vec<String> = tools
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["inputSchema"]["properties"]["limit"].to_string())
            .collect();
        schemas.push((case.revision >= Revision::V2024_11_05, names));
    }
    assert!(schemas.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn integer_is_deserialized_when_json_number_is_integral_float() {
    // M26-319, S-232: to JSON Schema `5.0` is an integer
    for case in Case::eras() {
        let server = Server::new("whole", "0")
            .with_tool(Tool::sync("add", |a: i64, b: u8| (a + i64::from(b)).to_string()).args(["a", "b"]))
            .with_tool(Tool::sync("list", |l: Vec<i64>| json_of(l)).args(["l"]))
            .with_tool(Tool::sync("query", |q: Args<Query>| json_of(q.0)))
            .with_tool(Tool::sync("text", |s: String| s).args(["s"]))
            .with_tool(Tool::sync("any", |v: Value, n: i64| format!("{v}{n}")).args(["v", "n"]));
        let mut client = Client::connect(server, case).await;
        assert_eq!(client.text("add", json!({ "a": -5.0, "b": 2.0 })).await, "-3");
        assert_eq!(client.text("list", json!({ "l": [1.0, 2, 3e2] })).await, "[1,2,300]");
        assert_eq!(client.text("query", json!({ "text": "5.0", "limit": 7.0 })).await, r#"{"text":"5.0","limit":7}"#);
        assert_eq!(client.text("any", json!({ "v": 1.0, "n": 1.0 })).await, "1.01", "what is no integer stays");
        for (tool, arguments) in [
            ("add", json!({ "a": 0.5, "b": 1 })),
            ("add", json!({ "a": 1, "b": 256.0 })),
            ("list", json!({ "l": [1.5] })),
            ("text", json!({ "s": 5.0 })),
        ] {
            let result = client.call(tool, arguments.clone()).await;
            assert_eq!(result["isError"], true, "{tool} {arguments}: {result}");
        }
    }
}

#[tokio::test]
async fn error_list_is_truncated_when_many_arguments_are_invalid() {
    // M26-345
    let mut client = Client::connect(server(), Case::eras()[1]).await;
    let flood: serde_json::Map<String, Value> = (0..200_000).map(|n| (n.to_string(), json!(0))).collect();
    let begin = std::time::Instant::now();
    let result = client.call("add", Value::Object(flood)).await;
    assert_eq!(result["isError"], true);
    assert!(result.to_string().len() < 10_000, "{} bytes of errors", result.to_string().len());
    // Quadratic time would take minutes; the bound is for busy machines.
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}
