//! The formats of the result.

mod content;
mod json;
mod junit;
mod sarif;
mod text;

use crate::cli::LintFormat;
use crate::exit::Failure;
use crate::output::Output;

pub(crate) use content::Report;

/// Prints a report to stdout.
///
/// # Errors
/// Fails if stdout cannot be written.
pub(crate) fn print(report: &Report<'_>, format: LintFormat) -> Result<(), Failure> {
    let mut out = Output::stdout();
    match format {
        LintFormat::Text => text::print(report, &mut out)?,
        LintFormat::Json => out.json(&json::value(report))?,
        LintFormat::Junit => out.text(&junit::document(report))?,
        LintFormat::Sarif => out.json(&sarif::value(report))?,
    }
    out.flush()
}
