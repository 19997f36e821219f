//! Scenarios with tool schemas.

use serde_json::json;

use super::basic::success_text;
use super::error::BoxError;
use super::run::Run;

/// Sends the input schema of a tool back to the server unchanged.
pub(super) async fn echo(run: &Run) -> Result<(), BoxError> {
    let client = run.client().await?;
    let tools = client.tools().await?;
    let tool = tools
        .iter()
        .find(|tool| tool.name == "json_schema_2020_12_tool")
        .ok_or("missing tool `json_schema_2020_12_tool`")?;
    success_text(&client.call("json_schema_echo", json!({ "schema": tool.input_schema })).await?)?;
    client.close().await;
    Ok(())
}
