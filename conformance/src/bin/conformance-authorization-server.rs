//! The authorization server that the conformance suite tests: `conformance-authorization-server [--port N] [--path /mcp]`.
//! The issuer is the origin. The client `conformance` is registered, and each authorization is granted without a page.

use std::process::ExitCode;

use ferromcp::auth::authorization_server::{AuthorizationServer, MemoryProvider, RegisteredClient};
use ferromcp::prelude::*;
use ferromcp_conformance::endpoint::Endpoint;
use ferromcp_conformance::protected;

/// The suite listens at another port of this address; the port of a loopback address may differ.
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

#[tokio::main]
async fn main() -> ExitCode {
    let endpoint = match Endpoint::read(std::env::args().skip(1)) {
        Ok(endpoint) => endpoint,
        Err(error) => {
            eprintln!("{error}; usage: conformance-authorization-server [--port N] [--path /mcp]");
            return ExitCode::from(2);
        }
    };
    match serve(&endpoint).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(endpoint: &Endpoint) -> Result<(), Box<dyn std::error::Error>> {
    let client = RegisteredClient::new("conformance", [REDIRECT_URI]);
    let provider = MemoryProvider::new().auto_approve().client(client);
    let options = protected::options(&endpoint.origin(), &endpoint.url());
    let authorization = AuthorizationServer::new(options, provider)?;
    // Printed directly before the server starts to listen.
    eprintln!("{}", endpoint.url());
    let transport = http(endpoint.address()).path(endpoint.path()).authorization(authorization);
    protected::server().serve(transport).await?;
    Ok(())
}
