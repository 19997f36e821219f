//! `mcp revisions`: lists the supported protocol revisions, one per line.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning>.

use std::io::{self, Write};

use ferromcp_core::{Era, Revision};

/// Writes the revisions, newest first, as tab-separated name and era.
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
