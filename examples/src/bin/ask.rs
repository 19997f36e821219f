//! The shortest tool with an elicitation.

use ferromcp::prelude::*;

/// Take a note
#[tool]
async fn note(ctx: Ctx) -> Result<String, ToolError> {
    let text = ctx.elicit::<String>("What should I write down?").await?;
    Ok(format!("Noted: {text}"))
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Notes", "1.0.0").tool::<note>().serve(stdio()).await
}
