//! `mcp ping`: measures the round-trip time to a server.

use std::time::Instant;

use ferromcp_client::Client;
use serde_json::Value;

use crate::cli::Ping;
use crate::connect::with_client;
use crate::exit::Failure;
use crate::output::Output;
use crate::target::{reject_extra, split};

/// Connects, and measures one request.
pub(crate) async fn run(args: Ping) -> Result<(), Failure> {
    let (source, extra) = split(&args.words)?;
    reject_extra(extra)?;
    with_client(source, &args.connection, async |client| ping(client).await).await
}

/// Sends one request: `ping`, or `server/discover` to a server of 2026-07-28, which has no `ping`.
pub(crate) async fn ping(client: &Client) -> Result<(), Failure> {
    let start = Instant::now();
    if client.revision().is_modern() {
        client.request::<Value>("server/discover", ()).await?;
    } else {
        client.ping().await?;
    }
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
    let mut out = Output::stdout();
    out.line(&format!("{milliseconds:.3} ms ({})", client.revision()))?;
    out.flush()
}
