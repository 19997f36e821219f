//! Any text as a header value: as it is where that is safe, else in Base64 between two markers.
//!
//! For `Mcp-Name` and `Mcp-Param-*` only; `Mcp-Method` and `MCP-Protocol-Version` stay plain.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#value-encoding>.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

/// Writes `text` as a header value.
///
/// ```
/// use ferromcp_core::header::{decode, encode};
/// assert_eq!(encode("us-west1"), "us-west1");
/// assert_eq!(encode("Grüße"), "=?base64?R3LDvMOfZQ==?=");
/// assert_eq!(decode(b"=?base64?R3LDvMOfZQ==?=")?, "Grüße");
/// # Ok::<_, ferromcp_core::header::HeaderError>(())
/// ```
pub fn encode(text: &str) -> Cow<'_, str> {
    if is_safe(text) { Cow::Borrowed(text) } else { Cow::Owned(format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(text))) }
}

/// Reads a header value that [`encode`] or another peer wrote; blanks around it do not count.
pub fn decode(value: &[u8]) -> Result<Cow<'_, str>, HeaderError> {
    let value = trim(value)?;
    let Some(middle) = between_markers(value) else { return Ok(Cow::Borrowed(value)) };
    // The engine is strict: padding is required, and bits that say nothing must be zero.
    let bytes = STANDARD.decode(middle).map_err(|_| HeaderError::Base64)?;
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| HeaderError::Utf8)
}

/// Why a header value cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// It has a byte that is neither visible ASCII nor a blank.
    Character,
    /// What stands between the markers is not standard Base64 with padding.
    Base64,
    /// What stands between the markers is not UTF-8.
    Utf8,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Character => "has invalid characters",
            Self::Base64 => "is not standard Base64 with padding between its markers",
            Self::Utf8 => "is not UTF-8 between its markers",
        })
    }
}

impl std::error::Error for HeaderError {}

/// The value without blanks around it, known to be ASCII.
pub(super) fn trim(value: &[u8]) -> Result<&str, HeaderError> {
    // RFC 9110 allows a tab within a value; we never write one, but it does no harm.
    let legal = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    if !value.iter().all(legal) {
        return Err(HeaderError::Character);
    }
    let text = std::str::from_utf8(value).map_err(|_| HeaderError::Character)?;
    Ok(text.trim_matches([' ', '\t']))
}

/// What stands between the markers, if both are there. In `=?base64?=` they share a `?`: no markers.
fn between_markers(value: &str) -> Option<&str> {
    value.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)
}

/// Whether `text` reads the same after a journey through a header.
fn is_safe(text: &str) -> bool {
    // Here the shared `?` counts: a careless reader slices such a value and fails.
    let looks_encoded = text.starts_with(PREFIX) && text.ends_with(SUFFIX);
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && !looks_encoded
}
