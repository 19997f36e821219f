//! Why a mark in an input schema makes a tool invalid for HTTP, and where it stands.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#schema-extension>.

use std::fmt;

/// A mark that makes a tool invalid for HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAnnotation {
    place: String,
    flaw: Flaw,
}

impl BadAnnotation {
    pub(super) fn new(place: String, flaw: Flaw) -> Self {
        Self { place, flaw }
    }

    /// Where in the schema, as a JSON pointer; empty for the root or the schema as a whole.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong there.
    pub fn flaw(&self) -> Flaw {
        self.flaw
    }
}

impl fmt::Display for BadAnnotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The place holds names a stranger chose; quoted, they cannot forge a line in a log.
        write!(f, "`x-mcp-header` at {:?} {}", self.place, self.flaw)
    }
}

impl std::error::Error for BadAnnotation {}

/// What is wrong with a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// It is not a string.
    NotText,
    /// It is empty.
    Empty,
    /// It is not a token of RFC 9110.
    NotToken,
    /// It is longer than `ScanLimits::max_name_len`.
    TooLong,
    /// Another parameter has the name already, perhaps in another case.
    Taken,
    /// The property's type is not exactly one of string, integer and boolean.
    Type,
    /// It does not sit on a property reached through `properties` alone.
    Elsewhere,
    /// The schema has more marks than `ScanLimits::max_annotations`.
    TooMany,
    /// The schema nests deeper than `ScanLimits::max_depth`.
    TooDeep,
    /// The schema cannot be read, for example for a number beyond all bounds.
    Unreadable,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotText => "is not a string",
            Self::Empty => "is empty",
            Self::NotToken => "is not a token (RFC 9110)",
            Self::TooLong => "is too long",
            Self::Taken => "names a header that another parameter has already",
            Self::Type => "marks a property whose type is not string, integer or boolean",
            Self::Elsewhere => "is not on a property reached through `properties` alone",
            Self::TooMany => "is one too many",
            Self::TooDeep => "may stand in a schema that nests too deep",
            Self::Unreadable => "may stand in a schema that cannot be read",
        })
    }
}
