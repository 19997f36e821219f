//! A tool with nested and optional arguments and errors for the model.

use ferromcp::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Line {
    article: String,
    /// Quantity
    #[serde(default = "one")]
    count: u32,
}

fn one() -> u32 {
    1
}

/// Order articles
#[tool(annotations(destructive = false))]
async fn order(
    #[arg(length(1..=20))] name: String,
    lines: Vec<Line>,
    note: Option<String>,
    #[arg(default)] gift: bool,
) -> Result<String, ToolError> {
    if let Some(line) = lines.iter().find(|line| line.article != "tea") {
        return Err(ToolError::new(format!("there is no `{}`, only `tea`", line.article)));
    }
    let count: u32 = lines.iter().map(|line| line.count).sum();
    let wrapped = if gift { ", wrapped" } else { "" };
    Ok(format!("{count} tea for {name}{wrapped}{}", note.map(|note| format!(" ({note})")).unwrap_or_default()))
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Orders", "1.0.0").tool::<order>().serve(stdio()).await
}
