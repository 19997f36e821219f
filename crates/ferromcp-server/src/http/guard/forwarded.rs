//! The headers in which a proxy forwards the host and the address of a client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Returns the address of the client of a request: that of its peer or, if the peer is a trusted proxy, the last address in
/// `X-Forwarded-For`, or else in `Forwarded`, that is not of a trusted proxy. If all are, the first. `None` if a proxy
/// forwards no address.
///
/// All addresses before that of a trusted proxy can be forged. The proxies must replace or extend both headers.
#[doc(hidden)]
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let mut client = peer.to_canonical();
    if !is_proxy(client) {
        return Some(client);
    }
    let is_plain = headers.contains_key(&X_FORWARDED_FOR);
    let name = if is_plain { X_FORWARDED_FOR } else { FORWARDED };
    if !headers.contains_key(&name) {
        return None;
    }
    for element in elements(headers, &name) {
        let node = if is_plain { Some(element) } else { parameter(element, b"for=") };
        // An element without an address ends the search: those before it are not from a trusted proxy.
        client = node.and_then(parse_node)?.to_canonical();
        if !is_proxy(client) {
            break;
        }
    }
    Some(client)
}

/// Returns the hosts in `X-Forwarded-Host` and `Forwarded`. With several values, the last one is from the proxy that
/// sent the request; the others are not trusted. Spec: <https://www.rfc-editor.org/rfc/rfc7239#section-5.3>.
pub(super) fn hosts(headers: &HeaderMap) -> [Option<&[u8]>; 2] {
    let plain = last_value(headers, &X_FORWARDED_HOST);
    [plain, last_value(headers, &FORWARDED).and_then(|element| parameter(element, b"host="))]
}

/// Returns the last element of a comma-separated header.
fn last_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    elements(headers, name).next()
}

/// Returns the elements of a comma-separated header, from the last to the first.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).iter().rev();
    lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
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

/// Parses the address of a forwarded node: `192.0.2.43`, `192.0.2.43:47011`, `2001:db8::17`, `[2001:db8::17]` or
/// `[2001:db8::17]:4711`.
fn parse_node(node: &[u8]) -> Option<IpAddr> {
    let node = std::str::from_utf8(node).ok()?;
    if let Some(bracketed) = node.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let is_valid = port.is_empty() || port.strip_prefix(':').is_some_and(is_node_port);
        return address.parse().ok().filter(|_| is_valid).map(|address: Ipv6Addr| address.into());
    }
    node.parse().ok().or_else(|| {
        let (address, port) = node.split_once(':')?;
        address.parse().ok().filter(|_| is_node_port(port)).map(|address: Ipv4Addr| address.into())
    })
}

/// Returns whether this is a port, or an obfuscated port such as `_x`: RFC 7239, section 6.
fn is_node_port(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
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
            ("x-forwarded-for", "198.51.100.1:80,203.0.113.5:4711", Some("203.0.113.5")),
            ("x-forwarded-for", "[2001:db8::17]", Some("2001:db8::17")),
            ("x-forwarded-for", "[2001:db8::17]:4711", Some("2001:db8::17")),
            ("x-forwarded-for", "::ffff:203.0.113.5", Some("203.0.113.5")),
            ("x-forwarded-for", "203.0.113.5, 10.0.0.8, 10.0.0.9:80", Some("203.0.113.5")),
            ("x-forwarded-for", "9.9.9.9, unknown, 10.0.0.8", None),
            ("x-forwarded-for", "10.2.2.2, 10.0.0.8", Some("10.2.2.2")),
            ("x-forwarded-for", "unknown", None),
            ("x-forwarded-for", "", None),
            ("x-forwarded-for", "203.0.113.5:", None),
            ("x-forwarded-for", "203.0.113.5:1:2", None),
            ("x-forwarded-for", "[203.0.113.5]", None),
            ("x-forwarded-for", "[2001:db8::17]x", None),
            ("x-forwarded-for", "[2001:db8::17", None),
            ("x-forwarded-for", "2001:db8::17]:80", None),
            ("forwarded", "for=192.0.2.60;proto=http;by=203.0.113.43", Some("192.0.2.60")),
            ("forwarded", "for=198.51.100.1, For=\"[2001:db8:cafe::17]:4711\"", Some("2001:db8:cafe::17")),
            ("forwarded", "for=\"198.51.100.1:80\", for=\"192.0.2.60:4711\"", Some("192.0.2.60")),
            ("forwarded", "for=192.0.2.60, for=10.0.0.8;proto=https", Some("192.0.2.60")),
            ("forwarded", "for=\"192.0.2.60:_port\"", Some("192.0.2.60")),
            ("forwarded", "for=_hidden", None),
            ("forwarded", "host=example.com", None),
            ("x-other", "203.0.113.5", None),
        ] {
            assert_eq!(client_of(name, value).as_deref(), expected, "{name}: {value}");
        }
        assert_eq!(Guard::default().client_address(&HeaderMap::new(), None), None);
    }
}
