//! Starts the quickstart server, or the server given as arguments, and calls its tool, resource and prompt.

#![allow(clippy::print_stdout, reason = "this program is a client; its stdout does not carry the protocol")]

use ferromcp::model::ResourceContents;
use std::process::Command;

use anyhow::{Context, Result};
use ferromcp::prelude::*;
use ferromcp_examples::{example, text};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let server = match args.next() {
        Some(program) => {
            let mut command = Command::new(program);
            command.args(args);
            command
        }
        None => example("quickstart")?,
    };
    let client = Client::builder("try_quickstart", "1.0.0").connect(server).await?;
    let name = client.server_info().map_or("a server without a name".into(), |info| info.name);
    println!("connected to {name}, on revision {}", client.revision());
    for tool in client.tools().await? {
        println!("it has the tool `{}`: {}", tool.name, tool.description.unwrap_or_default());
    }
    let sum = client.call("add", json!({ "a": 2, "b": 3 })).await?;
    anyhow::ensure!(!sum.is_error(), "`add` failed: {}", text(&sum));
    println!("2 + 3 = {}", text(&sum));
    let greeting = client.read("greeting://Ada").await?;
    let greeting = greeting.contents.first().and_then(ResourceContents::as_text);
    println!("greeting://Ada contains: {}", greeting.context("the greeting is not text")?);
    let prompt = client.prompt("review_code", json!({ "code": "fn main() {}" })).await?;
    println!("`review_code` returns {} message", prompt.messages.len());
    client.close().await; // the server exits when its stdin closes
    println!("closed");
    Ok(())
}
