//! The official conformance suite, run against a server and a client of ours that offer all the suite asks for.
//!
//! The suite is pinned by `xtask/conformance` and installed under `target/conformance`. Each revision it has a list of
//! requirements for is run as a whole; the lists name what is required, and what is run beside that and never scored.
//!
//! | file | what |
//! |---|---|
//! | `install` | the suite, and the Node that runs it |
//! | `leg`, `server`, `client` | the two sides, and a run of each |
//! | `requirements` | what a revision requires |
//! | `process` | our programs, the suite's runs, their time limits |
//! | `checks` | what a scenario found |
//! | `report` | the table, and what is wrong |
//!
//! Suite: <https://github.com/modelcontextprotocol/conformance>.

mod checks;
mod client;
mod install;
mod leg;
mod process;
mod report;
mod requirements;
mod server;

use std::path::Path;

use anyhow::{Result, bail};

use crate::outcome::Outcome;
use leg::Leg;
use report::Report;

/// Runs every scenario for servers, prints the table, and fails when one that is to pass does not.
pub fn server(root: &Path) -> Result<Outcome> {
    told(root, Leg::Server, &server::run(root)?).map(Outcome::Noted)
}

/// The same for clients.
pub fn client(root: &Path) -> Result<Outcome> {
    told(root, Leg::Client, &client::run(root)?).map(Outcome::Noted)
}

/// Both, also where the first fails.
pub fn both(root: &Path) -> Result<Outcome> {
    let server = server::run(root).and_then(|report| told(root, Leg::Server, &report));
    let client = client::run(root).and_then(|report| told(root, Leg::Client, &report));
    match (server, client) {
        (Ok(server), Ok(client)) => Ok(Outcome::Noted(format!("server: {server}; client: {client}"))),
        (Err(server), Err(client)) => bail!("{server:#}; {client:#}"),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// Prints the table and what is wrong, and gives the numbers where nothing is.
fn told(root: &Path, leg: Leg, report: &Report) -> Result<String> {
    println!("\n{report}");
    let faults = report.faults();
    if faults.is_empty() {
        return Ok(report.summary());
    }
    println!("\n{}", faults.join("\n"));
    let count = if faults.len() == 1 {
        "1 scenario is not as it should be".to_owned()
    } else {
        format!("{} scenarios are not as they should be", faults.len())
    };
    bail!("conformance of the {}: {count}; everything is in {}", leg.name(), install::results(root, leg).display());
}
