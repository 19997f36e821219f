//! An agent loop without a model: reads `server_tool {json}` lines from stdin and calls the tools of several servers.
//!
//! Each argument is a server in the form `name=program arguments`. Default: two of the example servers.

#![allow(clippy::print_stdout, reason = "this program is a client; its stdout does not carry the protocol")]

use std::io;
use std::process::Command;

use anyhow::{Context, Result};
use ferromcp::client::ClientGroup;
use ferromcp::core::RawJson;
use ferromcp::prelude::*;
use ferromcp_examples::{example, text};

#[tokio::main]
async fn main() -> Result<()> {
    let mut group = ClientGroup::new();
    for (name, command) in servers()? {
        group = group.with_target(name, Client::builder("agent_loop", "1.0.0"), command).await?;
    }
    let listing = group.tools().await;
    for (name, error) in &listing.failures {
        println!("! {name} is not there: {error}");
    }
    for tool in listing.into_items() {
        println!("{} - {}", tool.name, tool.description.unwrap_or_default());
    }
    // Blocking the main thread on user input is fine: the connections run on other threads.
    for line in io::stdin().lines() {
        match call(&group, line?.trim()).await {
            Ok(said) => println!("{said}"),
            Err(error) => println!("! {error}"), // a model would read the error and correct its call
        }
    }
    group.close().await;
    Ok(())
}

async fn call(group: &ClientGroup, line: &str) -> Result<String> {
    let (tool, arguments) = line.split_once(' ').unwrap_or((line, "{}"));
    let result = group.call(tool, RawJson::parse(arguments)?)?.await?;
    Ok(format!("{}{}", if result.is_error() { "! " } else { "" }, text(&result)))
}

fn servers() -> Result<Vec<(String, Command)>> {
    let named = |arg: String| {
        let (name, words) = arg.split_once('=').context("a server is `name=program and its arguments`")?;
        let mut words = words.split_whitespace();
        let mut command = Command::new(words.next().context("a server has a program")?);
        command.args(words);
        Ok((name.to_owned(), command))
    };
    let given: Vec<_> = std::env::args().skip(1).map(named).collect::<Result<_>>()?;
    let examples = || ["quickstart", "orders"].map(|name| Ok((name.to_owned(), example(name)?))).into_iter().collect();
    if given.is_empty() { examples() } else { Ok(given) }
}
