//! The server that is measured: `bench-server stdio | http PORT | http-stateless PORT`.
//!
//! `BENCH_TOOLS=N` gives it N more tools. The address of HTTP is said on standard error.

use anyhow::Context;
use ferromcp::prelude::*;
use ferromcp_bench::Place;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let place = Place::read(std::env::args().skip(1))?;
    let more = match std::env::var("BENCH_TOOLS") {
        Ok(count) => count.parse().context("BENCH_TOOLS is to be a number")?,
        Err(_) => 0,
    };
    let server = ferromcp_bench::server(more);
    match place {
        Place::Stdio => server.serve(stdio()).await?,
        Place::Http { port, stateless } => {
            let options = HttpOptions::new().stateless(stateless);
            let http = http(format!("127.0.0.1:{port}")).options(options);
            server.serve(http.on_bound(|addr| eprintln!("http://{addr}/mcp"))).await?;
        }
    }
    Ok(())
}
