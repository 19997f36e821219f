//! Scenarios that need no more than a client.

use ferromcp::model::CallToolResult;
use ferromcp::prelude::*;
use serde_json::json;

use super::failed::Failed;
use super::run::Run;

/// Connects and leaves.
pub(super) async fn connect(run: &Run) -> Result<(), Failed> {
    run.client().await?.close().await;
    Ok(())
}

/// Lists the tools.
pub(super) async fn list(run: &Run) -> Result<(), Failed> {
    let client = run.client().await?;
    client.tools().await?;
    client.close().await;
    Ok(())
}

/// Adds two numbers.
pub(super) async fn add(run: &Run) -> Result<(), Failed> {
    let client = run.client().await?;
    has(&client, "add_numbers").await?;
    let said = text(&client.call("add_numbers", json!({ "a": 5, "b": 3 })).await?)?;
    if !said.contains('8') {
        return Err(format!("5 and 3 are not {said:?}").into());
    }
    client.close().await;
    Ok(())
}

/// Lists all there is, and asks for each thing in it.
pub(super) async fn everything(run: &Run) -> Result<(), Failed> {
    let client = run.client().await?;
    for tool in client.tools().await? {
        text(&client.call(&tool.name, ()).await?)?;
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

/// Calls a tool whose stream is closed on the way.
pub(super) async fn reconnection(run: &Run) -> Result<(), Failed> {
    let client = run.client().await?;
    has(&client, "test_reconnection").await?;
    text(&client.call("test_reconnection", ()).await?)?;
    client.close().await;
    Ok(())
}

/// That the server lists this tool.
pub(super) async fn has(client: &Client, name: &str) -> Result<(), Failed> {
    let tools = client.tools().await?;
    if tools.iter().any(|tool| tool.name == name) { Ok(()) } else { Err(format!("there is no tool `{name}`").into()) }
}

/// The text of a result that is no failure.
pub(super) fn text(result: &CallToolResult) -> Result<String, Failed> {
    let texts = result.content.iter().filter_map(|block| match block {
        ContentBlock::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    let said = texts.collect::<Vec<_>>().join("\n");
    if result.is_error == Some(true) { Err(format!("the tool failed: {said}").into()) } else { Ok(said) }
}
