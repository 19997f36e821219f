//! An agent without a model: lists the tools of all servers it is given, and calls what is typed: `name {"json": "…"}`.

#![allow(clippy::print_stdout, reason = "this program is the client; no protocol runs on its stdout")]

use std::io::{BufRead, stdin};
use std::process::Command;

use anyhow::{Context, Result};
use ferromcp::prelude::*;
use serde_json::Value;

/// The servers, as `name=program` on the command line. One that does not start is told, and spoils nothing else.
async fn servers() -> Result<ClientGroup> {
    let mut group = ClientGroup::new();
    for server in std::env::args().skip(1) {
        let (name, program) = server.split_once('=').context("servers are given as name=program")?;
        let connected = Client::new("agent_loop", "1.0.0").connect(Command::new(program)).await;
        group = match connected {
            Ok(client) => group.with(name, client)?,
            Err(error) => group.with_failure(name, error)?,
        };
    }
    Ok(group)
}

/// One line: a tool's name, and its arguments as JSON.
async fn call(group: &ClientGroup, line: &str) -> Result<String> {
    let (tool, arguments) = line.split_once(' ').unwrap_or((line, "{}"));
    let arguments: Value = serde_json::from_str(arguments)?;
    let result = group.call(tool, arguments)?.await?;
    let said = if result.is_error() { "failed: " } else { "" };
    let text: Vec<&str> = result.content.iter().filter_map(ContentBlock::as_text).collect();
    Ok(format!("{said}{}", text.join("\n")))
}

#[tokio::main]
async fn main() -> Result<()> {
    let group = servers().await?;
    for (name, error) in group.failures() {
        println!("{name} is not there: {error}");
    }
    for tool in group.tools().await.into_items() {
        println!("{}: {}", tool.name, tool.description.unwrap_or_default());
    }
    for line in stdin().lock().lines() {
        match call(&group, line?.trim()).await {
            Ok(said) => println!("> {said}"),
            Err(error) => println!("> {error}"),
        }
    }
    group.close().await;
    Ok(())
}
