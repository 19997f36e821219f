//! The command line of `cargo xtask`.

#![allow(clippy::print_stdout, reason = "xtask is a command-line tool; its stdout carries no protocol")]

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::outcome::Outcome;
use xtask::{
    api, cli_times, conformance, deny, fuzz, hosts, interop, ledger, lint, man, msrv, new, published_servers, shell,
    soak, steps, tests_renamed, word_counts,
};

const COMMANDS: &str = "\
cargo xtask test [--only STEP]… [--skip STEP]… [--list]   run all checks and tests
cargo xtask lint                                          check the project rules for sources and prose
cargo xtask api [--write]                                 check or update the listing of the public API
cargo xtask words [--root DIR]                            count how often the documentation uses certain words
cargo xtask tests-renamed --base REV                      list the tests renamed since a revision
cargo xtask interop                                       install third-party MCP clients and servers under target/interop
cargo xtask hosts                                         list entries of `mcp install` with hosts from npm
cargo xtask new                                           build and test each template of `mcp new`
cargo xtask published-servers                             run `mcp lint` on published servers, and write the table of the docs
cargo xtask man [--output FOLDER]                         write the man pages of `mcp`
cargo xtask cli-times [--runs N]                          time `mcp call` and other command-line clients
cargo xtask conformance server|client|authorization       run one part of the official conformance suite
cargo xtask msrv                                          check the published crates with the minimum supported Rust version
cargo xtask deny                                          check licenses, bans, sources and advisories of the dependencies
cargo xtask fuzz [--seconds N] [--minimize] [TARGET]…     run the fuzz targets under AddressSanitizer
cargo xtask soak [--minutes N] [--attack NAME]…           run mixed valid, invalid and hostile traffic against a server
cargo xtask ledger [--areas A,B…]                         list the specification requirements covered by tests";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; returns `false` when it ran and found a problem.
fn run(args: &[String]) -> Result<bool> {
    let root = shell::workspace_root()?;
    let Some((command, rest)) = args.split_first() else {
        println!("{COMMANDS}");
        return Ok(true);
    };
    match (command.as_str(), rest) {
        ("test", rest) => steps::run(&root, rest),
        ("ledger", rest) => ledger::run(&root, rest).map(|()| true),
        ("lint", []) => Ok(lint::run(&root)?.is_clean()),
        ("words", rest) => word_counts::run(&root, rest).map(|()| true),
        ("api", rest) => Ok(print_outcome(&api::run(&root, rest)?)),
        ("soak", rest) => soak::run(&root, rest),
        ("tests-renamed", rest) => tests_renamed::run(&root, rest).map(|()| true),
        ("interop", []) => interop::set_up(&root).map(|_| true),
        ("cli-times", rest) => cli_times::run(&root, rest).map(|()| true),
        ("hosts", rest) => hosts::run(&root, rest),
        ("new", []) => new::run(&root).map(|()| true),
        ("published-servers", rest) => published_servers::run(&root, rest),
        ("man", rest) => man::run(&root, rest).map(|()| true),
        ("conformance", [side]) if side == "server" => Ok(print_outcome(&conformance::server(&root)?)),
        ("conformance", [side]) if side == "client" => Ok(print_outcome(&conformance::client(&root)?)),
        ("conformance", [side]) if side == "authorization" => Ok(print_outcome(&conformance::authorization(&root)?)),
        ("msrv", []) => Ok(print_outcome(&msrv::check(&root)?)),
        ("deny", []) => Ok(print_outcome(&deny::check(&root)?)),
        ("fuzz", rest) => fuzz::run(&root, rest),
        ("help" | "--help" | "-h", _) => {
            println!("{COMMANDS}");
            Ok(true)
        }
        _ => bail!("unknown command `cargo xtask {}`; available commands:\n{COMMANDS}", args.join(" ")),
    }
}

/// Prints the outcome of a step that runs outside of `cargo xtask test`. A skip does not fail the command.
fn print_outcome(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Skipped { reason, .. } => println!("skipped: {reason}"),
        Outcome::Noted(note) => println!("note: {note}"),
        _ => {}
    }
    true
}
