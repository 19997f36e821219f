//! Sampling: one request to the client's model, and a conversation with a tool.

use ferromcp::core::RawJson;
use ferromcp::model::ContentBlock;
use ferromcp::model::{ToolDefinition, ToolResultContent};
use ferromcp::prelude::*;
use ferromcp::server::Sample;

/// Summarize a text in one sentence
#[tool]
async fn summarize(text: String, ctx: Ctx) -> Result<String, ToolError> {
    let sample = Sample::new(text).system("Answer in one sentence.").max_tokens(100).prefer_model("small");
    Ok(ctx.sample(sample).await?.text())
}

/// Check whether it is warm in a city
#[tool]
async fn is_warm(city: String, ctx: Ctx) -> Result<String, ToolError> {
    let schema = RawJson::parse(r#"{ "type": "object", "properties": { "city": { "type": "string" } } }"#)?;
    let mut sample = Sample::new(format!("Is it warm in {city}?")).tool(ToolDefinition::new("temperature", schema));
    for _ in 0..4 {
        let response = ctx.sample(sample.clone()).await?;
        let tool_uses: Vec<_> = response.tool_uses().collect();
        if tool_uses.is_empty() {
            return Ok(response.text());
        }
        let results = tool_uses.iter().map(|tool| ToolResultContent::new(&tool.id, vec![ContentBlock::text("21 °C")]));
        sample = sample.tool_results(&response, results);
    }
    Err(ToolError::new("the model did not finish within the allowed number of turns"))
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Model", "1.0.0").tool::<summarize>().tool::<is_warm>().serve(stdio()).await
}
