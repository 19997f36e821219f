//! What a message says a second time in HTTP headers, so that proxies need not read the body.
//!
//! Pure functions for both sides: the client computes headers from the body, the server compares
//! them. No HTTP type is needed here; header values are bytes.
//!
//! | file | what |
//! |---|---|
//! | [`field`] | the names of the headers |
//! | `value` | [`encode`] and [`decode`]: any text as a header value |
//! | `name` | what `Mcp-Name` repeats: [`name_of`], [`check_name`] |
//! | `annotation` | [`scan`]: which parameters of a tool are repeated, by its schema |
//! | `flaw` | what is wrong with such a mark |
//! | `mirror` | [`mirror`] and [`check`]: the `Mcp-Param-*` headers of a call |
//! | `mismatch` | what is wrong when header and body differ |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

pub(crate) mod annotation;
pub mod field;
pub(crate) mod flaw;
pub(crate) mod integer;
pub(crate) mod mirror;
pub(crate) mod mismatch;
pub(crate) mod name;
#[cfg(test)]
mod tests;
pub(crate) mod value;

pub use annotation::{Annotation, Kind, ScanLimits, scan, scan_within};
pub use flaw::{BadAnnotation, Flaw};
pub use mirror::{check, mirror};
pub use mismatch::{Mismatch, Reason};
pub use name::{check_name, name_of};
pub use value::{HeaderError, decode, encode};
