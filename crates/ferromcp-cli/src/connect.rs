//! Connects to a target.

use ferromcp_client::Client;

use crate::cli::Words;
use crate::exit::Failure;
use crate::target::{self, Target};

/// Connects to the target of a command line.
pub(crate) async fn open(words: &Words) -> Result<Client, Failure> {
    let builder = Client::builder("mcp", env!("CARGO_PKG_VERSION"));
    let (target, _) = target::resolve(words)?;
    let client = match target {
        Target::Url(url) => builder.connect(url.as_str()).await?,
        Target::Command(command) => builder.connect(command).await?,
    };
    Ok(client)
}
