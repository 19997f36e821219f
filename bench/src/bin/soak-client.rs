//! The client of the soak: `soak-client rounds|pages PROGRAM ARGS…`.
//!
//! Connects to a hostile server over stdio, calls a tool or lists the tools, and prints how that ended. The call may take
//! 6 seconds.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use ferromcp::client::ClientLimits;
use ferromcp::prelude::*;

/// The time limit of the call.
const LIMIT: Duration = Duration::from_secs(6);

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, reason = "the soak reads the outcome")]
async fn main() -> anyhow::Result<()> {
    const USAGE: &str = "usage: soak-client rounds|pages PROGRAM ARGS…";
    let mut args = std::env::args().skip(1);
    let (what, program) = (args.next().context(USAGE)?, args.next().context(USAGE)?);
    let mut server = Command::new(program);
    server.args(args);
    let limits = ClientLimits::new().request_timeout(LIMIT).request_time_limit(LIMIT);
    let client = Client::builder("soak", "1.0.0").limits(limits).connect(server).await?;
    let started = Instant::now();
    let outcome = match what.as_str() {
        "rounds" => client.call("rounds", ()).await.map(|_| "a result".to_owned()),
        "pages" => client.tools().await.map(|tools| format!("{} tools", tools.len())),
        _ => bail!(USAGE),
    };
    let outcome = outcome.unwrap_or_else(|error| format!("error: {error}"));
    println!("{:.1} s: {outcome}", started.elapsed().as_secs_f64());
    client.close().await;
    Ok(())
}
