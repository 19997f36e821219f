//! Repair of strings that contain half of a surrogate pair, such as `"\ud83d"`.
//!
//! Peers that cut a UTF-16 string in the middle of a pair send such strings. They have no representation in UTF-8, so
//! `serde_json` rejects them, and with them the whole message. As in other decoders, the half is read as U+FFFD.

use std::borrow::Cow;

/// The length of an escape such as `\ud83d`.
const ESCAPE: usize = 6;

/// Replaces each half of a surrogate pair in `json` by `\ufffd`, which has the same length. `json` must be valid JSON,
/// except for the halves.
///
/// ```
/// use ferromcp_core::wire::replace_lone_surrogates;
/// assert_eq!(replace_lone_surrogates(r#"["ab\ud83d","\ud83d\ude00"]"#), r#"["ab\ufffd","\ud83d\ude00"]"#);
/// ```
pub fn replace_lone_surrogates(json: &str) -> Cow<'_, str> {
    if !json.contains(r"\ud") && !json.contains(r"\uD") {
        return Cow::Borrowed(json);
    }
    let mut repaired: Option<Vec<u8>> = None;
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(offset) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        at += offset;
        at += match surrogate_at(bytes, at) {
            Some(Half::High) if matches!(surrogate_at(bytes, at + ESCAPE), Some(Half::Low)) => 2 * ESCAPE,
            Some(_) => {
                let repaired = repaired.get_or_insert_with(|| bytes.to_vec());
                repaired[at..at + ESCAPE].copy_from_slice(br"\ufffd");
                ESCAPE
            }
            None => 2, // the escaped character may be a backslash
        };
        at = at.min(bytes.len());
    }
    match repaired.map(String::from_utf8) {
        Some(Ok(repaired)) => Cow::Owned(repaired),
        Some(Err(_)) | None => Cow::Borrowed(json), // ASCII replaced by ASCII is still UTF-8
    }
}

/// A half of a surrogate pair.
enum Half {
    High,
    Low,
}

/// Returns the half of a surrogate pair whose escape starts at `at`.
fn surrogate_at(bytes: &[u8], at: usize) -> Option<Half> {
    let digits = bytes.get(at..at + ESCAPE)?.strip_prefix(br"\u")?;
    match digits {
        [b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', rest @ ..] if is_hex(rest) => Some(Half::High),
        [b'd' | b'D', b'c'..=b'f' | b'C'..=b'F', rest @ ..] if is_hex(rest) => Some(Half::Low),
        _ => None,
    }
}

fn is_hex(digits: &[u8]) -> bool {
    digits.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_halves_of_pairs_in_values_and_keys() {
        // C10
        for (json, repaired) in [
            (r#""ab\ud83d""#, r#""ab\ufffd""#),
            (r#""\uDE00x""#, r#""\ufffdx""#),
            (r#"{"\ud83d":["\ud83d\ud83d\ude00"]}"#, r#"{"\ufffd":["\ufffd\ud83d\ude00"]}"#),
            (r#""\ud83d\n\udc00""#, r#""\ufffd\n\ufffd""#),
            (r#""\\ud83d \\\ud83d""#, r#""\\ud83d \\\ufffd""#),
            (r#""\ud83d\ude00 \u0041""#, r#""\ud83d\ude00 \u0041""#),
            (r#""\ud83dé""#, r#""\ufffdé""#),
        ] {
            assert_eq!(replace_lone_surrogates(json), repaired);
            assert!(serde_json::from_str::<serde_json::Value>(repaired).is_ok());
        }
    }

    #[test]
    fn leaves_truncated_escapes_when_text_is_not_json() {
        for text in ["\\", "\\u", "\\ud8", "\"\\ud83", "\\ud8zz", "x\\ud83d\\", ""] {
            let _ = replace_lone_surrogates(text);
        }
        assert_eq!(replace_lone_surrogates("\\ud83"), "\\ud83");
    }
}
