//! The benchmark server: `bench-server stdio | http PORT | http-stateless PORT`.
//!
//! `BENCH_TOOLS=N` adds N tools. Over HTTP the server prints its URL to stderr.

use anyhow::Context;
use ferromcp::prelude::*;
use ferromcp::server::http::HttpServerOptions;
use ferromcp_bench::Endpoint;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let endpoint = Endpoint::parse(std::env::args().skip(1))?;
    let more = match std::env::var("BENCH_TOOLS") {
        Ok(count) => count.parse().context("BENCH_TOOLS must be a number")?,
        Err(_) => 0,
    };
    let server = ferromcp_bench::server(more);
    match endpoint {
        Endpoint::Stdio => server.serve(stdio()).await?,
        Endpoint::Http { port, stateless } => {
            let options = HttpServerOptions::new().stateless(stateless);
            let http = http(format!("127.0.0.1:{port}")).options(options);
            server.serve(http.on_bound(|addr| eprintln!("http://{addr}/mcp"))).await?;
        }
    }
    Ok(())
}
