//! The servers of the tests: `cli-test-server demo | build NUMBER | stdio | http PORT | protected PORT | hostile KIND | faulty KIND |
//! faulty-http KIND PORT`.

mod build;
mod demo;
mod faulty;
mod faulty_http;
mod hostile;
mod tools;

use std::error::Error;

use ferromcp::auth::authorization_server::{
    AuthorizationServer, AuthorizationServerOptions, ClientRegistrationOptions, MemoryProvider,
};
use ferromcp::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["demo"] => demo::server().serve(stdio()).await?,
        ["build", number] => build::server(number).serve(stdio()).await?,
        ["stdio"] => tools::server().serve(stdio()).await?,
        ["http", port] => tools::server().serve(http(format!("127.0.0.1:{port}"))).await?,
        ["protected", port] => {
            let address = format!("127.0.0.1:{port}");
            let authorization = authorization(&format!("http://{address}"))?;
            tools::server().serve(http(address).authorization(authorization)).await?;
        }
        ["hostile", kind] => hostile::serve(kind)?,
        ["faulty", kind] => faulty::serve(kind)?,
        ["faulty-http", kind, port] => faulty_http::serve(kind, port)?,
        // `cargo test` builds examples, and does not run them; `cargo run` without arguments explains itself.
        _ => return Err("usage: cli-test-server demo | stdio | http PORT | protected PORT | hostile KIND".into()),
    }
    Ok(())
}

fn authorization(issuer: &str) -> Result<AuthorizationServer, Box<dyn Error>> {
    let options = AuthorizationServerOptions::new(issuer)
        .resource(format!("{issuer}/mcp"))
        .required_scopes(["notes"])
        .valid_scopes(["notes", "admin"])
        .default_scopes(["notes"])
        .client_registration(ClientRegistrationOptions::new())
        .revocation(true);
    Ok(AuthorizationServer::new(options, MemoryProvider::new().user("ada").auto_approve())?)
}
