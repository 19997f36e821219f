//! Errors of compilation and validation.

use std::fmt;

use crate::limits::MAX_NESTING;
use crate::rule::LimitExceeded;

/// Maximum length of a quotation from a schema or value in an error text, in characters.
const MAX_QUOTE: usize = 120;

/// A schema that does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    kind: SchemaErrorKind,
    message: String,
}

/// Categories of [`SchemaError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaErrorKind {
    /// The schema is not valid JSON Schema.
    Invalid,
    /// `$schema` names an unsupported dialect.
    Dialect,
    /// A reference points outside of the schema, or to a missing subschema.
    Reference,
    /// A pattern is not a valid regular expression, or needs look-around or back-references.
    Pattern,
    /// The schema exceeds a limit of [`SchemaLimits`](crate::SchemaLimits).
    TooLarge,
}

impl SchemaError {
    /// Returns the category of the error.
    pub fn kind(&self) -> SchemaErrorKind {
        self.kind
    }

    fn new(kind: SchemaErrorKind, message: String) -> Self {
        Self { kind, message }
    }

    pub(super) fn too_large(unit: &str, limit: usize) -> Self {
        Self::new(SchemaErrorKind::TooLarge, format!("more than {limit} {unit}"))
    }

    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::new(SchemaErrorKind::Invalid, format!("not valid JSON: {error}"))
    }

    pub(super) fn invalid(pointer: &str, problem: &str) -> Self {
        Self::new(SchemaErrorKind::Invalid, format!("at {}: {problem}", location(pointer)))
    }

    pub(super) fn dialect(name: &str) -> Self {
        let name = quote(name);
        Self::new(
            SchemaErrorKind::Dialect,
            format!("unsupported dialect `{name}`; use 2020-12, or draft-07 with a `$schema` that names it"),
        )
    }

    pub(super) fn reference(pointer: &str, uri: &str) -> Self {
        let (location, uri) = (location(pointer), quote(uri));
        Self::new(
            SchemaErrorKind::Reference,
            format!("at {location}: cannot resolve `{uri}` within the schema; references are never fetched"),
        )
    }

    pub(super) fn pattern(pointer: &str, pattern: &str) -> Self {
        let (location, pattern) = (location(pointer), quote(pattern));
        Self::new(
            SchemaErrorKind::Pattern,
            format!(
                "at {location}: pattern `{pattern}` is invalid, too large, or needs look-around or back-references"
            ),
        )
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot compile schema: {}", self.message)
    }
}

impl std::error::Error for SchemaError {}

/// A value that failed validation, or whose validation exceeded a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    kind: ValidationErrorKind,
    reasons: Vec<String>,
}

/// Categories of [`ValidationError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValidationErrorKind {
    /// The value does not match the schema.
    Mismatch,
    /// Validation exceeded [`SchemaLimits::steps`](crate::SchemaLimits::steps) or the maximum nesting; the outcome is
    /// unknown.
    LimitExceeded,
}

impl ValidationError {
    /// Returns the category of the error.
    pub fn kind(&self) -> ValidationErrorKind {
        self.kind
    }

    /// Returns the first reasons, at most 5, each with a JSON Pointer.
    ///
    /// Reasons quote property names and no values, because values may be secrets.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    pub(super) fn mismatch(mut reasons: Vec<String>) -> Self {
        if reasons.is_empty() {
            reasons.push("the value is too large to locate the mismatch".to_owned());
        }
        Self { kind: ValidationErrorKind::Mismatch, reasons }
    }

    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::mismatch(vec![format!("not valid JSON: {error}")])
    }

    pub(super) fn limit_exceeded(exceeded: LimitExceeded, steps: u64) -> Self {
        let reason = match exceeded {
            LimitExceeded::Steps => format!("more than {steps} steps (`SchemaLimits::steps`)"),
            LimitExceeded::Nesting => format!("more than {MAX_NESTING} nested subschemas"),
        };
        Self { kind: ValidationErrorKind::LimitExceeded, reasons: vec![reason] }
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ValidationErrorKind::Mismatch => "value does not match the schema",
            ValidationErrorKind::LimitExceeded => "validation exceeded a limit",
        })?;
        write!(f, ": {}", self.reasons.join("; "))
    }
}

impl std::error::Error for ValidationError {}

/// Formats a JSON Pointer for an error text.
pub(super) fn location(pointer: &str) -> String {
    if pointer.is_empty() { "the root".to_owned() } else { quote(pointer) }
}

/// Truncates a foreign text and replaces its control characters.
pub(super) fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(MAX_QUOTE).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if short.len() < text.len() && text.chars().nth(MAX_QUOTE).is_some() {
        short.push('…');
    }
    short
}
