//! Text for users: the findings, errors first, and a summary.

use super::content::Report;
use crate::exit::Failure;
use crate::lint::finding::Finding;
use crate::lint::rule::Severity;
use crate::output::Output;
use crate::terminal::indented;

/// Prints the report.
pub(super) fn print(report: &Report<'_>, out: &mut Output) -> Result<(), Failure> {
    let findings = &report.lint.findings;
    let mut sorted: Vec<&Finding> = findings.list().iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in sorted {
        let Finding { rule, severity, item, pointer, message } = finding;
        out.line(&format!("{:<8} {}", severity.name(), indented(&format!("{item}: {message}"))))?;
        // A name in a pointer may contain line feeds.
        let pointer = pointer.replace(['\n', '\r'], "\u{fffd}");
        out.indented(&format!("{} at {pointer}", rule.id), 9)?;
        out.indented(&format!("fix: {}", rule.remedy), 9)?;
    }
    if findings.omitted() > 0 {
        out.line(&format!("{} more findings are not shown", findings.omitted()))?;
    }
    let count = |severity: Severity, name: &str| {
        let count = findings.count(severity);
        format!("{count} {name}{}", if count == 1 { "" } else { "s" })
    };
    out.line(&format!(
        "{}, {}, {}; {} tools with about {} tokens",
        count(Severity::Error, "error"),
        count(Severity::Warning, "warning"),
        count(Severity::Info, "remark"),
        report.lint.tools,
        report.lint.tokens
    ))
}
