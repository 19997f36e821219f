//! The server that the conformance suite tests: `conformance-server [--port N] [--path /mcp]`.

use std::process::ExitCode;

use ferromcp::prelude::*;
use ferromcp_conformance::endpoint::Endpoint;
use ferromcp_conformance::fixture;

#[tokio::main]
async fn main() -> ExitCode {
    let endpoint = match Endpoint::read(std::env::args().skip(1)) {
        Ok(endpoint) => endpoint,
        Err(error) => {
            eprintln!("{error}; usage: conformance-server [--port N] [--path /mcp]");
            return ExitCode::from(2);
        }
    };
    // Printed directly before the server starts to listen.
    eprintln!("{}", endpoint.url());
    match fixture::server().serve(http(endpoint.address()).path(endpoint.path())).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
