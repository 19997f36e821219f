//! Errors of structured tool output.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools#output-schema>.

use std::fmt;

pub use ferromcp_json_schema::{SchemaError, SchemaErrorKind, ValidationError, ValidationErrorKind};

/// Reason why the structured output of a tool failed validation. The tool ran nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputError {
    /// The tool has an output schema, and its result has no structured content.
    Missing,
    /// The output schema does not compile.
    Schema(SchemaError),
    /// The structured content does not match the output schema.
    Mismatch(ValidationError),
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the tool has an output schema, and the result has no structured content"),
            Self::Schema(error) => error.fmt(f),
            Self::Mismatch(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OutputError {}
