//! `mcp revisions`: which revisions of the protocol are spoken, one a line.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning>.

use std::io::{self, Write};

use ferromcp_core::{Era, Revision};

/// Writes the revisions, newest first: name, tab, era.
pub(crate) fn write(out: &mut impl Write) -> io::Result<()> {
    for revision in Revision::ALL.iter().rev() {
        writeln!(out, "{revision}\t{}", name(revision.era()))?;
    }
    Ok(())
}

fn name(era: Era) -> &'static str {
    match era {
        Era::Legacy => "legacy",
        Era::Modern => "modern",
    }
}
