//! The error of a header that does not match the body.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#server-validation>.

use std::fmt;

use super::value::HeaderError;
use crate::error::{Error, ErrorCode};

/// A header that does not match the body.
///
/// Converts to an [`Error`] with code -32020, which is sent with HTTP status 400. The message contains the header name
/// but no values, because values can be confidential and messages are logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderMismatch {
    header: String,
    reason: MismatchReason,
}

impl HeaderMismatch {
    /// Creates an error for `header`.
    pub fn new(header: impl Into<String>, reason: MismatchReason) -> Self {
        Self { header: header.into(), reason }
    }

    /// Returns the header name.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Returns the reason.
    pub fn reason(&self) -> MismatchReason {
        self.reason
    }
}

impl fmt::Display for HeaderMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header mismatch: {} {}", self.header, self.reason)
    }
}

impl std::error::Error for HeaderMismatch {}

impl From<HeaderMismatch> for Error {
    fn from(mismatch: HeaderMismatch) -> Self {
        Self::new(ErrorCode::HEADER_MISMATCH, mismatch.to_string())
    }
}

/// The reason of a [`HeaderMismatch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MismatchReason {
    /// The body has a value, but the header is missing.
    Missing,
    /// The header is present, but the body has no value.
    Unexpected,
    /// The header is present more than once, so two implementations could read different values.
    Repeated,
    /// The header value cannot be decoded.
    Invalid(HeaderError),
    /// The header value and the body value differ.
    Different,
    /// The argument is an object, an array or a fractional number, which a header cannot represent.
    NotMirrorable,
    /// The argument is an integer outside ±(2^53 - 1).
    OutOfRange,
    /// The arguments contain the parameter twice, so two implementations could read different values.
    Ambiguous,
    /// The arguments cannot be parsed, for example because of an unpaired surrogate.
    Unreadable,
}

impl fmt::Display for MismatchReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is missing",
            Self::Unexpected => "is present, but the body has no value for it",
            Self::Repeated => "is present more than once",
            Self::Invalid(error) => return error.fmt(f),
            Self::Different => "does not match the body",
            Self::NotMirrorable => "can represent only a string, an integer or a boolean",
            Self::OutOfRange => "can represent only integers within ±(2^53 - 1)",
            Self::Ambiguous => "repeats a parameter that occurs twice in the body",
            Self::Unreadable => "repeats an argument that cannot be parsed",
        })
    }
}
