//! The server that the conformance suite is run against: `conformance-server [--port N] [--path /mcp]`.

use std::process::ExitCode;

use ferromcp::prelude::*;
use ferromcp_conformance::fixture;

#[tokio::main]
async fn main() -> ExitCode {
    let place = match Place::read(std::env::args().skip(1)) {
        Ok(place) => place,
        Err(why) => {
            eprintln!("{why}; usage: conformance-server [--port N] [--path /mcp]");
            return ExitCode::from(2);
        }
    };
    let Place { port, path } = place;
    // The last thing before it listens, as nothing tells a server's author that it does.
    eprintln!("http://127.0.0.1:{port}{path}");
    match fixture::server().serve(http(format!("127.0.0.1:{port}")).path(path)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Where to listen.
struct Place {
    port: u16,
    path: String,
}

impl Place {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut place = Self { port: 3000, path: "/mcp".to_owned() };
        while let Some(option) = args.next() {
            let value = args.next().ok_or_else(|| format!("{option} wants a value"))?;
            match option.as_str() {
                "--port" => place.port = value.parse().map_err(|_| format!("{value:?} is no port"))?,
                "--path" => place.path = value,
                _ => return Err(format!("{option} is unknown")),
            }
        }
        Ok(place)
    }
}
