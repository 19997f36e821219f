//! Errors of edits.

use std::collections::BTreeMap;
use std::fmt;

/// The kind of an [`EditError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EditErrorKind {
    /// The file is not valid.
    Syntax,
    /// The table of servers has another type, occurs twice, or is written in a way that is not edited.
    Structure,
    /// Another entry has the name.
    Exists,
    /// No entry has the name.
    Missing,
}

/// The reason why a file is not edited. The file is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EditError {
    pub(crate) kind: EditErrorKind,
    /// The line, from 1, if the error is at a position.
    pub(crate) line: Option<usize>,
    /// The column in characters, from 1, of an invalid file.
    pub(crate) column: Option<usize>,
    cause: String,
    remedy: String,
}

impl EditError {
    pub(super) fn syntax(line: Option<usize>, cause: impl fmt::Display, remedy: &str) -> Self {
        Self { kind: EditErrorKind::Syntax, line, column: None, cause: cause.to_string(), remedy: remedy.to_owned() }
    }

    /// Sets the column of an invalid file.
    pub(super) fn at_column(mut self, column: Option<usize>) -> Self {
        self.column = column;
        self
    }

    pub(super) fn structure(line: Option<usize>, cause: impl fmt::Display, remedy: impl fmt::Display) -> Self {
        Self {
            kind: EditErrorKind::Structure,
            line,
            column: None,
            cause: cause.to_string(),
            remedy: remedy.to_string(),
        }
    }

    /// The table of servers has another type.
    pub(super) fn wrong_type(line: Option<usize>, key: &str, found: &str, empty: &str) -> Self {
        let remedy = format!("move its content elsewhere and write {empty}");
        Self::structure(line, format!("{key} is {found}, not a table of servers"), remedy)
    }

    /// Returns an error for each key that occurs more than once, in the order of the keys. The lines are those of the keys.
    pub(super) fn duplicates<'a>(keys: impl Iterator<Item = (&'a str, usize)>) -> Vec<Self> {
        let mut lines: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (key, line) in keys {
            lines.entry(key).or_default().push(line);
        }
        let repeated = lines.into_iter().filter(|(_, lines)| lines.len() > 1);
        repeated.map(|(key, lines)| Self::duplicate(&lines, key)).collect()
    }

    /// A key occurs more than once.
    pub(super) fn duplicate(lines: &[usize], key: &str) -> Self {
        let listed: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let cause =
            format!("`{key}` occurs more than once, on lines {}; hosts read only the last one", listed.join(" and "));
        Self::structure(lines.first().copied(), cause, "merge them into one")
    }

    pub(super) fn exists(name: &str) -> Self {
        let cause = format!("an entry `{name}` with another content exists");
        let remedy = "add `--force` to replace it, or choose another name with `--name`".to_owned();
        Self { kind: EditErrorKind::Exists, line: None, column: None, cause, remedy }
    }

    pub(crate) fn missing(name: &str) -> Self {
        let cause = format!("it has no entry `{name}`");
        let remedy = "list the entries with `mcp status`".to_owned();
        Self { kind: EditErrorKind::Missing, line: None, column: None, cause, remedy }
    }

    /// The edit would change other values.
    pub(super) fn lossy() -> Self {
        Self::structure(None, "its layout is not supported, and an edit could lose other values", "edit it by hand")
    }
}

impl EditError {
    /// Returns the cause and the remedy, without the position.
    pub(crate) fn parts(&self) -> (&str, &str) {
        (&self.cause, &self.remedy)
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}; {}", self.cause, self.remedy)
    }
}

impl std::error::Error for EditError {}
