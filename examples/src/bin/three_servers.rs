//! A client of three servers: notes and a counter over stdio, and a counter over HTTP. It asks its user before a
//! deletion, shows progress and changes, and continues when a server is down.
//!
//! The arguments are the program of the notes server, the program of the counter server, and the URL of the other counter
//! server, which `cargo run -p ferromcp-examples --bin counter -- 8000` starts. By default, the first two are built.

#![allow(clippy::print_stdout, reason = "this program is a client; its stdout does not carry the protocol")]

use std::io;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use ferromcp::client::{Change, ChangeFilter, ClientGroup, Subscription, accept, cancel};
use ferromcp::core::Error;
use ferromcp::model::{ElicitResult, FormParams};
use ferromcp::prelude::*;
use ferromcp_examples::{example, example_with_feature, text};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

#[tokio::main]
async fn main() -> Result<()> {
    let group = connect().await?;
    let tools = group.tools().await;
    for (name, error) in &tools.failures {
        println!("! {name} is down: {error}");
    }
    for tool in tools.into_items() {
        println!("{}: {}", tool.name, tool.description.unwrap_or_default());
    }

    let texts: Vec<_> = (1..=25).map(|number| format!("note {number}")).collect();
    run(&group, "notes_import_notes", json!({ "texts": texts })).await;
    let changes = group.subscribe("notes", ChangeFilter::new().resource("note://1")).await;
    run(&group, "notes_delete_note", json!({ "id": 1 })).await;
    match changes {
        Ok(changes) => print_changes(changes).await,
        Err(error) => println!("! cannot subscribe to notes: {error}"),
    }
    run(&group, "local_increment", json!({})).await;
    run(&group, "remote_increment", json!({})).await;

    let resources = group.resources().await;
    println!("{} resources", resources.into_items().len());
    group.close().await;
    Ok(())
}

/// Connects to the servers. A server that is down stays in the group: later calls try to connect again.
async fn connect() -> Result<ClientGroup> {
    let mut args = std::env::args().skip(1);
    let mut notes = args.next().map_or_else(|| example_with_feature("notes"), |program| Ok(Command::new(program)))?;
    notes.arg(":memory:"); // SQLite's name of a database in memory
    let counter = args.next().map_or_else(|| example("counter"), |program| Ok(Command::new(program)))?;
    let url = args.next().unwrap_or_else(|| "http://127.0.0.1:8000/mcp".to_owned());

    let client = || Client::builder("three_servers", "1.0.0").on_form(confirm);
    let group = ClientGroup::new().with_target("notes", client(), notes).await?;
    let group = group.with_target("local", client(), counter).await?;
    Ok(group.with_target("remote", client(), url).await?)
}

/// Calls a tool and prints its progress, and its result or error.
async fn run(group: &ClientGroup, tool: &str, arguments: Value) {
    let call = match group.call(tool, arguments) {
        Ok(call) => call.on_progress(|progress| println!("  {}", progress.message.unwrap_or_default())),
        Err(error) => return println!("! {tool}: {error}"), // no server has this prefix, or its configuration is invalid
    };
    match call.await {
        Ok(result) if result.is_error() => println!("! {tool}: {}", text(&result)),
        Ok(result) => println!("{tool}: {}", text(&result)),
        Err(error) => println!("! {tool}: {error}"),
    }
}

/// Prints changes until half a second passes without one.
async fn print_changes(mut changes: Subscription) {
    while let Ok(Some(change)) = timeout(Duration::from_millis(500), changes.next()).await {
        match change {
            Ok(Change::Resource(uri)) => println!("{uri} changed"),
            Ok(Change::Resources) => println!("the list of resources changed"),
            Ok(Change::Gap) => println!("changes may be missing: list and read everything again"),
            Ok(_) => {}
            Err(error) => return println!("! the subscription failed: {error}"),
        }
    }
}

/// Asks the user to confirm with `y`. The answer applies to each field, because confirmations have a single `bool`.
async fn confirm(form: FormParams) -> Result<ElicitResult, Error> {
    println!("{} (y/n)", form.message);
    let line = tokio::task::spawn_blocking(|| io::stdin().lines().next().transpose()).await;
    match line.map_err(|error| Error::internal(error.to_string()))? {
        Ok(Some(line)) => {
            let yes = Value::from(line.trim() == "y");
            let content: Map<_, _> =
                form.requested_schema.properties.into_iter().map(|(name, _)| (name, yes.clone())).collect();
            accept(&content)
        }
        Ok(None) => Ok(cancel()), // end of input: the user is gone
        Err(error) => Err(Error::internal(error.to_string())),
    }
}
