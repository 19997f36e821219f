//! The `mcp` command. Parses the arguments and runs a subcommand. Each subcommand has its own module.

mod revisions;

use std::io;

use clap::{Parser, Subcommand};

/// Command-line tool of Ferromcp
#[derive(Debug, Parser)]
#[command(name = "mcp", version, arg_required_else_help = true)]
struct Mcp {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the supported protocol revisions, newest first, with the era of each
    Revisions,
}

fn main() -> io::Result<()> {
    match Mcp::parse().command {
        Command::Revisions => revisions::write(&mut io::stdout().lock()),
    }
}
