//! Questions to the client's model: one answer, and a conversation in which it has a tool.

use ferromcp::core::RawJson;
use ferromcp::model::{self, CreateMessageResult, SamplingContent, ToolResultContent, ToolUseContent};
use ferromcp::prelude::*;
use ferromcp::server::Sample;

/// Say in one sentence what a text says
#[tool]
async fn summarize(text: String, ctx: Ctx) -> Result<String, ToolError> {
    let sample = Sample::new(text).system("Answer in one sentence.").max_tokens(100).prefer_model("small");
    Ok(words(&ctx.sample(sample).await?))
}

/// Say whether it is warm somewhere
#[tool]
async fn is_warm(city: String, ctx: Ctx) -> Result<String, ToolError> {
    let schema = RawJson::parse(r#"{ "type": "object", "properties": { "city": { "type": "string" } } }"#)?;
    let mut sample = Sample::new(format!("Is it warm in {city}?")).tool(model::Tool::new("temperature", schema));
    for _ in 0..4 {
        let said = ctx.sample(sample.clone()).await?;
        let wanted: Vec<&ToolUseContent> = said.content.iter().filter_map(wants).collect();
        if wanted.is_empty() {
            return Ok(words(&said));
        }
        let results = wanted.iter().map(|tool| ToolResultContent::new(&tool.id, vec![ContentBlock::text("21 °C")]));
        sample = sample.answered(&said, results);
    }
    Err(ToolError::new("the model never came to an end"))
}

/// What the model says in words.
fn words(said: &CreateMessageResult) -> String {
    let text = |block: &SamplingContent| match block {
        SamplingContent::Text(text) => Some(text.text.clone()),
        _ => None,
    };
    said.content.iter().filter_map(text).collect()
}

/// The tool that the model wants called.
fn wants(block: &SamplingContent) -> Option<&ToolUseContent> {
    match block {
        SamplingContent::ToolUse(wanted) => Some(wanted),
        _ => None,
    }
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Model", "1.0.0").tool::<summarize>().tool::<is_warm>().serve(stdio()).await
}
