//! The verbs of the command, one module each.

mod ping;
mod revisions;

use std::io;

use crate::cli::Verb;
use crate::exit::Failure;

/// Runs a verb.
pub(crate) async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Ping(args) => ping::run(args).await,
        Verb::Revisions => Ok(revisions::write(&mut io::stdout().lock())?),
    }
}
