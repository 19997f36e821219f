//! A small client: starts the server at the given path, lists its tools and calls one.

#![allow(clippy::print_stdout, reason = "this program is a client; its stdout does not carry the protocol")]

use std::process::Command;

use ferromcp::prelude::*;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), ClientError> {
    let server = std::env::args().nth(1).expect("usage: first_client PATH_OF_SERVER");
    let client = Client::builder("first_client", "1.0.0").connect(Command::new(server)).await?;
    for tool in client.tools().await? {
        println!("{}: {}", tool.name, tool.description.unwrap_or_default());
    }
    let sum: i64 = client.call_as("add", json!({ "a": 2, "b": 3 })).await?;
    println!("2 + 3 = {sum}");
    client.close().await;
    Ok(())
}
