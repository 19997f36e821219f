//! The error of an invalid `x-mcp-header` annotation.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#schema-extension>.

use std::fmt;

/// An invalid `x-mcp-header` annotation, which makes the tool unavailable over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidAnnotation {
    pointer: String,
    kind: InvalidAnnotationKind,
}

impl InvalidAnnotation {
    pub(super) fn new(pointer: String, kind: InvalidAnnotationKind) -> Self {
        Self { pointer, kind }
    }

    /// Returns the location in the schema, as a JSON pointer. Empty for the root and for the schema as a whole.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Returns the kind of error.
    pub fn kind(&self) -> InvalidAnnotationKind {
        self.kind
    }
}

impl fmt::Display for InvalidAnnotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pointer contains names from untrusted input; quoting prevents log injection.
        write!(f, "`x-mcp-header` at {:?} {}", self.pointer, self.kind)
    }
}

impl std::error::Error for InvalidAnnotation {}

/// The kinds of [`InvalidAnnotation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidAnnotationKind {
    /// The value is not a string.
    NotText,
    /// The value is empty.
    Empty,
    /// The value is not a token (RFC 9110).
    NotToken,
    /// The value is longer than 128 bytes.
    TooLong,
    /// Another parameter already uses the same header name. Header names are case-insensitive.
    Taken,
    /// The type of the property is not exactly one of string, integer and boolean.
    Type,
    /// The annotation is not on a property that is reachable through `properties` alone.
    Elsewhere,
    /// The schema has more than 64 annotations.
    TooMany,
    /// The schema is nested deeper than 64 levels.
    TooDeep,
    /// The schema cannot be parsed, for example because of a number out of range.
    Unreadable,
}

impl fmt::Display for InvalidAnnotationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotText => "is not a string",
            Self::Empty => "is empty",
            Self::NotToken => "is not a token (RFC 9110)",
            Self::TooLong => "is too long",
            Self::Taken => "uses the header name of another parameter",
            Self::Type => "is on a property with a type that is not string, integer or boolean",
            Self::Elsewhere => "is not on a property reached through `properties` alone",
            Self::TooMany => "exceeds the maximum number of annotations",
            Self::TooDeep => "cannot be checked: the schema is nested too deeply",
            Self::Unreadable => "cannot be checked: the schema cannot be parsed",
        })
    }
}
