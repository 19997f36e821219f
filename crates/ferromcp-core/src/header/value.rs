//! Encodes any text as a header value: unchanged if it is safe, otherwise as Base64 between two markers.
//!
//! Used for `Mcp-Name` and `Mcp-Param-*` only. `Mcp-Method` and `MCP-Protocol-Version` are never encoded.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#value-encoding>.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

/// Encodes `text` as a header value.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#value-encoding>.
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

/// Decodes a header value. Leading and trailing whitespace is ignored.
///
/// # Errors
/// Returns an error if the value has invalid characters, or invalid Base64 or UTF-8 between the markers.
pub fn decode(value: &[u8]) -> Result<Cow<'_, str>, HeaderError> {
    let value = trim(value)?;
    let Some(middle) = between_markers(value) else { return Ok(Cow::Borrowed(value)) };
    // The engine is strict: padding is required, and unused bits must be zero.
    let bytes = STANDARD.decode(middle).map_err(|_| HeaderError::Base64)?;
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| HeaderError::Utf8)
}

/// The reason why a header value cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The value has a byte that is neither visible ASCII, space nor tab.
    Character,
    /// The text between the markers is not standard Base64 with padding.
    Base64,
    /// The bytes between the markers are not UTF-8.
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

/// Returns the value without leading and trailing whitespace, validated as ASCII.
pub(super) fn trim(value: &[u8]) -> Result<&str, HeaderError> {
    // RFC 9110 allows tabs inside a value. `encode` never produces one, but accepting it is harmless.
    let legal = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    if !value.iter().all(legal) {
        return Err(HeaderError::Character);
    }
    let text = std::str::from_utf8(value).map_err(|_| HeaderError::Character)?;
    Ok(text.trim_matches([' ', '\t']))
}

/// Returns the text between the markers, or `None` if one is missing. In `=?base64?=` the markers overlap, so this is
/// plain text.
fn between_markers(value: &str) -> Option<&str> {
    value.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)
}

/// Returns `true` if `text` can be sent as a header value without encoding.
fn is_safe(text: &str) -> bool {
    // Overlapping markers are encoded as well, because a naive decoder would fail on them.
    let looks_encoded = text.starts_with(PREFIX) && text.ends_with(SUFFIX);
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && !looks_encoded
}
