//! Structured results against the output schemas of their tools.

use ferromcp_client::validate::{OutputError, SchemaErrorKind};
use ferromcp_client::{Client, ClientBuilder, ClientError, ClientLimits, ErrorKind};
use ferromcp_core::model::CallToolResult;
use serde_json::{Value, json};

use crate::script::{Far, builder, legacy, modern, soon, text};

/// A client that has listed three tools: a good one, one whose schema is none, and one without.
async fn listed(builder: ClientBuilder, modern_era: bool) -> (Client, Far) {
    let (client, mut far) = if modern_era { modern(builder).await } else { legacy(builder).await };
    list(&client, &mut far, &sum("integer")).await;
    (client, far)
}

fn sum(kind: &str) -> Value {
    json!({ "type": "object", "properties": { "sum": { "type": kind } }, "required": ["sum"] })
}

async fn list(client: &Client, far: &mut Far, schema: &Value) {
    let tool = |name: &str, schema: Option<&Value>| {
        let mut tool = json!({ "name": name, "inputSchema": { "type": "object" } });
        if let Some(schema) = schema {
            tool["outputSchema"] = schema.clone();
        }
        tool
    };
    let bad = json!({ "type": "object", "$ref": "https://example.com/never-fetched" });
    let tools = [tool("add", Some(schema)), tool("bad", Some(&bad)), tool("plain", None)];
    let script = async {
        let list = far.expect("tools/list").await;
        far.answer(&list, json!({ "tools": tools })).await;
    };
    soon(async { tokio::join!(async { client.tools().await }, script) }).await.0.unwrap();
}

async fn call(client: &Client, far: &mut Far, tool: &str, answer: Value) -> Result<CallToolResult, ClientError> {
    let script = async {
        let call = far.expect("tools/call").await;
        far.answer(&call, answer).await;
    };
    soon(async { tokio::join!(async { client.call(tool, ()).await }, script) }).await.0
}

fn structured(value: &Value) -> Value {
    json!({ "content": [], "structuredContent": value })
}

#[tokio::test]
async fn a_result_that_does_not_follow_its_schema_is_an_error_that_says_where() {
    // M26-338, S-253
    for era in [true, false] {
        let (client, mut far) = listed(builder(), era).await;
        call(&client, &mut far, "add", structured(&json!({ "sum": 3 }))).await.unwrap();
        let error = call(&client, &mut far, "add", structured(&json!({ "sum": "3" }))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Output);
        assert!(matches!(error.output(), Some(OutputError::Mismatch(_))));
        assert!(error.to_string().contains("at /sum: a string, where an integer is expected"), "{error}");
        let script = async {
            let call = far.expect("tools/call").await;
            far.answer(&call, structured(&json!({ "sum": "3" }))).await;
        };
        let typed = async { client.call_as::<Value>("add", ()).await };
        assert_eq!(soon(async { tokio::join!(typed, script) }).await.0.unwrap_err().kind(), ErrorKind::Output);
    }
}

#[tokio::test]
async fn a_result_without_what_its_schema_promises_is_an_error_unless_the_tool_failed() {
    let (client, mut far) = listed(builder(), true).await;
    let error = call(&client, &mut far, "add", text("3")).await.unwrap_err();
    assert_eq!(error.output(), Some(&OutputError::Missing));
    let failed = json!({ "content": [], "isError": true });
    assert!(call(&client, &mut far, "add", failed).await.unwrap().is_error());
}

#[tokio::test]
async fn a_schema_that_cannot_be_used_spoils_its_own_tool_alone() {
    let (client, mut far) = listed(builder(), true).await;
    for _ in 0..2 {
        let error = call(&client, &mut far, "bad", structured(&json!({}))).await.unwrap_err();
        let Some(OutputError::Schema(flaw)) = error.output() else { panic!("{error}") };
        assert_eq!(flaw.kind(), SchemaErrorKind::Reference);
    }
    call(&client, &mut far, "add", structured(&json!({ "sum": 3 }))).await.unwrap();
    call(&client, &mut far, "plain", text("anything")).await.unwrap();
}

#[tokio::test]
async fn nothing_is_checked_that_was_not_listed_or_may_be_old_or_is_not_to_be() {
    let wrong = structured(&json!({ "sum": "3" }));
    let (client, mut far) = modern(builder()).await;
    call(&client, &mut far, "add", wrong.clone()).await.unwrap();

    let (client, mut far) = listed(builder().check_output(false), true).await;
    call(&client, &mut far, "add", wrong.clone()).await.unwrap();
    call(&client, &mut far, "bad", wrong.clone()).await.unwrap();

    let mut limits = ClientLimits::default();
    limits.schema_bytes = 10;
    let (client, mut far) = listed(builder().limits(limits), true).await;
    call(&client, &mut far, "add", wrong.clone()).await.unwrap();

    let (client, mut far) = listed(builder(), false).await;
    far.notify("notifications/tools/list_changed", json!({})).await;
    call(&client, &mut far, "add", wrong.clone()).await.unwrap();
    list(&client, &mut far, &sum("string")).await;
    call(&client, &mut far, "add", wrong).await.unwrap();
    assert!(call(&client, &mut far, "add", structured(&json!({ "sum": 3 }))).await.is_err());
}
