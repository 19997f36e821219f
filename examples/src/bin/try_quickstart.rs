//! Starts the quickstart server and has a whole round with it, in JSON lines over its pipes, all of them shown.

#![allow(clippy::print_stdout, reason = "this program is the client; no protocol runs on its stdout")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use ferromcp::core::meta::key;
use ferromcp::prelude::Revision;
use serde_json::{Value, json};

fn main() -> Result<()> {
    let mut child =
        server().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("the server does not start")?;
    let mut requests = child.stdin.take().context("stdin is piped")?;
    let mut answers = BufReader::new(child.stdout.take().context("stdout is piped")?).lines();
    for (id, (method, mut params)) in round().into_iter().enumerate() {
        params["_meta"] = json!({ key::PROTOCOL_VERSION: Revision::LATEST, key::CLIENT_CAPABILITIES: {} });
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        println!("> {request}");
        writeln!(requests, "{request}")?;
        let answer = answers.next().context("the server hung up")??;
        println!("< {answer}\n");
        let answer: Value = serde_json::from_str(&answer)?;
        anyhow::ensure!(answer["id"] == id && answer.get("result").is_some(), "`{method}` failed");
    }
    drop(requests); // the server ends when its input does
    let status = child.wait()?;
    println!("the server ended: {status}");
    anyhow::ensure!(status.success(), "the server failed");
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

fn round() -> [(&'static str, Value); 5] {
    [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("tools/call", json!({ "name": "add", "arguments": { "a": 2, "b": 3 } })),
        ("resources/read", json!({ "uri": "greeting://Ada" })),
        ("prompts/get", json!({ "name": "review_code", "arguments": { "code": "fn main() {}" } })),
    ]
}
