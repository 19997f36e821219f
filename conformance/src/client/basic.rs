//! Scenarios with connections, tools, resources and prompts.

use ferromcp::model::CallToolResult;
use ferromcp::model::ContentBlock;
use ferromcp::prelude::*;
use serde_json::json;

use super::error::BoxError;
use super::run::Run;

/// Connects and closes the connection.
pub(super) async fn connect(run: &Run) -> Result<(), BoxError> {
    run.client().await?.close().await;
    Ok(())
}

/// Lists the tools.
pub(super) async fn list_tools(run: &Run) -> Result<(), BoxError> {
    let client = run.client().await?;
    client.tools().await?;
    client.close().await;
    Ok(())
}

/// Calls a tool that adds two numbers.
pub(super) async fn add_numbers(run: &Run) -> Result<(), BoxError> {
    let client = run.client().await?;
    require_tool(&client, "add_numbers").await?;
    let text = success_text(&client.call("add_numbers", json!({ "a": 5, "b": 3 })).await?)?;
    if !text.contains('8') {
        return Err(format!("unexpected sum of 5 and 3: {text:?}").into());
    }
    client.close().await;
    Ok(())
}

/// Lists tools, resources and prompts, and requests each of them.
pub(super) async fn call_everything(run: &Run) -> Result<(), BoxError> {
    let client = run.client().await?;
    for tool in client.tools().await? {
        success_text(&client.call(&tool.name, ()).await?)?;
    }
    for resource in client.resources().await? {
        client.read(&resource.uri).await?;
    }
    for prompt in client.prompts().await? {
        client.prompt(&prompt.name, ()).await?;
    }
    client.close().await;
    Ok(())
}

/// Calls a tool whose stream is closed before the response.
pub(super) async fn reconnect(run: &Run) -> Result<(), BoxError> {
    let client = run.client().await?;
    require_tool(&client, "test_reconnection").await?;
    success_text(&client.call("test_reconnection", ()).await?)?;
    client.close().await;
    Ok(())
}

/// Fails when the server does not list a tool.
pub(super) async fn require_tool(client: &Client, name: &str) -> Result<(), BoxError> {
    let tools = client.tools().await?;
    if tools.iter().any(|tool| tool.name == name) { Ok(()) } else { Err(format!("missing tool `{name}`").into()) }
}

/// Returns the text of a result; fails when `is_error` is set.
pub(super) fn success_text(result: &CallToolResult) -> Result<String, BoxError> {
    let texts = result.content.iter().filter_map(|block| match block {
        ContentBlock::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    let text = texts.collect::<Vec<_>>().join("\n");
    if result.is_error == Some(true) { Err(format!("the tool failed: {text}").into()) } else { Ok(text) }
}
