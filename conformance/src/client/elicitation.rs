//! Scenarios with elicitation.

use ferromcp::client::accept;
use ferromcp::prelude::*;
use serde_json::json;

use super::basic::{require_tool, success_text};
use super::error::BoxError;
use super::run::Run;

/// Accepts a form without values; the library applies the defaults of the schema.
pub(super) async fn form_defaults(run: &Run) -> Result<(), BoxError> {
    let client = run.connect(run.builder().on_form(|_| async { accept(&json!({})) })).await?;
    require_tool(&client, "test_client_elicitation_defaults").await?;
    success_text(&client.call("test_client_elicitation_defaults", ()).await?)?;
    client.close().await;
    Ok(())
}

/// Calls all tools concurrently. Some return `input_required` results, with and without a request state; the states must
/// not be mixed up.
pub(super) async fn multi_round(run: &Run) -> Result<(), BoxError> {
    let client = run.connect(run.builder().on_form(|_| async { accept(&json!({ "confirmed": true })) })).await?;
    let calls: Vec<_> =
        client.tools().await?.into_iter().map(|tool| tokio::spawn(call(client.clone(), tool.name))).collect();
    for call in calls {
        call.await??;
    }
    client.close().await;
    Ok(())
}

async fn call(client: Client, tool: String) -> Result<(), BoxError> {
    let text = success_text(&client.call(&tool, ()).await?)?;
    if text.is_empty() { Err(format!("`{tool}` returned no text").into()) } else { Ok(()) }
}
