//! Starts the quickstart server and has a whole round with it: what it offers, a call, a resource, a prompt.

#![allow(clippy::print_stdout, reason = "this program is the client; no protocol runs on its stdout")]

use std::process::Command;

use ferromcp::prelude::*;
use serde_json::json;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let client = Client::new("try_quickstart", "1.0.0").connect(server()).await?;
    let info = client.server_info().map(|info| format!("{} {}", info.name, info.version));
    println!("{} speaks {}", info.unwrap_or_default(), client.revision().as_str());
    for tool in client.tools().await? {
        println!("tool `{}`: {}", tool.name, tool.description.unwrap_or_default());
    }
    let sum: i64 = client.call_as("add", json!({ "a": 2, "b": 3 })).await?;
    println!("add(2, 3) = {sum}");
    let greeting = client.read("greeting://Ada").await?;
    println!("greeting://Ada: {}", greeting.contents[0].as_text().unwrap_or_default());
    let prompt = client.prompt("review_code", json!({ "code": "fn main() {}" })).await?;
    println!("prompt `review_code`: {} message", prompt.messages.len());
    client.close().await;
    Ok(())
}

/// The server that the arguments name, or else the quickstart.
fn server() -> Command {
    let mut args = std::env::args_os().skip(1);
    if let Some(program) = args.next() {
        let mut command = Command::new(program);
        command.args(args);
        return command;
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    cargo.args(["--bin", "quickstart"]);
    cargo
}
