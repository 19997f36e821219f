//! Parses the headers in which a proxy forwards the host that its client requested.
//!
//! Spec: <https://www.rfc-editor.org/rfc/rfc7239#section-5.3>.

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Returns the hosts in `X-Forwarded-Host` and `Forwarded`. With several values, the last one is from the proxy that
/// sent the request; the others are not trusted.
pub(super) fn hosts(headers: &HeaderMap) -> [Option<&[u8]>; 2] {
    let plain = last_value(headers, &X_FORWARDED_HOST, b',');
    [plain, last_value(headers, &FORWARDED, b',').and_then(host_parameter)]
}

fn last_value<'a>(headers: &'a HeaderMap, name: &HeaderName, separator: u8) -> Option<&'a [u8]> {
    let line = headers.get_all(name).iter().next_back()?.as_bytes();
    Some(line.rsplit(|byte| *byte == separator).next().unwrap_or(line).trim_ascii())
}

/// Returns the `host` of `for=1.2.3.4;host="example.com:8000";proto=https`.
fn host_parameter(element: &[u8]) -> Option<&[u8]> {
    element.split(|byte| *byte == b';').find_map(|parameter| {
        let parameter = parameter.trim_ascii();
        let (name, value) = parameter.split_at_checked(5)?;
        if !name.eq_ignore_ascii_case(b"host=") {
            return None;
        }
        Some(value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value))
    })
}
