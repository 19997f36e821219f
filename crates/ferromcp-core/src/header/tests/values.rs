//! Tests of header value encoding and decoding.

use proptest::prelude::*;

use crate::header::{HeaderError, decode, encode};

fn read(value: &str) -> Result<String, HeaderError> {
    decode(value.as_bytes()).map(std::borrow::Cow::into_owned)
}

#[test]
fn safe_text_is_not_encoded() {
    // M26-206
    for text in ["us-west1", "a b  c", "file:///a/b?c=%20", "~!@#$%^&*()", "42", "true", "."] {
        assert_eq!(encode(text), text);
        assert_eq!(read(text).unwrap(), text);
    }
}

#[test]
fn empty_text_is_an_empty_value() {
    // M26-206
    assert_eq!(encode(""), "");
    assert_eq!(read("").unwrap(), "");
    assert_eq!(read(" \t ").unwrap(), "");
    assert_eq!(read("=?base64??=").unwrap(), "");
}

#[test]
fn encodes_unsafe_text_as_base64() {
    // M26-179, M26-207
    for (text, value) in [
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        (" a", "=?base64?IGE=?="),
        ("a ", "=?base64?YSA=?="),
        ("\ta", "=?base64?CWE=?="),
        ("a\tb", "=?base64?YQli?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
        ("a\r\nX-Evil: 1", "=?base64?YQ0KWC1FdmlsOiAx?="),
        ("\0", "=?base64?AA==?="),
        ("\u{7f}", "=?base64?fw==?="),
        ("\u{a0}", "=?base64?wqA=?="),
        ("ÿþ~", "=?base64?w7/Dvn4=?="), // `/` and not `_`
        ("é", "=?base64?w6k=?="),
    ] {
        assert_eq!(encode(text), value);
        assert_eq!(read(value).unwrap(), text);
    }
}

#[test]
fn encodes_text_when_it_looks_encoded() {
    // M26-209
    for text in ["=?base64?literal?=", "=?base64??=", "=?base64?=", "=?base64?SGk=?="] {
        let value = encode(text);
        assert!(value.starts_with("=?base64?") && value != text, "{value}");
        assert_eq!(read(&value).unwrap(), text);
    }
}

#[test]
fn single_marker_is_plain_text() {
    // M26-208, M26-209
    for text in ["=?base64?SGk=", "SGk=?=", "=?base64?", "?=", "=?BASE64?SGk=?=", "=?Base64?SGk=?=", "x=?base64?SGk=?="]
    {
        assert_eq!(encode(text), text);
        assert_eq!(read(text).unwrap(), text);
    }
}

#[test]
fn overlapping_markers_are_plain_text() {
    // M26-209: ten characters with overlapping markers
    assert_eq!(read("=?base64?=").unwrap(), "=?base64?=");
    assert_eq!(encode("=?base64?="), "=?base64?PT9iYXNlNjQ/PQ==?=");
}

#[test]
fn returns_error_when_base64_is_not_canonical() {
    // M26-186, M26-187, M26-210, M26-214
    for (value, error) in [
        ("=?base64?SGVsbG8?=", HeaderError::Base64),   // no padding
        ("=?base64?SGVsbG8==?=", HeaderError::Base64), // too much padding
        ("=?base64?SGVs bG8=?=", HeaderError::Base64), // a space
        ("=?base64?w7_Dvn4=?=", HeaderError::Base64),  // URL-safe alphabet
        ("=?base64?SGVsbG9=?=", HeaderError::Base64),  // unused bits are not zero
        ("=?base64?%%%?=", HeaderError::Base64),
        ("=?base64?=?=", HeaderError::Base64),
        ("=?base64?/w==?=", HeaderError::Utf8),
        ("=?base64?7aCA?=", HeaderError::Utf8), // an unpaired surrogate
    ] {
        assert_eq!(read(value), Err(error), "{value}");
    }
}

#[test]
fn returns_error_when_value_has_invalid_characters() {
    // M26-186, M26-214
    for value in [&b"a\x00"[..], b"a\nb", b"\r", b"\x7f", b"\xff", "é".as_bytes(), b"=?base64?\x01?="] {
        assert_eq!(decode(value), Err(HeaderError::Character), "{value:?}");
    }
    assert_eq!(read("a\tb").unwrap(), "a\tb");
}

#[test]
fn ignores_surrounding_whitespace() {
    // M26-181
    assert_eq!(read(" \tus-west1\t ").unwrap(), "us-west1");
    assert_eq!(read("  =?base64?IGE=?=  ").unwrap(), " a");
}

#[test]
fn errors_describe_the_problem() {
    assert_eq!(HeaderError::Base64.to_string(), "is not standard Base64 with padding between its markers");
    assert_eq!(HeaderError::Utf8.to_string(), "is not UTF-8 between its markers");
    assert_eq!(HeaderError::Character.to_string(), "has invalid characters");
}

proptest! {
    #[test]
    fn any_text_round_trips(text in any::<String>()) {
        // M26-179, M26-207
        let value = encode(&text);
        prop_assert_eq!(decode(value.as_bytes()).unwrap(), text.as_str());
    }

    #[test]
    fn any_encoded_looking_text_round_trips(text in "(=\\?base64\\?)?[ \t=?a-zA-Z0-9+/_-]{0,12}(\\?=)?") {
        // M26-209
        let value = encode(&text);
        prop_assert_eq!(decode(value.as_bytes()).unwrap(), text.as_str());
    }

    #[test]
    fn encoded_value_is_visible_ascii(text in prop_oneof![any::<String>(), "[ \t\r\na-z]{0,8}"]) {
        // M26-207
        let value = encode(&text);
        prop_assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{}", value);
        prop_assert_eq!(value.trim(), &*value);
    }

    #[test]
    fn decodes_any_bytes_or_returns_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
        middle in "[ -~]{0,16}",
    ) {
        // M26-186
        if let Ok(text) = decode(&bytes) {
            prop_assert!(bytes.iter().all(u8::is_ascii));
            prop_assert!(decode(encode(&text).as_bytes()).unwrap() == text);
        }
        let sentinel = format!("=?base64?{middle}?=");
        if let Ok(text) = decode(sentinel.as_bytes()) {
            // Only the canonical Base64 encoding of a text is accepted.
            use base64::Engine as _;
            prop_assert_eq!(base64::engine::general_purpose::STANDARD.encode(text.as_bytes()), middle);
        }
    }
}
