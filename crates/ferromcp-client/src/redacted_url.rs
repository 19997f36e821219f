//! URLs in logs and errors, without the parts that may be secret.

/// Returns a possibly invalid URL without user, password, query and fragment.
///
/// URL parsers skip further slashes before the host, and a password with a `/` makes a URL invalid, so both forms are
/// recognized.
pub(crate) fn redacted_url(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = bare.split_once("://").map_or(("", bare), |(scheme, rest)| (scheme, rest));
    let rest = rest.trim_start_matches(['/', '\\', '\t', '\r', '\n']);
    let (host, _) = rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len()));
    // If this is not a host, it may be the first part of a password.
    let end = if !scheme.is_empty() && has_valid_port(host) { host.len() } else { rest.len() };
    let start = rest[..end].rfind('@').map_or(0, |at| at + 1);
    let colon = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{colon}{}", &rest[start..])
}

/// Returns whether a host, possibly with a user, has no port or a port of digits.
fn has_valid_port(host: &str) -> bool {
    let host = host.rsplit('@').next().unwrap_or_default();
    let port = host.rsplit(']').next().unwrap_or_default().split_once(':');
    port.is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn redacted_url_omits_user_password_and_query() {
        for (url, shown) in [
            ("https://example.com:80/mcp", "https://example.com:80/mcp"),
            ("https://me:s3cret@example.com/mcp?key=s3cret#s3cret", "https://example.com/mcp"),
            ("https://me@s3cret@[::1]:80/mcp", "https://[::1]:80/mcp"),
            ("https://example.com/@scope/mcp", "https://example.com/@scope/mcp"),
            ("https://[::1]/@scope", "https://[::1]/@scope"),
            ("http:///me:s3cret@example.com/", "http://example.com/"),
            ("http://\\/\tme:s3cret@example.com", "http://example.com"),
            ("http://me:s3cret/s3cret@example.com/x", "http://example.com/x"),
            ("http:/me:s3cret@example.com", "example.com"),
            ("npx some-server", "npx some-server"),
            ("", ""),
        ] {
            assert_eq!(redacted_url(url), shown, "{url}");
        }
    }

    proptest! {
        #[test]
        fn redacted_url_does_not_panic_on_any_input(url in "\\PC{0,40}|[a-z:/@?#ä]{0,12}") {
            prop_assert!(redacted_url(&url).len() <= url.len());
        }
    }
}
