//! The client that the conformance suite runs: `conformance-client URL`. Environment variables select the scenario.

use std::process::ExitCode;

use ferromcp_conformance::client::{Run, run_scenario};

#[tokio::main]
async fn main() -> ExitCode {
    let run = match Run::read(std::env::args().skip(1), |name| std::env::var(name).ok()) {
        Ok(run) => run,
        Err(error) => {
            eprintln!("{error}; usage: conformance-client URL");
            return ExitCode::from(2);
        }
    };
    match run_scenario(&run).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
