//! Scenarios about tools whose arguments are repeated in headers.

use ferromcp::core::RawJson;
use serde_json::{Map, Value, json};

use super::failed::Failed;
use super::plain::text;
use super::run::Run;

/// Makes the calls that the scenario tells.
pub(super) async fn told(run: &Run) -> Result<(), Failed> {
    let client = run.client().await?;
    client.tools().await?;
    let calls = run.context()["toolCalls"].as_array().ok_or("the scenario tells no calls")?;
    for call in calls {
        let name = call["name"].as_str().ok_or("a call has no name")?;
        text(&client.call(name, &call["arguments"]).await?)?;
    }
    client.close().await;
    Ok(())
}

/// Calls every tool that the library lists: it leaves out those whose headers cannot be made.
pub(super) async fn good_tools(run: &Run) -> Result<(), Failed> {
    let client = run.client().await?;
    let tools = client.tools().await?;
    if tools.is_empty() {
        return Err("not one tool is left".into());
    }
    for tool in tools {
        text(&client.call(&tool.name, arguments(&tool.input_schema)?).await?)?;
    }
    client.close().await;
    Ok(())
}

/// Arguments that a schema of plain properties takes.
fn arguments(schema: &RawJson) -> Result<Map<String, Value>, Failed> {
    let schema: Value = schema.decode()?;
    let properties = schema["properties"].as_object().into_iter().flatten();
    let fill = |(name, property): (&String, &Value)| {
        let value = match property["type"].as_str() {
            Some("integer" | "number") => json!(1),
            Some("boolean") => json!(true),
            _ => json!("x"),
        };
        (name.clone(), value)
    };
    Ok(properties.map(fill).collect())
}
