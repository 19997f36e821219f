//! The soak: valid, invalid and hostile traffic to a server in a child process, whose resources and latencies are measured.
//!
//! All load is bounded in count and time, and sent to the loopback interface only. Requires Linux, because the resources
//! are read from `/proc`. `cargo xtask soak` builds and runs it.

#![allow(clippy::print_stdout, reason = "the figures are printed to stdout")]

mod attacks;
mod connection;
mod events;
mod invalid;
mod latencies;
mod message;
mod options;
mod probe;
mod process;
mod report;
mod rounds;
mod session;
mod single;
mod target;
mod traffic;
mod valid;

use std::process::ExitCode;

use options::{Mode, Options};

fn main() -> anyhow::Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == "hostile-server") {
        attacks::client::serve(std::io::stdin().lock(), std::io::stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options::parse(args.into_iter())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let passed = match &options.mode {
        Mode::Rounds(time) => runtime.block_on(rounds::run(&options, *time))?,
        Mode::Attacks(attacks, client) => {
            runtime.block_on(single::run(&options, attacks, client))?;
            true
        }
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
