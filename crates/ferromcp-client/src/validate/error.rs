//! Schemas that cannot be used, and results that do not follow theirs.

use std::fmt;

use super::{limits::SchemaLimits, rule::Stop};

/// The longest piece of foreign text in an error, in bytes.
const MAX_QUOTE: usize = 120;

/// A schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    kind: SchemaErrorKind,
    text: String,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaErrorKind {
    /// It is no valid schema.
    Invalid,
    /// It names a dialect that is not supported.
    Dialect,
    /// It refers to something that is not within it.
    Reference,
    /// It has a pattern that is no regular expression of the kind that matches in linear time.
    Pattern,
    /// It is over a limit.
    TooLarge,
}

impl SchemaError {
    /// Why.
    pub fn kind(&self) -> SchemaErrorKind {
        self.kind
    }

    fn new(kind: SchemaErrorKind, text: String) -> Self {
        Self { kind, text }
    }

    pub(super) fn too_large(what: &str, limit: usize) -> Self {
        Self::new(SchemaErrorKind::TooLarge, format!("it has more than {limit} {what}; the limit can be changed"))
    }

    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::new(SchemaErrorKind::Invalid, format!("it is not JSON: {error}"))
    }

    pub(super) fn invalid(pointer: &str, what: &str) -> Self {
        Self::new(SchemaErrorKind::Invalid, format!("at {}: {what}", place(pointer)))
    }

    pub(super) fn dialect(name: &str) -> Self {
        let name = quote(name);
        Self::new(
            SchemaErrorKind::Dialect,
            format!("its dialect `{name}` is not supported; 2020-12 is, and draft-07 where `$schema` names it"),
        )
    }

    pub(super) fn reference(pointer: &str, uri: &str) -> Self {
        let (place, uri) = (place(pointer), quote(uri));
        Self::new(
            SchemaErrorKind::Reference,
            format!("at {place}: `{uri}` is not within the schema, and references are never fetched"),
        )
    }

    pub(super) fn pattern(pointer: &str, pattern: &str) -> Self {
        let (place, pattern) = (place(pointer), quote(pattern));
        Self::new(
            SchemaErrorKind::Pattern,
            format!(
                "at {place}: the pattern `{pattern}` is invalid, too large, or needs look-around or back-references"
            ),
        )
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the output schema cannot be used: {}", self.text)
    }
}

impl std::error::Error for SchemaError {}

/// A result that was not found to follow its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    kind: MismatchKind,
    reasons: Vec<String>,
}

/// What is the matter with a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MismatchKind {
    /// It does not follow its schema.
    Different,
    /// To tell would take more than the limits allow.
    TooCostly,
}

impl Mismatch {
    /// What is the matter.
    pub fn kind(&self) -> MismatchKind {
        self.kind
    }

    /// Reasons, the first few; each says where. They quote names, and no other part of the result.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    pub(super) fn different(mut reasons: Vec<String>) -> Self {
        if reasons.is_empty() {
            reasons.push("it is too large to say where".to_owned());
        }
        Self { kind: MismatchKind::Different, reasons }
    }

    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::different(vec![format!("it is not JSON: {error}")])
    }

    pub(super) fn stopped(stop: Stop, limits: SchemaLimits) -> Self {
        let reason = match stop {
            Stop::Steps => format!("the check takes more than {} steps", limits.steps),
            Stop::Nesting => {
                format!("the check goes through more than {} subschemas within each other", limits.nesting)
            }
        };
        Self { kind: MismatchKind::TooCostly, reasons: vec![reason] }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            MismatchKind::Different => "the result does not follow the output schema of its tool",
            MismatchKind::TooCostly => "the result cannot be checked by the output schema of its tool",
        })?;
        write!(f, ": {}", self.reasons.join("; "))
    }
}

impl std::error::Error for Mismatch {}

/// Why a tool's result is not what its output schema promises. The tool ran all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputError {
    /// There is no structured content at all.
    Missing,
    /// The schema itself cannot be used.
    Schema(SchemaError),
    /// The structured content does not follow the schema.
    Mismatch(Mismatch),
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("its output schema promises structured content, and there is none"),
            Self::Schema(error) => error.fmt(f),
            Self::Mismatch(mismatch) => mismatch.fmt(f),
        }
    }
}

impl std::error::Error for OutputError {}

/// Where something is, for people.
pub(super) fn place(pointer: &str) -> String {
    if pointer.is_empty() { "the top".to_owned() } else { quote(pointer) }
}

/// Foreign text, cut to a bounded length and without control characters.
pub(super) fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_QUOTE).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if short.len() < text.len() && text.chars().nth(MAX_QUOTE).is_some() {
        short.push('…');
    }
    short
}
