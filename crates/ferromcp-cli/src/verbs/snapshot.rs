//! `mcp snapshot`: writes the definitions of a server to a file, or compares them with it.

use std::path::Path;

use crate::cli;
use crate::connect::with_client;
use crate::diff::compare;
use crate::exit::{Exit, Failure};
use crate::output::{Output, pretty_json};
use crate::surface::Surface;
use crate::surface::snapshot::Snapshot;
use crate::target::{reject_extra, split};
use crate::terminal::message;

/// Connects, and writes or compares the definitions.
pub(crate) async fn run(args: cli::Snapshot) -> Result<(), Failure> {
    let (source, extra) = split(&args.words)?;
    reject_extra(extra)?;
    // An error of the file is reported before the server is started.
    let committed = args.check.as_deref().map(read).transpose()?;
    let fetch = with_client(source, &args.connection, async |client| Ok(Snapshot::new(&Surface::fetch(client).await?)));
    let snapshot = fetch.await?;
    match (committed, args.check, args.output) {
        (Some(committed), Some(path), _) => check(&committed, &snapshot, &path),
        (_, _, Some(path)) => {
            std::fs::write(&path, pretty_json(&snapshot.to_json())?)
                .map_err(|error| Failure::usage(format!("cannot write the file `{}`: {error}", path.display())))?;
            message(format_args!("wrote `{}`", path.display()));
            Ok(())
        }
        _ => {
            let mut out = Output::stdout();
            out.json(&snapshot.to_json())?;
            out.flush()
        }
    }
}

fn read(path: &Path) -> Result<Snapshot, Failure> {
    Snapshot::read(path)?.ok_or_else(|| {
        let path = path.display();
        Failure::usage(format!(
            "cannot read the snapshot `{path}`: it is not a snapshot; create it with `mcp snapshot`"
        ))
    })
}

fn check(committed: &Snapshot, current: &Snapshot, path: &Path) -> Result<(), Failure> {
    let report = compare(committed, current);
    let mut out = Output::stdout();
    if report.is_empty() {
        out.line(&format!("the definitions match `{}`", path.display()))?;
        return out.flush();
    }
    out.text(&report.to_text())?;
    out.flush()?;
    let path = path.display();
    Err(Failure::new(
        Exit::Changed,
        format!(
            "the definitions differ from the snapshot `{path}`; review the changes, then run `mcp snapshot` with `-o {path}`"
        ),
    ))
}
