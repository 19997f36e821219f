//! The server that the conformance suite tests: `conformance-server [--port N] [--path /mcp]`.

use std::process::ExitCode;

use ferromcp::prelude::*;
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
    let Endpoint { port, path } = endpoint;
    // Printed directly before the server starts to listen.
    eprintln!("http://127.0.0.1:{port}{path}");
    match fixture::server().serve(http(format!("127.0.0.1:{port}")).path(path)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The address and path to listen on.
struct Endpoint {
    port: u16,
    path: String,
}

impl Endpoint {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut endpoint = Self { port: 3000, path: "/mcp".to_owned() };
        while let Some(option) = args.next() {
            let value = args.next().ok_or_else(|| format!("{option} requires a value"))?;
            match option.as_str() {
                "--port" => endpoint.port = value.parse().map_err(|_| format!("{value:?} is not a port"))?,
                "--path" => endpoint.path = value,
                _ => return Err(format!("unknown option {option}")),
            }
        }
        Ok(endpoint)
    }
}
