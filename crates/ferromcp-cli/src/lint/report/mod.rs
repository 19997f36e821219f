//! The formats of the result.

mod json;
mod junit;
mod sarif;
mod text;

use super::Lint;
use super::rule::Severity;
use super::source::Definitions;
use crate::cli::LintFormat;
use crate::exit::Failure;
use crate::output::Output;

/// What a report describes.
pub(crate) struct Report<'a> {
    pub(crate) lint: &'a Lint,
    pub(crate) definitions: &'a Definitions,
    /// The snapshot file.
    pub(crate) file: Option<&'a str>,
    /// The severity from which a finding is a failure. `None` if no finding is.
    pub(crate) fail_on: Option<Severity>,
}

impl Report<'_> {
    /// Prints the report to stdout.
    ///
    /// # Errors
    /// Fails if stdout cannot be written.
    pub(crate) fn print(&self, format: LintFormat) -> Result<(), Failure> {
        let mut out = Output::stdout();
        match format {
            LintFormat::Text => text::print(self, &mut out)?,
            LintFormat::Json => out.json(&json::value(self))?,
            LintFormat::Junit => out.text(&junit::document(self))?,
            LintFormat::Sarif => out.json(&sarif::value(self))?,
        }
        out.flush()
    }

    /// Returns the name of the server, or an empty text.
    fn server(&self) -> &str {
        self.definitions.surface.server_info.as_ref().map_or("", |info| info.name.as_str())
    }
}
