//! Concurrent questions, fallbacks for clients without a capability, URL elicitation, and roots.

use std::path::Path;
use std::time::Duration;

use ferromcp::prelude::*;
use ferromcp::server::Question;

/// Set up a new user
#[tool]
async fn set_up(ctx: Ctx) -> Result<String, ToolError> {
    let (name, city) = tokio::join!(
        ctx.elicit::<String>("What is your name?"),
        ctx.elicit::<String>("Where do you live?").key("city"),
    );
    Ok(format!("{} of {}", name?, city?))
}

/// Count the words of a file
#[tool]
async fn count_words(path: String, ctx: Ctx) -> Result<String, ToolError> {
    let path = std::fs::canonicalize(path)?; // resolves symbolic links that could leave a root
    if ctx.can_list_roots() && !ctx.roots().await?.contains_path(&path) {
        return Err(ToolError::new("this file is outside of the client's roots"));
    }
    let limit = ctx.elicit::<u32>("How many words at most?").or(1000).timeout(Duration::from_secs(60)).await?;
    let text = tokio::fs::read_to_string(path).await?;
    Ok(format!("{} words", text.split_whitespace().take(limit as usize).count()))
}

/// Connect an account of the user
#[tool]
async fn connect(ctx: Ctx) -> Result<String, ToolError> {
    if !ctx.can_elicit_url() {
        return Err(ToolError::new("ask the user to sign in at https://example.com/connect"));
    }
    let id = ctx.new_id(); // the same id when the handler runs again
    let url = format!("https://example.com/connect?visit={id}");
    ctx.elicit_url("Sign in to Example, please", url).id(id).await?;
    Ok("the user was sent to sign in; call again when they have".into())
}

/// Read the user's calendar
#[tool]
async fn calendar(ctx: Ctx) -> Result<String, ToolError> {
    while !has_calendar_token() {
        ctx.require_urls([Question::url("Connect your calendar", "https://example.com/calendar")]).await?;
    }
    Ok("no events today".into())
}

/// Returns whether the page at `https://example.com/calendar` has stored a token.
fn has_calendar_token() -> bool {
    Path::new("calendar.token").exists()
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("At once", "1.0.0")
        .tool::<set_up>()
        .tool::<count_words>()
        .tool::<connect>()
        .tool::<calendar>()
        .serve(stdio())
        .await
}
