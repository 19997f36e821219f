//! The headers in which a proxy forwards the host and the address of a client.

use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Returns the address in `X-Forwarded-For` or `Forwarded` that the proxy which sent the request has added.
pub(super) fn client(headers: &HeaderMap) -> Option<IpAddr> {
    let forwarded = last_value(headers, &X_FORWARDED_FOR)
        .or_else(|| last_value(headers, &FORWARDED).and_then(|element| parameter(element, b"for=")));
    std::str::from_utf8(forwarded?).ok().and_then(parse_node)
}

/// Returns the hosts in `X-Forwarded-Host` and `Forwarded`. With several values, the last one is from the proxy that
/// sent the request; the others are not trusted. Spec: <https://www.rfc-editor.org/rfc/rfc7239#section-5.3>.
pub(super) fn hosts(headers: &HeaderMap) -> [Option<&[u8]>; 2] {
    let plain = last_value(headers, &X_FORWARDED_HOST);
    [plain, last_value(headers, &FORWARDED).and_then(|element| parameter(element, b"host="))]
}

/// Returns the last element of a comma-separated header.
fn last_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let line = headers.get_all(name).iter().next_back()?.as_bytes();
    Some(line.rsplit(|byte| *byte == b',').next().unwrap_or(line).trim_ascii())
}

/// Returns the value of `name=` in an element such as `for=1.2.3.4;host="example.com:8000";proto=https`.
fn parameter<'h>(element: &'h [u8], name: &[u8]) -> Option<&'h [u8]> {
    element.split(|byte| *byte == b';').find_map(|parameter| {
        let (key, value) = parameter.trim_ascii().split_at_checked(name.len())?;
        if !key.eq_ignore_ascii_case(name) {
            return None;
        }
        Some(value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value))
    })
}

/// Parses the address of a forwarded node: `192.0.2.43`, `192.0.2.43:47011`, `2001:db8::17` or `[2001:db8::17]:4711`.
fn parse_node(node: &str) -> Option<IpAddr> {
    let bracketed = node.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let parsed = bracketed.unwrap_or(node).parse().ok();
    parsed.or_else(|| node.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::guard::Guard;

    fn client_of(name: &'static str, value: &'static str) -> Option<String> {
        let mut guard = Guard::default();
        guard.trust_proxy("10.0.0.0/8");
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        let untrusted = guard.client_address(&headers, Some([192, 0, 2, 1].into()));
        assert_eq!(untrusted, Some([192, 0, 2, 1].into()), "the headers of others are ignored");
        guard.client_address(&headers, Some([10, 0, 0, 7].into())).map(|address| address.to_string())
    }

    #[test]
    fn client_address_is_the_last_one_that_a_trusted_proxy_forwards() {
        for (name, value, expected) in [
            ("x-forwarded-for", "203.0.113.5", Some("203.0.113.5")),
            ("x-forwarded-for", "198.51.100.1, 203.0.113.5", Some("203.0.113.5")),
            ("x-forwarded-for", "2001:db8::17", Some("2001:db8::17")),
            ("x-forwarded-for", "203.0.113.5:4711", Some("203.0.113.5")),
            ("x-forwarded-for", "unknown", None),
            ("forwarded", "for=192.0.2.60;proto=http;by=203.0.113.43", Some("192.0.2.60")),
            ("forwarded", "for=198.51.100.1, For=\"[2001:db8:cafe::17]:4711\"", Some("2001:db8:cafe::17")),
            ("forwarded", "host=example.com", None),
            ("x-other", "203.0.113.5", None),
        ] {
            assert_eq!(client_of(name, value).as_deref(), expected, "{name}: {value}");
        }
        assert_eq!(Guard::default().client_address(&HeaderMap::new(), None), None);
    }
}
