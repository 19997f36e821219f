//! `mcp diff`: compares the definitions of two servers or snapshots.

use std::path::Path;

use ferromcp_core::text::excerpt;

use crate::cli::{Connection, Diff, FailOn, Format};
use crate::connect::with_client;
use crate::diff::{Report, Severity, compare};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::surface::Surface;
use crate::surface::snapshot::Snapshot;
use crate::target::{Source, reject_extra};

/// Loads both sides, and prints the changes.
pub(crate) async fn run(args: Diff) -> Result<(), Failure> {
    let missing = || Failure::usage("cannot compare: two snapshots or targets are required; write `mcp diff OLD NEW`");
    let (old, rest) = args.words.split_first().ok_or_else(missing)?;
    let (new, extra) = if args.command.is_empty() {
        let (new, extra) = rest.split_first().ok_or_else(missing)?;
        (Source::Word(new), extra)
    } else {
        (Source::Command(&args.command), rest)
    };
    reject_extra(extra)?;
    let old = load(Source::Word(old), &args.connection).await?;
    let new = load(new, &args.connection).await?;
    let report = compare(&old, &new);
    print(&report, args.format)?;
    if fails(&report, args.fail_on) { Err(Failure::silent(Exit::Changed)) } else { Ok(()) }
}

/// Reads a snapshot, or fetches the definitions of a target.
async fn load(source: Source<'_>, connection: &Connection) -> Result<Snapshot, Failure> {
    if let Source::Word(word) = source
        && Path::new(word).is_file()
        && has_snapshot_name(word)
        && let Some(snapshot) = Snapshot::read(Path::new(word))?
    {
        return Ok(snapshot);
    }
    let fetch = with_client(source, connection, async |client| Ok(Snapshot::new(&Surface::fetch(client).await?)));
    fetch.await.map_err(|failure| match source {
        Source::Word(word)
            if failure.exit == Exit::Usage && Path::new(word).extension().is_some_and(|it| it == "json") =>
        {
            failure.with_remedy(format_args!("`mcp snapshot -o {} TARGET` writes a snapshot", excerpt(word)))
        }
        _ => failure,
    })
}

/// Returns whether a file can be a snapshot. A Python file is always a target.
fn has_snapshot_name(word: &str) -> bool {
    Path::new(word).extension().is_none_or(|extension| extension != "py")
}

fn print(report: &Report, format: Format) -> Result<(), Failure> {
    let mut out = Output::stdout();
    match format {
        Format::Text => out.text(&report.to_text())?,
        Format::Markdown => out.text(&report.to_markdown())?,
        Format::Json => out.json(&report.to_json())?,
    }
    out.flush()
}

fn fails(report: &Report, level: FailOn) -> bool {
    let least = match level {
        FailOn::Breaking => Severity::Breaking,
        FailOn::Compatible => Severity::Compatible,
        FailOn::Any => Severity::Informational,
    };
    report.severity().is_some_and(|severity| severity >= least)
}
