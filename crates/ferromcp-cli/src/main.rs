//! The `mcp` command. Parses the arguments and runs a verb.
//!
//! | module | content |
//! |---|---|
//! | `cli` | the command line |
//! | `exit` | exit codes and errors |
//! | `verbs` | one module for each verb |
//! | `target` | targets: URLs, commands and other ways to start a server |
//! | `connect` | connects to a target |

mod cli;
mod connect;
mod exit;
mod target;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;
use exit::{Exit, Failure};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => Exit::Ok.into(),
        Err(failure) => {
            report(&failure);
            failure.exit.into()
        }
    }
}

/// Runs the verb on a runtime of this thread.
fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(verbs::run(cli.verb));
    // A thread that reads from the terminal cannot be stopped.
    runtime.shutdown_background();
    result
}

/// Prints an error, unless it has no message.
#[allow(clippy::print_stderr, reason = "errors of the command")]
fn report(failure: &Failure) {
    let message = failure.to_string();
    if !message.is_empty() {
        eprintln!("error: {}", ferromcp_core::text::escape(&message));
    }
}
