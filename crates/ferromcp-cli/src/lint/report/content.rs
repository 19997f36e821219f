//! The content of a report.

use crate::lint::Lint;
use crate::lint::rule::Severity;
use crate::lint::source::Definitions;

/// The result of a check, and the definitions.
pub(crate) struct Report<'a> {
    pub(crate) lint: &'a Lint,
    pub(crate) definitions: &'a Definitions,
    /// The snapshot file.
    pub(crate) file: Option<&'a str>,
    /// The severity from which a finding is a failure. `None` if no finding is.
    pub(crate) fail_on: Option<Severity>,
}

impl Report<'_> {
    /// Returns the name of the server, or an empty text.
    pub(super) fn server(&self) -> &str {
        self.definitions.surface.server_info.as_ref().map_or("", |info| info.name.as_str())
    }
}
