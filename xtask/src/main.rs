//! The command line of `cargo xtask`: finds the chore that was asked for and runs it.

#![allow(clippy::print_stdout, reason = "xtask talks to a person; no protocol runs on its stdout")]

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::outcome::Outcome;
use xtask::{conformance, deny, house, interop, ledger, msrv, shell, suite};

const COMMANDS: &str = "\
cargo xtask test [--only STEP]… [--skip STEP]… [--list]   the whole test command
cargo xtask house                                         the house rules of the sources
cargo xtask interop                                       set up other people's MCP programs under target/interop
cargo xtask conformance server|client                     run the official conformance suite against our server or client
cargo xtask msrv                                          check the published crates with the oldest compiler we promise
cargo xtask deny                                          licences, bans, sources and advisories of the dependencies
cargo xtask ledger [--areas A,B…]                         which requirements the tests prove";

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

/// Runs one chore; `false` means it ran and found something wrong.
fn run(args: &[String]) -> Result<bool> {
    let root = shell::workspace_root()?;
    let Some((command, rest)) = args.split_first() else {
        println!("{COMMANDS}");
        return Ok(true);
    };
    match (command.as_str(), rest) {
        ("test", rest) => suite::run(&root, rest),
        ("ledger", rest) => ledger::run(&root, rest).map(|()| true),
        ("house", []) => Ok(house::run(&root)?.is_clean()),
        ("interop", []) => interop::set_up(&root).map(|_| true),
        ("conformance", [leg]) if leg == "server" => Ok(told(&conformance::server(&root)?)),
        ("conformance", [leg]) if leg == "client" => Ok(told(&conformance::client(&root)?)),
        ("msrv", []) => Ok(told(&msrv::check(&root)?)),
        ("deny", []) => Ok(told(&deny::check(&root)?)),
        ("help" | "--help" | "-h", _) => {
            println!("{COMMANDS}");
            Ok(true)
        }
        _ => bail!("`cargo xtask {}` is not a chore; there are:\n{COMMANDS}", args.join(" ")),
    }
}

/// Says what a lone step has to say. A skip is no failure here: whoever runs one step reads its output.
fn told(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Skipped { why, .. } => println!("skipped: {why}"),
        Outcome::Noted(note) => println!("note: {note}"),
        _ => {}
    }
    true
}
