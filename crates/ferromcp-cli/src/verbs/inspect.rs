//! `mcp inspect`: describes all definitions of a server.

use ferromcp_client::Client;

use crate::cli::{Format, Inspect};
use crate::connect::with_client;
use crate::exit::Failure;
use crate::output::Output;
use crate::surface::Surface;
use crate::surface::document::{to_markdown, to_text};
use crate::target::{reject_extra, split};

/// Connects, and prints the definitions.
pub(crate) async fn run(args: Inspect) -> Result<(), Failure> {
    let (source, extra) = split(&args.words)?;
    reject_extra(extra)?;
    with_client(source, &args.connection, async |client| print(client, args.format).await).await
}

async fn print(client: &Client, format: Format) -> Result<(), Failure> {
    let surface = Surface::fetch(client).await?.sorted();
    let mut out = Output::stdout();
    match format {
        Format::Text => out.text(&to_text(&surface))?,
        Format::Markdown => out.text(&to_markdown(&surface))?,
        Format::Json => out.json(&surface)?,
    }
    out.flush()
}
