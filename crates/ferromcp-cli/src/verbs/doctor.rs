//! `mcp doctor`: finds problems of a server, or of the hosts on this machine.

use super::host_options::machine;
use crate::cli::{Connection, Doctor};
use crate::doctor::finding::{Finding, exit, print};
use crate::doctor::{host_file, server, started, stored};
use crate::exit::{Exit, Failure};
use crate::hosts::table;
use crate::logs::Warnings;
use crate::target::{self, Source};

/// Runs the checks, and prints their results.
///
/// # Errors
/// Fails silently with the exit code of the first problem.
pub(crate) async fn run(args: Doctor) -> Result<(), Failure> {
    let warnings = Warnings::collect(args.connection.verbose);
    let findings = if args.words.words.is_empty() && args.words.command.is_empty() {
        reject_options(&args.connection)?;
        machine_checks()?
    } else {
        let (source, extra) = target::split(&args.words)?;
        target::reject_extra(extra)?;
        match host_entry(source) {
            Some((host, name)) => {
                reject_options(&args.connection)?;
                started::check(host, name, &machine()?, &warnings).await?
            }
            None => server::check(source, &args.connection, &warnings).await?,
        }
    };
    print(&findings, args.json)?;
    match exit(&findings) {
        Exit::Ok => Ok(()),
        exit => Err(Failure::silent(exit)),
    }
}

fn host_entry(source: Source<'_>) -> Option<(&'static table::Host, &str)> {
    match source {
        Source::Word(word) => target::host::parse(word),
        Source::Command(_) => None,
    }
}

/// Fails if options were given that do not apply to hosts.
fn reject_options(connection: &Connection) -> Result<(), Failure> {
    let Connection { era, headers, env, timeout, python, roots, verbose: _ } = connection;
    let is_default = era.is_none() && timeout.is_none() && python.is_none();
    if is_default && headers.is_empty() && env.is_empty() && roots.is_empty() {
        return Ok(());
    }
    Err(Failure::usage("connection options do not apply to hosts, whose files contain the options; remove them"))
}

/// Checks the files of all hosts, the saved names and the logins.
fn machine_checks() -> Result<Vec<Finding>, Failure> {
    let machine = machine()?;
    let mut findings: Vec<Finding> = table::all().iter().flat_map(|host| host_file::check(host, &machine)).collect();
    if findings.is_empty() {
        findings.push(Finding::ok("hosts", "no host has a file on this machine"));
    }
    findings.extend(stored::check());
    Ok(findings)
}
