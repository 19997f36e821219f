//! Errors of invalid arguments: in the words of the schema, with paths, all in one answer. Blank strings for optional arguments.

use ferromcp_core::Revision;
use ferromcp_server::{Arg, Args, Prompt, Resource, Server, Tool};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{Case, Client};

/// A date whose parser reports errors in its own words.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(extend("format" = "date"))]
struct Date(String);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() == 10 {
            Ok(Self(text))
        } else {
            Err(serde::de::Error::custom("input contains invalid characters"))
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Open,
    Done,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Due {
    Before { date: Date },
    Between { from: Date, to: Date },
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Page {
    limit: u8,
    #[serde(default)]
    cursor: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Filter {
    due_before: Option<Date>,
    status: Option<Status>,
    due: Option<Due>,
    #[serde(default)]
    tags: Vec<u8>,
    flag: Option<bool>,
    #[serde(flatten)]
    page: Page,
}

fn json_of<T: Serialize>(value: T) -> String {
    serde_json::to_string(&value).unwrap()
}

fn server() -> Server {
    let limited = || {
        [Arg::new("limit").range::<u32>(1..=100).default::<u32>(10), Arg::new("name").length(1..=5), Arg::new("status")]
    };
    Server::new("errors", "0")
        .with_tool(
            Tool::sync("find", |filter: Filter, limit: Option<u8>| json_of((filter, limit))).args(["filter", "limit"]),
        )
        .with_tool(Tool::sync("all", |Args(filter): Args<Filter>| json_of(filter)))
        .with_tool(
            Tool::sync("limited", |limit: u32, name: String, status: Status| json_of((limit, name, status)))
                .args(limited()),
        )
        .with_tool(
            Tool::sync(
                "optional",
                |flag: Option<bool>,
                 list: Option<Vec<u8>>,
                 number: Option<f64>,
                 status: Option<Status>,
                 text: Option<String>| { json_of((flag, list, number, status, text)) },
            )
            .args(["flag", "list", "number", "status", "text"]),
        )
        .with_prompt(
            Prompt::sync("plan", |limit: u32, name: String, status: Status| json_of((limit, name, status)))
                .args(limited()),
        )
        .with_prompt(Prompt::sync("paged", |Args(page): Args<Page>| json_of(page)))
        .with_prompt(
            Prompt::sync("maybe", |number: Option<u8>, status: Option<Status>| json_of((number, status)))
                .args(["number", "status"]),
        )
        .with_resource(
            Resource::sync("notes://{id}{?page}", |id: u8, page: Option<u8>| json_of((id, page))).args(["id", "page"]),
        )
        .with_resource(Resource::sync("pages://{limit}", |Args(page): Args<Page>| json_of(page)))
}

#[tokio::test]
async fn errors_are_in_schema_words_with_a_path_when_arguments_are_nested() {
    // S6
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for (tool, arguments, errors) in [
            (
                "find",
                json!({ "filter": { "due_before": "soon", "limit": 5 } }),
                &["`filter.due_before` must be a date such as 2026-12-24, got \"soon\""][..],
            ),
            (
                "find",
                json!({ "filter": { "status": 0, "tags": ["1"], "limit": "9", "flag": "no" } }),
                &[
                    "`filter.status` must be one of \"open\", \"done\", got 0",
                    "`filter.tags[0]` must be an integer from 0 to 255, got \"1\"",
                    "`filter.limit` must be an integer from 0 to 255, got \"9\"",
                    "`filter.flag` must be true or false, got \"no\"",
                ],
            ),
            (
                "find",
                json!({ "filter": { "due": { "kind": "Between", "from": "2026-12-24", "to": "later" } }, "limt": 1 }),
                &[
                    "`filter.due.to` must be a date such as 2026-12-24, got \"later\"",
                    "`filter.limit` is missing",
                    "unknown argument `limt`; did you mean `limit`?",
                ],
            ),
            (
                "find",
                json!({ "filter": { "due": { "kind": "After" }, "limit": 1 } }),
                &["`filter.due.kind` must be one of \"Before\", \"Between\", got \"After\""],
            ),
            (
                "find",
                json!({ "filter": { "due": {}, "limit": 300 }, "limit": 300 }),
                &[
                    "`filter.due.kind` is missing; it must be one of \"Before\", \"Between\"",
                    "`filter.limit` must be an integer from 0 to 255, got 300",
                    "`limit` must be an integer from 0 to 255, got 300",
                ],
            ),
            (
                "find",
                json!({ "filter": "{\"limit\":\"many\"}" }),
                &["`filter.limit` must be an integer from 0 to 255, got \"many\""],
            ),
            (
                "all",
                json!({ "due_before": 5, "status": "opne", "limit": null }),
                &[
                    "`due_before` must be a date such as 2026-12-24, got 5",
                    "`status` must be one of \"open\", \"done\", got \"opne\"",
                    "`limit` must be an integer from 0 to 255, got null",
                ],
            ),
            (
                "limited",
                json!({ "limit": 500, "name": "too long", "status": "gone", "nmae": 1 }),
                &[
                    "`limit` must be at least 1 and at most 100, got 500",
                    "`name` must be 1 to 5 long, got a length of 8",
                    "`status` must be one of \"open\", \"done\", got \"gone\"",
                    "unknown argument `nmae`; did you mean `name`?",
                ],
            ),
            (
                "limited",
                json!({ "limit": 0, "name": "" }),
                &["`limit` must be at least 1", "`name` must be 1", "`status` is missing"],
            ),
        ] {
            let text = client.tool_error(tool, arguments.clone()).await;
            for error in errors {
                assert!(text.contains(error), "{tool} {arguments}: {error:?} is not in {text}");
            }
            let count = if text.contains("\n- ") { text.matches("\n- ").count() } else { 1 };
            assert_eq!(count, errors.len(), "{tool} {arguments}: {text}");
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn all_errors_are_returned_when_prompt_or_template_arguments_are_invalid() {
    // S6
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let mut error = async |method: &str, params: Value| {
            let error = client.error(method, params).await;
            assert_eq!(error["code"], -32602, "{error}");
            error["message"].as_str().unwrap().to_owned()
        };
        let text = error(
            "prompts/get",
            json!({ "name": "plan", "arguments": {
            "limit": "many", "name": "too long", "status": "gone", "stauts": "open"
        } }),
        )
        .await;
        for part in [
            "`limit` must be an integer",
            "got \"many\"",
            "`name` must be 1 to 5 long",
            "`status` must be one of \"open\", \"done\", got \"gone\"",
            "unknown argument `stauts`; did you mean `status`?",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let text = error("prompts/get", json!({ "name": "plan", "arguments": { "limit": 5, "name": ["x"] } })).await;
        for part in ["`limit` must be a string, got 5", "`name` must be a string, got [\"x\"]", "`status` is missing"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let text = error("prompts/get", json!({ "name": "paged", "arguments": { "limit": "x" } })).await;
        assert!(text.contains("`limit` must be an integer from 0 to 255, got \"x\""), "{text}");
        let text = error("resources/read", json!({ "uri": "notes://x?page=300" })).await;
        for part in
            ["`id` must be an integer from 0 to 255, got \"x\"", "`page` must be an integer from 0 to 255, got 300"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        let text = error("resources/read", json!({ "uri": "pages://-1" })).await;
        assert!(text.contains("`limit` must be an integer from 0 to 255, got -1"), "{text}");
    }
}

#[tokio::test]
async fn blank_string_is_absence_when_an_optional_argument_cannot_be_blank() {
    // S7
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        let blank = json!({ "flag": "", "list": " ", "number": "", "status": "", "text": "" });
        assert_eq!(client.text("optional", blank.clone()).await, r#"[null,null,null,null,""]"#);
        assert_eq!(
            client.text("limited", json!({ "limit": "", "name": "x", "status": "open" })).await,
            r#"[10,"x","open"]"#
        );
        let nested =
            json!({ "filter": { "due_before": "", "status": "", "flag": "", "tags": "", "limit": 1, "cursor": "" } });
        let filter = r#"{"due_before":null,"status":null,"due":null,"tags":[],"flag":null,"limit":1,"cursor":""}"#;
        assert_eq!(client.text("find", nested.clone()).await, format!("[{filter},null]"));
        assert_eq!(client.text("all", nested["filter"].clone()).await, filter);
        assert_eq!(
            client.text("all", json!({ "limit": "7", "tags": "[1]", "flag": null })).await,
            filter.replace(":1,", ":7,").replace("[]", "[1]").replace("\"cursor\":\"\"", "\"cursor\":null")
        );
        // Required arguments are not absent.
        assert!(
            client
                .tool_error("limited", json!({ "name": "x", "status": "" }))
                .await
                .contains("`status` must be one of")
        );
        assert!(client.tool_error("all", json!({ "limit": "" })).await.contains("`limit` must be an integer"));
        let strict = server().lenient_arguments(false);
        let mut strict = Client::connect(strict, case).await;
        let text = strict.tool_error("optional", blank).await;
        for part in [
            "`flag` must be true or false",
            "`list` must be an array",
            "`number` must be a number",
            "`status` must be one of",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        strict.tool_error("find", nested).await;
    }
}

#[tokio::test]
async fn blank_or_null_prompt_argument_is_absence_when_optional() {
    // S7, C3
    for case in Case::all() {
        let mut client = Client::connect(server(), case).await;
        for arguments in [json!({ "number": "", "status": " " }), json!({ "number": null, "status": null }), json!({})]
        {
            let result = client.result("prompts/get", json!({ "name": "maybe", "arguments": arguments })).await;
            assert_eq!(result["messages"][0]["content"]["text"], "[null,null]", "{arguments}");
        }
        let result = client.result("prompts/get", json!({ "name": "paged", "arguments": { "limit": "7" } })).await;
        assert_eq!(result["messages"][0]["content"]["text"], r#"{"limit":7,"cursor":null}"#);
        let read = client.result("resources/read", json!({ "uri": "pages://7" })).await;
        assert_eq!(read["contents"][0]["text"], r#"{"limit":7,"cursor":null}"#);
    }
}

#[tokio::test]
async fn prompt_arguments_are_listed_when_one_type_takes_all() {
    // S6, S11
    let mut client =
        Client::connect(server(), Case { revision: Revision::LATEST, wire: crate::client::Wire::Memory }).await;
    let prompts = client.result("prompts/list", Value::Null).await["prompts"].clone();
    let paged = prompts.as_array().unwrap().iter().find(|prompt| prompt["name"] == "paged").unwrap();
    let required = |name: &str, required: bool| json!({ "name": name, "required": required });
    let mut arguments = paged["arguments"].as_array().unwrap().clone();
    arguments.sort_by_key(|argument| argument["name"].to_string());
    assert_eq!(arguments, [required("cursor", false), required("limit", true)]);
}

#[tokio::test]
async fn error_answer_is_bounded_when_values_are_large() {
    // S6
    let mut client = Client::connect(server(), Case::eras()[1]).await;
    let begin = std::time::Instant::now();
    let tags: Vec<Value> = (0..100_000).map(|_| json!("x".repeat(20))).collect();
    let text = client.tool_error("find", json!({ "filter": { "limit": 1, "tags": tags } })).await;
    assert!(text.len() < 10_000 && text.contains("`filter.tags[0]`"), "{} bytes", text.len());
    let text = client.tool_error("find", json!({ "filter": { "limit": "x".repeat(1 << 20) } })).await;
    assert!(text.len() < 1_000, "{} bytes", text.len());
    let names: serde_json::Map<_, _> =
        (0..1_000).map(|n| (format!("filtr{n}{}", "x".repeat(1_000)), json!(n))).collect();
    let text = client.tool_error("find", Value::Object(names)).await;
    assert!(text.len() < 10_000, "{} bytes", text.len());
    // Quadratic time would take minutes; the bound is for busy machines.
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

/// A type whose parser is stricter than its schema.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
struct Email(String);

impl TryFrom<String> for Email {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        if text.contains('@') { Ok(Self(text)) } else { Err("no @") }
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Contact {
    email: Option<Email>,
    others: Option<Vec<Contact>>,
    ip: Option<std::net::IpAddr>,
    age: Option<u8>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
enum Action {
    Send { to: String },
    Wait(u16),
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Step {
    id: u32,
    #[serde(flatten)]
    action: Action,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
enum Node {
    Leaf {
        value: i32,
    },
    Branch {
        children: Vec<Node>,
    },
    #[serde(untagged)]
    Raw {
        raw: String,
    },
}

fn strict_types() -> Server {
    Server::new("strict", "0")
        .with_tool(Tool::sync("contact", |Args(contact): Args<Contact>| json_of(contact)))
        .with_tool(Tool::sync("contacts", |list: Vec<Contact>| json_of(list)).args(["list"]))
        .with_tool(Tool::sync("step", |Args(step): Args<Step>| json_of(step)))
        .with_tool(Tool::sync("nodes", |list: Vec<Node>| json_of(list)).args(["list"]))
        .with_tool(Tool::sync("big", |n: i128, m: Option<u128>| format!("{n} {m:?}")).args(["n", "m"]))
        .with_tool(
            Tool::sync("keys", |map: std::collections::BTreeMap<u32, u8>, n: Option<std::num::NonZeroI16>| {
                format!("{map:?}{n:?}")
            })
            .args(["map", "n"]),
        )
}

#[tokio::test]
async fn blank_value_is_absence_when_the_type_is_stricter_than_its_schema() {
    // S7
    let mut client = Client::connect(strict_types(), Case::eras()[1]).await;
    let nested = json!({ "email": "", "others": [{ "email": " ", "ip": "", "age": "" }], "ip": "", "age": "null" });
    let none = r#"{"email":null,"others":null,"ip":null,"age":null}"#;
    let expected = none.replace("\"others\":null", &format!("\"others\":[{none}]"));
    assert_eq!(client.text("contact", nested).await, expected);
    assert_eq!(client.text("contacts", json!({ "list": [{ "email": "" }] })).await, format!("[{none}]"));
    // The errors that remain.
    let text = client.tool_error("contact", json!({ "email": "", "ip": "1.2" })).await;
    assert!(text.contains("`ip`") && text.contains("got \"1.2\"") && !text.contains("email"), "{text}");
}

#[tokio::test]
async fn error_is_precise_when_numbers_keys_or_alternatives_are_invalid() {
    // S6
    let mut client = Client::connect(strict_types(), Case::eras()[1]).await;
    for (tool, arguments, error) in [
        ("step", json!({ "id": 1 }), "must be an object with `Send` or an object with `Wait`"),
        ("step", json!({ "id": 1, "Wait": 70_000 }), "`Wait` must be an integer from 0 to 65535, got 70000"),
        (
            "nodes",
            json!({ "list": [{ "type": "Branch", "children": [{ "type": "Leaf" }] }] }),
            "`list[0].children[0].value` is missing",
        ),
        ("keys", json!({ "map": { "x": 1 } }), "`map` must have integers of at least 0 as keys, got \"x\""),
        ("keys", json!({ "map": {}, "n": 0 }), "`n` must be an integer other than 0"),
        ("big", json!({ "n": 1e30 }), "`n` must be an integer, got 1e+30"),
        ("big", json!({ "n": 1, "m": 3.5e38 }), "`m` must be an integer of at least 0, got 3.5e+38"),
        ("big", json!({ "n": 1.5 }), "`n` must be an integer, got 1.5"),
    ] {
        let text = client.tool_error(tool, arguments.clone()).await;
        assert!(text.contains(error), "{tool} {arguments}: {error:?} is not in {text}");
    }
    assert_eq!(client.text("big", json!({ "n": 2.0, "m": "7" })).await, "2 Some(7)");
}
