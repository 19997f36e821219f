//! The client that the conformance suite drives: `conformance-client URL`, with the scenario in the environment.

use std::process::ExitCode;

use ferromcp_conformance::client::{Run, play};

#[tokio::main]
async fn main() -> ExitCode {
    let run = match Run::read(std::env::args().skip(1), |name| std::env::var(name).ok()) {
        Ok(run) => run,
        Err(why) => {
            eprintln!("{why}; usage: conformance-client URL");
            return ExitCode::from(2);
        }
    };
    match play(&run).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
