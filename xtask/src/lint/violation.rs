//! A violation of a lint rule, and its format.

use std::fmt;

/// A violation of a lint rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Violation {
    /// The file, relative to the workspace root, with `/` as separator.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The problem and its fix.
    pub message: String,
}

impl Violation {
    pub(super) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}
