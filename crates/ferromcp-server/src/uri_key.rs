//! Comparison of URIs: equivalent URIs have the same key.
//!
//! Clients and hosts parse URIs before they send them back, which changes their text: the scheme and the host become
//! lowercase, an empty path becomes `/`, and characters are percent-encoded. The key undoes these changes (RFC 3986,
//! section 6.2). Paths are case-sensitive, and so are the hosts of schemes other than those below.

use std::borrow::Cow;

/// The schemes whose authority is a host, with their default ports.
const HOST_SCHEMES: [(&str, &str); 6] =
    [("http", "80"), ("https", "443"), ("ws", "80"), ("wss", "443"), ("ftp", "21"), ("file", "")];

/// Returns the key of a URI.
pub(crate) fn uri_key(uri: &str) -> Cow<'_, str> {
    match lowercase_start(uri) {
        Cow::Borrowed(uri) => normalize_encoding(uri),
        Cow::Owned(uri) => match normalize_encoding(&uri) {
            Cow::Borrowed(_) => Cow::Owned(uri),
            Cow::Owned(encoded) => Cow::Owned(encoded),
        },
    }
}

/// Returns a URI as templates are compared with it: with a lowercase scheme and host. Variables keep their text.
pub(crate) fn lowercase_start(uri: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = split_scheme(uri) else { return Cow::Borrowed(uri) };
    let host_scheme = HOST_SCHEMES.iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name));
    let (Some((scheme_key, port)), Some(rest)) = (host_scheme, rest.strip_prefix("//")) else {
        let is_lowercase = !scheme.bytes().any(|byte| byte.is_ascii_uppercase());
        return if is_lowercase { uri.into() } else { format!("{}:{rest}", scheme.to_ascii_lowercase()).into() };
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
    let host = host.to_ascii_lowercase();
    let without_port = host.strip_suffix(port).and_then(|host| host.strip_suffix(':'));
    let host = without_port.or_else(|| host.strip_suffix(':')).unwrap_or(&host);
    let at = if user.is_empty() { "" } else { "@" };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let key = format!("{scheme_key}://{user}{at}{host}{slash}{path}");
    if key == uri { Cow::Borrowed(uri) } else { Cow::Owned(key) }
}

/// Returns a URI without the percent-encoding of characters that need none (RFC 3986, section 6.2.2.2), or `None` if it has
/// no such characters. Captured values stay the same, because they are decoded once more.
pub(crate) fn decode_unreserved(uri: &str) -> Option<String> {
    if !uri.contains('%') {
        return None;
    }
    let mut decoded = String::with_capacity(uri.len());
    let mut rest = uri;
    while let Some(at) = rest.find('%') {
        let (before, encoded) = rest.split_at(at);
        decoded.push_str(before);
        let length = match encoded_byte(encoded) {
            Some(byte) if is_unreserved(byte) => {
                decoded.push(char::from(byte));
                3
            }
            _ => {
                decoded.push('%');
                1
            }
        };
        rest = &encoded[length..];
    }
    decoded.push_str(rest);
    (decoded.len() < uri.len()).then_some(decoded)
}

/// Returns the byte that a text starts with in percent-encoding.
pub(crate) fn encoded_byte(text: &str) -> Option<u8> {
    let [b'%', high, low, ..] = text.as_bytes() else { return None };
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(*high)? << 4) | digit(*low)?)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Returns a URI template whose scheme and host are lowercase, except inside of expressions.
pub(crate) fn template_key(template: &str) -> String {
    let literal_end = template.find('{').unwrap_or(template.len());
    let Some((scheme, _)) = split_scheme(&template[..literal_end]) else { return template.to_owned() };
    let scheme_key = scheme.to_ascii_lowercase();
    let rest = &template[scheme.len()..];
    if !HOST_SCHEMES.iter().any(|(name, _)| *name == scheme_key) || !rest.starts_with("://") {
        return scheme_key + rest;
    }
    let mut in_expression = false;
    let mut slashes = 0;
    let lowercase_host = |symbol: char| {
        match symbol {
            '{' => in_expression = true,
            '}' => in_expression = false,
            '/' | '?' | '#' if !in_expression => slashes += 1,
            _ => {}
        }
        if in_expression || slashes > 2 { symbol } else { symbol.to_ascii_lowercase() }
    };
    scheme_key + &rest.chars().map(lowercase_host).collect::<String>()
}

