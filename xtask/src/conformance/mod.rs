//! Runs the official conformance suite against the server, the client and the authorization server of
//! `ferromcp-conformance`.
//!
//! The suite is pinned by `xtask/conformance` and installed under `target/conformance`. It contains one list of
//! requirements per protocol revision, with required and unscored scenarios; all of them run.
//!
//! | module | contents |
//! |---|---|
//! | `install` | installation of the suite and of Node |
//! | `suite_side`, `server`, `client`, `authorization` | what the suite tests, and a run of each |
//! | `requirements` | the scenarios of a revision |
//! | `process` | child processes and their timeouts |
//! | `checks` | the results of a scenario |
//! | `report` | the result table and the failures |
//!
//! Suite: <https://github.com/modelcontextprotocol/conformance>.

mod authorization;
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

/// Runs the authorization server scenarios and prints the result table.
///
/// # Errors
/// When the suite cannot run, or a scenario fails.
pub fn authorization(root: &Path) -> Result<Outcome> {
    print_report(root, SuiteSide::AuthorizationServer, &authorization::run(root)?).map(Outcome::Noted)
}

/// Runs all scenarios, even when those of one side fail.
///
/// # Errors
/// As for [`server()`], [`client()`] and [`authorization()`].
pub fn all(root: &Path) -> Result<Outcome> {
    let (mut notes, mut errors) = (Vec::new(), Vec::new());
    for side in [SuiteSide::Server, SuiteSide::Client, SuiteSide::AuthorizationServer] {
        let report = match side {
            SuiteSide::Server => server::run(root),
            SuiteSide::Client => client::run(root),
            SuiteSide::AuthorizationServer => authorization::run(root),
        };
        match report.and_then(|report| print_report(root, side, &report)) {
            Ok(note) => notes.push(format!("{}: {note}", side.name())),
            Err(error) => errors.push(format!("{error:#}")),
        }
    }
    if !errors.is_empty() {
        bail!("{}", errors.join("; "));
    }
    Ok(Outcome::Noted(notes.join("; ")))
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
