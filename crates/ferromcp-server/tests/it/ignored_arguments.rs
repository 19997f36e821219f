//! Extra arguments that hosts add to calls of tools.

use ferromcp_core::RawJson;
use ferromcp_server::{Args, Server, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::client::{Case, Client};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Strict {
    n: i64,
}

fn server() -> Server {
    let schema = RawJson::parse(r#"{"type":"object","properties":{"reason":{"type":"string"}}}"#).unwrap();
    let echo = async |arguments: RawJson, _| arguments.into_string();
    Server::new("extra", "0")
        .with_tool(Tool::sync("double", |n: i64| n * 2).args(["n"]))
        .with_tool(Tool::sync("reason", |reason: String| reason).args(["reason"]))
        .with_tool(Tool::sync("strict", |Args(strict): Args<Strict>| strict.n))
        .with_tool(Tool::dynamic("declared", schema, echo))
        .with_tool(Tool::dynamic("dynamic", RawJson::parse(r#"{"type":"object"}"#).unwrap(), echo))
}

#[tokio::test]
async fn extra_arguments_are_ignored_when_the_server_names_them() {
    for case in Case::all() {
        let server = server().ignore_arguments(["reason"]).ignore_arguments(["task_id".to_owned()]);
        let mut client = Client::connect(server, case).await;
        let extra = json!({ "n": 2, "reason": { "why": [1] }, "task_id": null });
        assert_eq!(client.text("double", extra.clone()).await, "4");
        assert_eq!(client.text("strict", extra.clone()).await, "2");
        assert_eq!(client.text("dynamic", extra).await, r#"{"n":2}"#);
        // A tool that declares the argument receives it.
        assert_eq!(client.text("reason", json!({ "reason": "why not", "task_id": 1 })).await, "why not");
        assert_eq!(client.text("declared", json!({ "reason": "x" })).await, r#"{"reason":"x"}"#);
        // Other unknown arguments remain errors, and so do missing ones.
        let error = client.tool_error("double", json!({ "n": 2, "reasons": "x" })).await;
        assert!(error.contains("unknown argument `reasons`"), "{error}");
        let error = client.tool_error("double", json!({ "reason": "x" })).await;
        assert!(error.contains("`n` is missing") && !error.contains("reason"), "{error}");
    }
}

#[tokio::test]
async fn extra_arguments_are_errors_when_the_server_does_not_name_them() {
    for case in Case::eras() {
        let mut client = Client::connect(server(), case).await;
        let error = client.tool_error("double", json!({ "n": 2, "reason": "x" })).await;
        assert!(error.contains("unknown argument `reason`"), "{error}");
    }
}
