//! Scenarios about schemas as tools carry them.

use serde_json::json;

use super::failed::Failed;
use super::plain::text;
use super::run::Run;

/// Gives a tool's schema back as it came.
pub(super) async fn echo(run: &Run) -> Result<(), Failed> {
    let client = run.client().await?;
    let tools = client.tools().await?;
    let tool = tools.iter().find(|tool| tool.name == "json_schema_2020_12_tool").ok_or("there is no such tool")?;
    text(&client.call("json_schema_echo", json!({ "schema": tool.input_schema })).await?)?;
    client.close().await;
    Ok(())
}
