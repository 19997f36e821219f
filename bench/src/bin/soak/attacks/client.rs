//! Attacks of a server on its client: the server runs in a child process of the client.

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use ferromcp::core::Revision;
use serde_json::{Value, json};

use crate::process::Process;

/// The longest time that an attack is observed.
const OBSERVED: Duration = Duration::from_secs(180);
/// The length of a cursor.
const CURSOR: usize = 5_000_000;

/// An attack on the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAttack {
    /// Every result requires another round without a question.
    Rounds,
    /// Every page of a list has a large cursor.
    Pages,
}

/// The figures of an attack on the client.
pub(crate) struct ClientFigures {
    pub(crate) peak: usize,
    pub(crate) outcome: String,
}

impl ClientAttack {
    pub(crate) const ALL: [Self; 2] = [Self::Rounds, Self::Pages];

    /// Returns the name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rounds => "client-rounds",
            Self::Pages => "client-pages",
        }
    }

    /// Returns what the attack does.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Rounds => "a server that answers each round with a state and no question; the call may take 6 s",
            Self::Pages => "a server whose list has pages with cursors of 5 MB",
        }
    }

    /// Runs the client, whose server is this program.
    pub(crate) fn run(self, client: &Path) -> anyhow::Result<ClientFigures> {
        let mode = self.name().trim_start_matches("client-");
        let server = std::env::current_exe().context("cannot find this program")?;
        let mut process = Process::start(Command::new(client).arg(mode).arg(server).arg("hostile-server"))?;
        let started = Instant::now();
        while !process.has_exited() && started.elapsed() < OBSERVED {
            std::thread::sleep(Duration::from_millis(50));
        }
        let outcome = if process.memory.is_exceeded() {
            "stopped at the memory ceiling".to_owned()
        } else if process.has_exited() {
            process.first_line()?.chars().take(100).collect()
        } else {
            format!("still running after {} s", OBSERVED.as_secs())
        };
        Ok(ClientFigures { peak: process.memory.take_peak(), outcome })
    }
}

/// Serves stdio: a modern server that is hostile in its results.
pub(crate) fn serve(input: impl BufRead, mut output: impl Write) -> anyhow::Result<()> {
    for (number, line) in input.lines().enumerate() {
        let request: Value = serde_json::from_str(&line?)?;
        let Some(id) = request.get("id") else { continue };
        let result = match request["method"].as_str().unwrap_or_default() {
            "server/discover" => discover(),
            "tools/call" => json!({ "resultType": "input_required", "requestState": format!("state {number}") }),
            "tools/list" => {
                let cursor = format!("{number} {}", "x".repeat(CURSOR));
                let mut page = json!({ "tools": [], "nextCursor": cursor });
                complete(&mut page);
                page
            }
            _ => json!({}),
        };
        let response = json!({ "jsonrpc": "2.0", "id": id, "result": result });
        writeln!(output, "{response}")?;
        output.flush()?;
    }
    Ok(())
}

fn discover() -> Value {
    let mut result = json!({
        "supportedVersions": [Revision::LATEST.as_str()],
        "capabilities": { "tools": {} },
        "serverInfo": { "name": "hostile", "version": "1" },
    });
    complete(&mut result);
    result
}

/// Adds the fields of a complete result that may be cached.
fn complete(result: &mut Value) {
    result["resultType"] = "complete".into();
    result["ttlMs"] = 0.into();
    result["cacheScope"] = "private".into();
}
