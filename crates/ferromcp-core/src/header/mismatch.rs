//! Header and body that do not say the same.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#server-validation>.

use std::fmt;

use super::value::HeaderError;
use crate::error::{Error, ErrorCode};

/// A header that does not repeat what the body says, or cannot.
///
/// As an [`Error`] it is -32020, which goes with HTTP status 400. It names the header, never a value:
/// values may be private, and messages end up in logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    header: String,
    reason: Reason,
}

impl Mismatch {
    /// `header` is wrong for `reason`.
    pub fn new(header: impl Into<String>, reason: Reason) -> Self {
        Self { header: header.into(), reason }
    }

    /// The header's name.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// What is wrong.
    pub fn reason(&self) -> Reason {
        self.reason
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header mismatch: {} {}", self.header, self.reason)
    }
}

impl std::error::Error for Mismatch {}

impl From<Mismatch> for Error {
    fn from(mismatch: Mismatch) -> Self {
        Self::new(ErrorCode::HEADER_MISMATCH, mismatch.to_string())
    }
}

/// What is wrong with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The body has a value and the header is not there.
    Missing,
    /// The header is there and the body has no value.
    Unexpected,
    /// The header is there more than once, so two readers could see different values.
    Repeated,
    /// The header cannot be read.
    Invalid(HeaderError),
    /// They say different things.
    Different,
    /// The argument is an object, an array or a number with a fraction; no header can repeat it.
    NotMirrorable,
    /// The argument is an integer outside ±(2^53 - 1).
    OutOfRange,
    /// The arguments name the parameter twice, so two readers could see different values.
    Ambiguous,
    /// The arguments cannot be read, for example for half a surrogate pair.
    Unreadable,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is missing",
            Self::Unexpected => "is there, but the body has no value for it",
            Self::Repeated => "is there more than once",
            Self::Invalid(error) => return error.fmt(f),
            Self::Different => "does not match the body",
            Self::NotMirrorable => "can repeat only a string, an integer or a boolean",
            Self::OutOfRange => "can repeat only integers within ±(2^53 - 1)",
            Self::Ambiguous => "repeats a parameter that the body names twice",
            Self::Unreadable => "repeats an argument that cannot be read",
        })
    }
}
