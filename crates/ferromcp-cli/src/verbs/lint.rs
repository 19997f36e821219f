//! `mcp lint`: finds problems that models and hosts have with the definitions of a server.

use crate::cli::{Lint, LintLevel};
use crate::connect::with_client;
use crate::exit::{Exit, Failure};
use crate::lint::profile::{self, Profile};
use crate::lint::report::{self, Report};
use crate::lint::rule::Severity;
use crate::lint::source::{self, Definitions};
use crate::lint::{self, finding::Levels};
use crate::logs::Warnings;
use crate::target::{Source, reject_extra, split};

/// Checks a server or a snapshot, and prints the findings.
///
/// # Errors
/// Fails silently with [`Exit::Findings`] if a finding reaches `--fail-on`.
pub(crate) async fn run(args: Lint) -> Result<(), Failure> {
    let (source, extra) = split(&args.words)?;
    reject_extra(extra)?;
    let hosts = args.hosts.iter().map(|name| profile::find(name)).collect::<Result<Vec<&Profile>, Failure>>()?;
    let levels = Levels::new(&args.allowed, &args.denied, !hosts.is_empty())?;
    let warnings = Warnings::collect(args.connection.verbose);
    let (definitions, file) = match snapshot(source)? {
        Some((file, definitions)) => (definitions, Some(file)),
        None => {
            (with_client(source, &args.connection, async |client| source::fetch(client, &warnings).await).await?, None)
        }
    };
    let fail_on = match args.fail_on {
        LintLevel::Error => Some(Severity::Error),
        LintLevel::Warning => Some(Severity::Warning),
        LintLevel::Never => None,
    };
    let lint = lint::check(&definitions, &hosts, levels);
    report::print(&Report { lint: &lint, definitions: &definitions, file, fail_on }, args.format)?;
    match fail_on.filter(|severity| lint.findings.reaches(*severity)) {
        Some(_) => Err(Failure::silent(Exit::Findings)),
        None => Ok(()),
    }
}

/// Reads the target if it is a snapshot file.
fn snapshot(source: Source<'_>) -> Result<Option<(&str, Definitions)>, Failure> {
    match source {
        Source::Word(word) => Ok(source::read_snapshot(word)?.map(|definitions| (word, definitions))),
        Source::Command(_) => Ok(None),
    }
}
