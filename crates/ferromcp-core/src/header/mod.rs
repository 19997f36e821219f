//! HTTP headers that repeat parts of the message body, so that proxies can route without parsing the body.
//!
//! Pure functions for both sides: the client computes the headers from the body, and the server
//! validates them. This module uses no HTTP types; header values are bytes.
//!
//! | module | contents |
//! |---|---|
//! | [`field`] | header names |
//! | `value` | [`encode`] and [`decode`]: header values for any text |
//! | `name` | [`name_of`] and [`check_name`]: the `Mcp-Name` header |
//! | `annotation` | [`scan`]: the `x-mcp-header` annotations of an input schema |
//! | `invalid_annotation` | [`InvalidAnnotation`]: the error of an invalid annotation |
//! | `mirror` | [`mirror`] and [`check`]: the `Mcp-Param-*` headers of a call |
//! | `mismatch` | [`HeaderMismatch`]: the error if header and body differ |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

pub(crate) mod annotation;
pub mod field;
pub(crate) mod integer;
pub(crate) mod invalid_annotation;
pub(crate) mod mirror;
pub(crate) mod mismatch;
pub(crate) mod name;
#[cfg(test)]
mod tests;
pub(crate) mod value;

pub use annotation::{Annotation, ParamType, scan};
pub use invalid_annotation::{InvalidAnnotation, InvalidAnnotationKind};
pub use mirror::{check, mirror};
pub use mismatch::{HeaderMismatch, MismatchReason};
pub use name::{check_name, name_of};
pub use value::{HeaderError, decode, encode};
