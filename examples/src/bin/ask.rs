//! The shortest tool that asks its client in the middle.

use ferromcp::prelude::*;

/// Take a note
#[tool]
async fn note(ctx: Ctx) -> Result<String, ToolError> {
    let text = ctx.elicit::<String>("What is to be noted?").await?;
    Ok(format!("Noted: {text}"))
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Notes", "1.0.0").tool::<note>().serve(stdio()).await
}
