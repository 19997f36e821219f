//! Percent-encoding and decoding, and counting of encoded characters.
//!
//! <https://www.rfc-editor.org/rfc/rfc3986#section-2>

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// All characters except the unreserved ones.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// All characters that are neither unreserved nor reserved.
const RESERVED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Writes a value into `out`, with reserved characters and percent triplets kept if `keep_reserved`.
pub(super) fn push_value(out: &mut String, value: &str, keep_reserved: bool) {
    if !keep_reserved {
        out.extend(utf8_percent_encode(value, VALUE));
        return;
    }
    let mut rest = value;
    while let Some(at) = rest.find('%') {
        out.extend(utf8_percent_encode(&rest[..at], RESERVED));
        if triplet(&rest.as_bytes()[at..]).is_some() {
            out.push_str(&rest[at..at + 3]);
            rest = &rest[at + 3..];
        } else {
            out.push_str("%25");
            rest = &rest[at + 1..];
        }
    }
    out.extend(utf8_percent_encode(rest, RESERVED));
}

/// Writes literal text of a template, which can contain non-ASCII characters.
pub(super) fn push_literal(out: &mut String, text: &str) {
    push_value(out, text, true);
}

/// Returns the longest prefix of `value` with at most `limit` characters. A preserved percent triplet counts as the byte
/// it encodes.
pub(super) fn prefix(value: &str, limit: u16, keep_reserved: bool) -> &str {
    let bytes = value.as_bytes();
    let (mut at, mut count) = (0, 0_u32);
    while at < bytes.len() {
        let kept = if keep_reserved { triplet(&bytes[at..]) } else { None };
        let byte = kept.unwrap_or(bytes[at]);
        if !is_continuation(byte) {
            count += 1;
            if count > u32::from(limit) && value.is_char_boundary(at) {
                return &value[..at];
            }
        }
        at += if kept.is_some() { 3 } else { 1 };
    }
    value
}

/// Normalizes a URI to ASCII bytes with upper-case triplets, so that equal URIs compare equal. Returns `None` for a `%`
/// without two digits, and for unencoded control characters.
pub(super) fn normalise(uri: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let bytes = uri.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&raw) = bytes.get(at) {
        let escape = if raw == b'%' { Some(triplet(&bytes[at..])?) } else { None };
        at += if escape.is_some() { 3 } else { 1 };
        match escape.or((!raw.is_ascii()).then_some(raw)) {
            Some(byte) => out.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]),
            None if raw.is_ascii_control() => return None,
            None => out.push(raw),
        }
    }
    Some(out)
}

/// Decodes the bytes; returns `None` if they are not UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    percent_decode(bytes).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Returns the byte encoded by a leading `%XY`.
pub(super) fn triplet(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = *bytes else {
        return None;
    };
    Some(digit(high)? << 4 | digit(low)?)
}

/// Returns true if the byte is a UTF-8 continuation byte.
pub(super) fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
