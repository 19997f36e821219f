//! Writes `WWW-Authenticate` headers: RFC 6750, section 3, and RFC 9449, section 7.1.

use http::HeaderValue;

/// Maximum length of a description, in bytes.
const MAX_DESCRIPTION: usize = 200;

/// Writes a challenge. Parameters without a value are omitted.
///
/// Characters that RFC 6750 does not allow in values, such as quotes and line feeds, are replaced, so that no text can
/// add a parameter or a header.
pub(super) fn challenge(scheme: &'static str, parameters: &[(&str, &str)]) -> HeaderValue {
    let mut text = scheme.to_owned();
    let parameters = parameters.iter().filter(|(_, value)| !value.is_empty());
    for (i, (name, value)) in parameters.enumerate() {
        text.push_str(if i == 0 { " " } else { ", " });
        text.push_str(name);
        text.push_str("=\"");
        text.extend(value.chars().map(safe));
        text.push('"');
    }
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(scheme))
}

/// Returns a description in the characters that are allowed in a challenge, and not too long.
pub(super) fn description(text: &str) -> String {
    text.chars().map(safe).take(MAX_DESCRIPTION).collect()
}

fn safe(c: char) -> char {
    match c {
        '"' | '`' => '\'',
        ' '..='~' if c != '\\' => c,
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_header_injection() {
        let evil = "x\", scope=\"admin\"\r\nSet-Cookie: a=b\u{7f}\u{e9}\\";
        let header = challenge("Bearer", &[("error_description", evil), ("scope", "a b"), ("empty", "")]);
        let expected = r#"Bearer error_description="x', scope='admin'??Set-Cookie: a=b???", scope="a b""#;
        assert_eq!(header, expected);
        assert_eq!(description(&"é".repeat(300)), "?".repeat(MAX_DESCRIPTION));
        assert_eq!(challenge("DPoP", &[("scope", "")]), "DPoP");
    }
}
