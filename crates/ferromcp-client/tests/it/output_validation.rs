//! Validation of structured output against output schemas.

use ferromcp_client::output::{OutputError, SchemaErrorKind};
use ferromcp_client::{Client, ClientBuilder, ClientError, ErrorKind};
use ferromcp_core::model::CallToolResult;
use serde_json::{Value, json};

use crate::script::{ScriptedServer, builder, legacy, modern, soon, text};

/// Connects a client and lists three tools: with a valid schema, with an invalid schema, and without a schema.
async fn connect_and_list(builder: ClientBuilder, modern_era: bool) -> (Client, ScriptedServer) {
    let (client, mut peer) = if modern_era { modern(builder).await } else { legacy(builder).await };
    list(&client, &mut peer, &sum("integer")).await;
    (client, peer)
}

fn sum(kind: &str) -> Value {
    json!({ "type": "object", "properties": { "sum": { "type": kind } }, "required": ["sum"] })
}

async fn list(client: &Client, peer: &mut ScriptedServer, schema: &Value) {
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
        let list = peer.expect("tools/list").await;
        peer.answer(&list, json!({ "tools": tools })).await;
    };
    soon(async { tokio::join!(async { client.tools().await }, script) }).await.0.unwrap();
}

async fn call(
    client: &Client,
    peer: &mut ScriptedServer,
    tool: &str,
    answer: Value,
) -> Result<CallToolResult, ClientError> {
    let script = async {
        let call = peer.expect("tools/call").await;
        peer.answer(&call, answer).await;
    };
    soon(async { tokio::join!(async { client.call(tool, ()).await }, script) }).await.0
}

fn structured(value: &Value) -> Value {
    json!({ "content": [], "structuredContent": value })
}

#[tokio::test]
async fn reports_location_when_output_does_not_match_schema() {
    // M26-338, S-253
    for era in [true, false] {
        let (client, mut peer) = connect_and_list(builder(), era).await;
        call(&client, &mut peer, "add", structured(&json!({ "sum": 3 }))).await.unwrap();
        let error = call(&client, &mut peer, "add", structured(&json!({ "sum": "3" }))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Output);
        assert!(matches!(error.output(), Some(OutputError::Mismatch(_))));
        assert!(error.to_string().contains("at /sum: expected an integer, got a string"), "{error}");
        let script = async {
            let call = peer.expect("tools/call").await;
            peer.answer(&call, structured(&json!({ "sum": "3" }))).await;
        };
        let typed = async { client.call_as::<Value>("add", ()).await };
        assert_eq!(soon(async { tokio::join!(typed, script) }).await.0.unwrap_err().kind(), ErrorKind::Output);
    }
}

#[tokio::test]
async fn reports_missing_structured_content_unless_tool_failed() {
    let (client, mut peer) = connect_and_list(builder(), true).await;
    let error = call(&client, &mut peer, "add", text("3")).await.unwrap_err();
    assert_eq!(error.output(), Some(&OutputError::Missing));
    let failed = json!({ "content": [], "isError": true });
    assert!(call(&client, &mut peer, "add", failed).await.unwrap().is_error());
}

#[tokio::test]
async fn only_its_own_tool_fails_when_schema_is_invalid() {
    let (client, mut peer) = connect_and_list(builder(), true).await;
    for _ in 0..2 {
        let error = call(&client, &mut peer, "bad", structured(&json!({}))).await.unwrap_err();
        let Some(OutputError::Schema(schema_error)) = error.output() else { panic!("{error}") };
        assert_eq!(schema_error.kind(), SchemaErrorKind::Reference);
    }
    call(&client, &mut peer, "add", structured(&json!({ "sum": 3 }))).await.unwrap();
    call(&client, &mut peer, "plain", text("anything")).await.unwrap();
}

#[tokio::test]
async fn skips_validation_when_schema_is_unknown_outdated_or_disabled() {
    let wrong = structured(&json!({ "sum": "3" }));
    let (client, mut peer) = modern(builder()).await;
    call(&client, &mut peer, "add", wrong.clone()).await.unwrap();

    let (client, mut peer) = connect_and_list(builder().validate_output(false), true).await;
    call(&client, &mut peer, "add", wrong.clone()).await.unwrap();
    call(&client, &mut peer, "bad", wrong.clone()).await.unwrap();

    let (client, mut peer) = connect_and_list(builder(), false).await;
    peer.notify("notifications/tools/list_changed", json!({})).await;
    call(&client, &mut peer, "add", wrong.clone()).await.unwrap();
    list(&client, &mut peer, &sum("string")).await;
    call(&client, &mut peer, "add", wrong).await.unwrap();
    assert!(call(&client, &mut peer, "add", structured(&json!({ "sum": 3 }))).await.is_err());
}
