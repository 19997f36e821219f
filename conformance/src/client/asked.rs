//! Scenarios in which the server asks.

use ferromcp::prelude::*;
use serde_json::json;

use super::failed::Failed;
use super::plain::{has, text};
use super::run::Run;

/// Accepts a form and fills in nothing: the defaults of its schema are the library's matter.
pub(super) async fn defaults(run: &Run) -> Result<(), Failed> {
    let client = run.connect(run.builder().on_form(|_| async { accept(&json!({})) })).await?;
    has(&client, "test_client_elicitation_defaults").await?;
    text(&client.call("test_client_elicitation_defaults", ()).await?)?;
    client.close().await;
    Ok(())
}

/// Calls every tool there is, some of which answer with questions, with and without a state; all at once, so that
/// none may be given what belongs to another.
pub(super) async fn rounds(run: &Run) -> Result<(), Failed> {
    let client = run.connect(run.builder().on_form(|_| async { accept(&json!({ "confirmed": true })) })).await?;
    let calls: Vec<_> =
        client.tools().await?.into_iter().map(|tool| tokio::spawn(call(client.clone(), tool.name))).collect();
    for call in calls {
        call.await??;
    }
    client.close().await;
    Ok(())
}

async fn call(client: Client, tool: String) -> Result<(), Failed> {
    let said = text(&client.call(&tool, ()).await?)?;
    if said.is_empty() { Err(format!("`{tool}` said nothing").into()) } else { Ok(()) }
}
