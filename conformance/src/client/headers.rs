//! Scenarios with tools whose arguments are mirrored in headers.

use ferromcp::core::RawJson;
use serde_json::{Map, Value, json};

use super::basic::success_text;
use super::error::BoxError;
use super::run::Run;

/// Makes the calls listed in the scenario context.
pub(super) async fn declared_calls(run: &Run) -> Result<(), BoxError> {
    let client = run.client().await?;
    client.tools().await?;
    let calls = run.context()["toolCalls"].as_array().ok_or("missing `toolCalls` in the scenario context")?;
    for call in calls {
        let name = call["name"].as_str().ok_or("missing `name` of a call")?;
        success_text(&client.call(name, &call["arguments"]).await?)?;
    }
    client.close().await;
    Ok(())
}

/// Calls all listed tools; the library omits tools with invalid header annotations.
pub(super) async fn valid_tools(run: &Run) -> Result<(), BoxError> {
    let client = run.client().await?;
    let tools = client.tools().await?;
    if tools.is_empty() {
        return Err("no valid tools were listed".into());
    }
    for tool in tools {
        success_text(&client.call(&tool.name, sample_arguments(&tool.input_schema)?).await?)?;
    }
    client.close().await;
    Ok(())
}

/// Returns valid arguments for a schema with simple properties.
fn sample_arguments(schema: &RawJson) -> Result<Map<String, Value>, BoxError> {
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
