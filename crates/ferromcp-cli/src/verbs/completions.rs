//! `mcp completions`: prints a completion script for a shell.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::cli::{Cli, Completions};
use crate::exit::Failure;

/// Prints the script.
pub(crate) fn run(args: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "mcp", &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}
