//! `mcp ping`: measures the round-trip time to a server.

use std::io::{self, Write};
use std::time::Instant;

use crate::cli::Ping;
use crate::connect;
use crate::exit::Failure;

/// Connects, and sends one request.
pub(crate) async fn run(args: Ping) -> Result<(), Failure> {
    let client = connect::open(&args.words).await?;
    let start = Instant::now();
    if client.revision().is_modern() {
        client.tools().page(None).await?;
    } else {
        client.ping().await?;
    }
    writeln!(io::stdout().lock(), "{:?}", start.elapsed())?;
    client.close().await;
    Ok(())
}
