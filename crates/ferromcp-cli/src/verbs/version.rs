//! `mcp version`: prints the version of the command and the supported revisions.

use std::io::{self, Write};

use ferromcp_core::Revision;

use crate::exit::Failure;

/// Prints one line for the command, and one for the protocol.
pub(crate) fn run() -> Result<(), Failure> {
    let revisions: Vec<&str> = Revision::ALL.iter().rev().map(|revision| revision.as_str()).collect();
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "mcp {}", env!("CARGO_PKG_VERSION"))?;
    Ok(writeln!(stdout, "protocol {}", revisions.join(", "))?)
}
