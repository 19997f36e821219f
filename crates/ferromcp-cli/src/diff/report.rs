//! The changes of a comparison as text, Markdown and JSON.

use std::fmt::Write;

use ferromcp_core::text::excerpt;
use serde_json::{Value, json};

use super::{Change, Severity};
use crate::surface::document::markdown_text;

const SEVERITIES: [Severity; 3] = [Severity::Breaking, Severity::Compatible, Severity::Informational];

/// The changes of a comparison, the most severe first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    changes: Vec<Change>,
}

impl Report {
    /// Creates a report of these changes. Their order is kept within a severity.
    pub(super) fn new(mut changes: Vec<Change>) -> Self {
        changes.sort_by_key(|change| std::cmp::Reverse(change.severity));
        Self { changes }
    }

    /// Returns the severity of the most severe change.
    pub(crate) fn severity(&self) -> Option<Severity> {
        self.changes.first().map(|change| change.severity)
    }

    /// Returns whether there are no changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    fn count(&self, severity: Severity) -> usize {
        self.changes.iter().filter(|change| change.severity == severity).count()
    }

    /// Returns the number of changes of each severity, such as `1 breaking, 0 compatible, 2 informational`.
    pub(crate) fn summary(&self) -> String {
        if self.is_empty() {
            return "no changes".to_owned();
        }
        SEVERITIES.map(|severity| format!("{} {}", self.count(severity), severity.name())).join(", ")
    }

    /// Returns one line for each change, followed by the difference of its texts. Names are escaped; texts are not.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for change in &self.changes {
            let _ = writeln!(text, "{}: {}", change.severity.name(), sentence(change));
            for line in change.diff.iter().flat_map(|diff| diff.lines()) {
                let _ = writeln!(text, "    {line}");
            }
        }
        text + &self.summary() + "\n"
    }

    /// Returns a list for each severity. All text of the server is escaped.
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = format!("{}\n", self.summary());
        for severity in SEVERITIES {
            let mut changes = self.changes.iter().filter(|change| change.severity == severity).peekable();
            if changes.peek().is_none() {
                continue;
            }
            let name = severity.name();
            let _ = writeln!(text, "\n## {}{}\n", name[..1].to_uppercase(), &name[1..]);
            for change in changes {
                let _ = writeln!(text, "- {}", markdown_text(&sentence(change)));
                let Some(diff) = &change.diff else { continue };
                // An indented block cannot be closed by its content.
                text.push('\n');
                for line in diff.lines() {
                    let _ = writeln!(text, "      {line}");
                }
                text.push('\n');
            }
        }
        text
    }

    /// Returns the changes and their numbers.
    pub(crate) fn to_json(&self) -> Value {
        let changes = self.changes.iter().map(|change| {
            json!({
                "severity": change.severity.name(),
                "kind": change.kind,
                "name": change.name,
                "location": Some(&change.location).filter(|location| !location.is_empty()),
                "message": change.message,
                "diff": change.diff,
            })
        });
        json!({
            "breaking": self.count(Severity::Breaking),
            "compatible": self.count(Severity::Compatible),
            "informational": self.count(Severity::Informational),
            "changes": changes.collect::<Vec<_>>(),
        })
    }
}

/// Returns a change in one line.
fn sentence(change: &Change) -> String {
    let name = change.name.as_deref().map(|name| format!(" `{}`", excerpt(name))).unwrap_or_default();
    let location = if change.location.is_empty() { String::new() } else { format!(": {}", change.location) };
    format!("{}{name}{location} {}", change.kind, change.message)
}
