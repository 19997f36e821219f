//! The `mcp` command: reads its arguments and does what they ask. Each command is a file of its own.

mod revisions;

use std::io;

use clap::{Parser, Subcommand};

/// Tells what this build of Ferromcp speaks.
#[derive(Debug, Parser)]
#[command(name = "mcp", version, arg_required_else_help = true)]
struct Mcp {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the protocol revisions this build speaks, newest first, with the era of each
    Revisions,
}

fn main() -> io::Result<()> {
    match Mcp::parse().command {
        Command::Revisions => revisions::write(&mut io::stdout().lock()),
    }
}
