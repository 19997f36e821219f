//! Runs the official conformance suite against the server and the client of `ferromcp-conformance`.
//!
//! The suite is pinned by `xtask/conformance` and installed under `target/conformance`. It contains one list of
//! requirements per protocol revision, with required and unscored scenarios; all of them run.
//!
//! | module | contents |
//! |---|---|
//! | `install` | installation of the suite and of Node |
//! | `suite_side`, `server`, `client` | the two sides, and a run of each |
//! | `requirements` | the scenarios of a revision |
//! | `process` | child processes and their timeouts |
//! | `checks` | the results of a scenario |
//! | `report` | the result table and the failures |
//!
//! Suite: <https://github.com/modelcontextprotocol/conformance>.

mod checks;
mod client;
mod install;
mod process;
mod report;
mod requirements;
mod server;
mod suite_side;

use std::path::Path;

use anyhow::{Result, bail};

use crate::outcome::Outcome;
use report::Report;
use suite_side::SuiteSide;

/// Runs all server scenarios and prints the result table.
///
/// # Errors
/// When the suite cannot run, or a scenario that must pass fails.
pub fn server(root: &Path) -> Result<Outcome> {
    print_report(root, SuiteSide::Server, &server::run(root)?).map(Outcome::Noted)
}

/// Runs all client scenarios and prints the result table.
///
/// # Errors
/// When the suite cannot run, or a scenario that must pass fails.
pub fn client(root: &Path) -> Result<Outcome> {
    print_report(root, SuiteSide::Client, &client::run(root)?).map(Outcome::Noted)
}

/// Runs server and client scenarios, even when the server scenarios fail.
///
/// # Errors
/// As for [`server()`] and [`client()`].
pub fn both(root: &Path) -> Result<Outcome> {
    let server = server::run(root).and_then(|report| print_report(root, SuiteSide::Server, &report));
    let client = client::run(root).and_then(|report| print_report(root, SuiteSide::Client, &report));
    match (server, client) {
        (Ok(server), Ok(client)) => Ok(Outcome::Noted(format!("server: {server}; client: {client}"))),
        (Err(server), Err(client)) => bail!("{server:#}; {client:#}"),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

/// Prints the table and the failures; returns the summary when all scenarios pass that must pass.
fn print_report(root: &Path, side: SuiteSide, report: &Report) -> Result<String> {
    println!("\n{report}");
    let failures = report.failures();
    if failures.is_empty() {
        return Ok(report.summary());
    }
    println!("\n{}", failures.join("\n"));
    let count = if failures.len() == 1 {
        "1 scenario failed".to_owned()
    } else {
        format!("{} scenarios failed", failures.len())
    };
    bail!("conformance of the {}: {count}; see the results in {}", side.name(), install::results(root, side).display());
}