/// Returns the URI without its path `/`, if that is its whole path. Templates with an optional path match this form.
pub(crate) fn without_root_path(uri: &str) -> Option<String> {
    let (start, rest) = uri.split_once("://")?;
    let (authority, rest) = rest.split_once('/')?;
    (!authority.contains(['?', '#']) && (rest.is_empty() || rest.starts_with(['?', '#'])))
        .then(|| format!("{start}://{authority}{rest}"))
}

fn split_scheme(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some((scheme, rest))
}

/// Encodes the characters that a URI cannot contain, and decodes those that need no encoding.
fn normalize_encoding(uri: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"%\"<>\\^`{|}".contains(&byte);
    if uri.bytes().all(is_plain) {
        return Cow::Borrowed(uri);
    }
    let mut key = String::with_capacity(uri.len() + 8);
    let encode = |key: &mut String, byte: u8| {
        key.push('%');
        key.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
        key.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
    };
    let mut at = 0;
    while let Some(&byte) = uri.as_bytes().get(at) {
        // A percent sign is a whole character, so the slice is valid.
        let encoded = if byte == b'%' { encoded_byte(&uri[at..]) } else { None };
        at += if encoded.is_some() { 3 } else { 1 };
        match encoded {
            Some(byte) if is_unreserved(byte) => key.push(char::from(byte)),
            Some(byte) => encode(&mut key, byte),
            None if is_plain(byte) => key.push(char::from(byte)),
            None => encode(&mut key, byte),
        }
    }
    Cow::Owned(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_uris_have_the_same_key() {
        // S9
        for (a, b) in [
            ("WordPress://site/x", "wordpress://site/x"),
            ("https://example.com", "https://example.com/"),
            ("HTTPS://Example.COM?q=A", "https://example.com/?q=A"),
            ("https://example.com#Top", "https://example.com/#Top"),
            ("http://example.com:80/a", "http://example.com/a"),
            ("https://User@Example.com:443", "https://User@example.com/"),
            ("http://example.com:", "http://example.com/"),
            ("http://[::1]:80", "http://[::1]/"),
            ("file://LOCALHOST/A", "file://localhost/A"),
            ("notes://a b/ü", "notes://a%20b/%c3%bc"),
            ("notes://%7Eada/%2f", "notes://~ada/%2F"),
            ("URN:a:B", "urn:a:B"),
        ] {
            assert_eq!(uri_key(a), uri_key(b));
        }
    }

    #[test]
    fn different_uris_have_different_keys() {
        // S9
        for (a, b) in [
            ("notes://Site/x", "notes://site/x"),
            ("https://example.com/A", "https://example.com/a"),
            ("https://example.com:8443/", "https://example.com/"),
            ("https://example.com:443/", "http://example.com:443/"),
            ("notes://a%2Fb", "notes://a/b"),
            ("notes://a", "notes://a/"),
            ("https://User@example.com/", "https://user@example.com/"),
        ] {
            assert_ne!(uri_key(a), uri_key(b));
        }
        assert!(matches!(uri_key("notes://all/x?y=1"), Cow::Borrowed(_)));
        assert!(matches!(uri_key("https://example.com/x"), Cow::Borrowed(_)));
    }

    #[test]
    fn unreserved_characters_are_decoded_once() {
        // S9
        for (uri, decoded) in [
            ("notes://my%2Dns/%7e", Some("notes://my-ns/~")),
            ("notes://%41%2Fb%2", Some("notes://A%2Fb%2")),
            ("notes://%2541", None),
            ("notes://a%20b%", None),
            ("notes://ü%", None),
            ("notes://%ü", None),
            ("notes://plain", None),
        ] {
            assert_eq!(decode_unreserved(uri).as_deref(), decoded, "{uri}");
        }
    }

    #[test]
    fn template_key_is_lowercase_only_in_scheme_and_host() {
        // S9
        for (template, key) in [
            ("WordPress://{Site}/X", "wordpress://{Site}/X"),
            ("HTTPS://{Sub}.Example.com/{Id}/A", "https://{Sub}.example.com/{Id}/A"),
            ("https://Example.com{/Path*}", "https://example.com{/Path*}"),
            ("{+Uri}", "{+Uri}"),
            ("Urn:{Id}:A", "urn:{Id}:A"),
        ] {
            assert_eq!(template_key(template), key);
        }
        assert_eq!(without_root_path("https://a/").as_deref(), Some("https://a"));
        assert_eq!(without_root_path("https://a/?x").as_deref(), Some("https://a?x"));
        assert_eq!(without_root_path("https://a/b"), None);
        assert_eq!(without_root_path("https://a?b=/"), None);
    }
}
