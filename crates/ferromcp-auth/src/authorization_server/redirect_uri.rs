//! Redirect URIs: which ones a client may register, and which ones match a registered one.
//!
//! Spec: OAuth 2.1, sections 2.3 and 8.4; RFC 8252, sections 7 and 8.

use std::net::Ipv4Addr;

use ferromcp_core::text::excerpt;
use url::Url;

use super::error::OAuthError;
use crate::error::AuthError;
use crate::fetch::is_loopback_host;

/// Maximum length of a redirect URI, in bytes.
const MAX_BYTES: usize = 2048;
/// Schemes that execute scripts or read files in the browser. They are refused even if the operator allows them.
const UNSAFE_SCHEMES: [&str; 12] =
    ["javascript", "data", "vbscript", "file", "about", "blob", "filesystem", "view-source", "ws", "wss", "ftp", "jar"];
/// Parameters of the response, which must not be repeated.
const RESPONSE_PARAMETERS: [&str; 5] = ["code", "state", "iss", "error", "error_description"];

/// Checks a redirect URI that a client registers: `https`, `http` on the loopback interface, or the scheme of a native
/// app, which contains a dot (RFC 8252, section 7.1) or is allowed by the operator.
///
/// # Errors
/// `invalid_redirect_uri`.
pub(super) fn check(uri: &str, application_type: Option<&str>, schemes: &[String]) -> Result<(), OAuthError> {
    let url = parse(uri)?;
    if uri.contains('*') {
        return Err(invalid("wildcards are not supported"));
    }
    let is_web = application_type == Some("web");
    match url.scheme() {
        "https" if is_web && is_loopback_host(&url) => {
            Err(invalid("a web application cannot use the loopback interface; use the application type `native`"))
        }
        "https" => Ok(()),
        _ if is_web => Err(invalid("a web application must use `https`; otherwise use the application type `native`")),
        "http" => Ok(()),
        scheme if scheme.contains('.') || schemes.iter().any(|allowed| allowed.eq_ignore_ascii_case(scheme)) => Ok(()),
        _ => Err(invalid("the scheme of an app must contain a dot, such as `com.example.app`")),
    }
}

/// Checks a scheme that the operator allows.
///
/// # Errors
/// Fails if it is not a scheme, or not one of an app.
pub(super) fn check_scheme(scheme: &str) -> Result<(), AuthError> {
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    let lowercase = scheme.to_ascii_lowercase();
    if is_scheme && !UNSAFE_SCHEMES.contains(&lowercase.as_str()) && !matches!(lowercase.as_str(), "http" | "https") {
        return Ok(());
    }
    Err(AuthError::configuration(format!(
        "cannot allow the redirect scheme `{}`: it is not the scheme of an app; use a name such as `cursor`",
        excerpt(scheme)
    )))
}

/// Returns whether a redirect URI belongs to a program on the device of the user: it is on the loopback interface, or
/// has a private-use scheme.
pub(super) fn is_local(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| !matches!(url.scheme(), "http" | "https") || is_loopback_host(&url))
}

/// Parses a redirect URI, and refuses what is unsafe for each client, even if the operator registered it: scripts,
/// users, fragments, plain HTTP, and characters that parsers and browsers interpret differently.
fn parse(uri: &str) -> Result<Url, OAuthError> {
    if uri.len() > MAX_BYTES {
        return Err(invalid(&format!("it exceeds {MAX_BYTES} bytes")));
    }
    if uri.bytes().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'`')) {
        return Err(invalid("it contains characters that must be percent-encoded"));
    }
    if uri.contains('#') {
        return Err(invalid("it contains a fragment"));
    }
    let url = Url::parse(uri).map_err(|error| invalid(&error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it contains a user or password"));
    }
    if UNSAFE_SCHEMES.contains(&url.scheme()) {
        return Err(invalid("the scheme is not allowed"));
    }
    if url.query_pairs().any(|(name, _)| RESPONSE_PARAMETERS.contains(&&*name)) {
        return Err(invalid("its query contains a parameter of the response"));
    }
    let is_web = matches!(url.scheme(), "http" | "https");
    // `Url::parse` accepts `https:example.com` and `https:/example.com`.
    if is_web && (url.host_str().is_none() || !uri.get(url.scheme().len()..).is_some_and(|it| it.starts_with("://"))) {
        return Err(invalid("it has no host"));
    }
    if url.scheme() == "http" && !is_loopback_host(&url) {
        return Err(invalid("`http` is allowed on the loopback interface only; use `https`"));
    }
    Ok(url)
}

/// Returns the redirect URI of an authorization request, and whether the request contains it.
///
/// # Errors
/// `invalid_request` if it is not registered, or is missing although the client does not have exactly one.
pub(super) fn choose(registered: &[String], requested: Option<&str>) -> Result<(String, bool), OAuthError> {
    let Some(requested) = requested else {
        return match registered {
            [only] if parse(only).is_ok() => Ok((only.clone(), false)),
            _ => Err(OAuthError::invalid_request("the parameter `redirect_uri` is missing")),
        };
    };
    if parse(requested).is_ok() && registered.iter().any(|registered| matches(registered, requested)) {
        return Ok((requested.to_owned(), true));
    }
    Err(OAuthError::invalid_request("the `redirect_uri` is not registered for the client"))
}

/// Returns whether a redirect URI is the registered one. Only the port of a loopback address may differ, since a native
/// app listens on any free port (RFC 8252, section 7.3).
pub(super) fn matches(registered: &str, requested: &str) -> bool {
    if registered == requested {
        return true;
    }
    match (loopback(registered), loopback(requested)) {
        (Some(registered), Some(requested)) => registered == requested,
        _ => false,
    }
}

/// Splits a plain HTTP URL of the loopback interface into its host and what follows the port; `None` for other URLs.
/// The text is not normalized.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (host, port) = match authority.rfind(':') {
        Some(colon) if !authority.ends_with(']') => authority.split_at(colon),
        _ => (authority, ""),
    };
    let is_port = port.is_empty() || port.get(1..).is_some_and(|port| port.parse::<u16>().is_ok());
    let is_loopback =
        host == "localhost" || host == "[::1]" || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    // An empty path is the root path.
    (is_port && is_loopback).then_some((host, if path.is_empty() { "/" } else { path }))
}

fn invalid(problem: &str) -> OAuthError {
    OAuthError::invalid_redirect_uri(format!("the redirect URI is not allowed: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_script_schemes() {
        //
        let allowed = ["javascript".to_owned(), "data".to_owned()];
        for uri in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,<script>",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://example.com/x",
            "view-source:https://example.com",
            " javascript:alert(1)",
        ] {
            assert_eq!(check(uri, None, &allowed).unwrap_err().code(), "invalid_redirect_uri", "{uri}");
            let client = [uri.to_owned()];
            assert!(choose(&client, Some(uri)).is_err() && choose(&client, None).is_err(), "{uri}");
        }
    }

    #[test]
    fn unsafe_redirect_uris_are_refused() {
        //
        for uri in [
            "http://example.com/cb",
            "http://10.0.0.1/cb",
            "http://localhost.example.com/cb",
            "https://user@example.com/cb",
            "https://localhost@example.com/cb",
            "https://example.com/cb#x",
            "https://example.com/cb#",
            "https://*.example.com/cb",
            "https://example.com/*",
            "https:example.com/cb",
            "https:/example.com/cb",
            "https://example.com\\@evil.com/cb",
            "https://example.com/a b",
            "https://example.com/cb?code=1",
            "https://example.com/cb?x=1&%73tate=1",
            "https://ex\u{e4}mple.com/",
            "https://",
            "/cb",
            "",
            "myapp:/cb",
            "urn:ietf:wg:oauth:2.0:oob",
        ] {
            assert!(check(uri, None, &[]).is_err(), "{uri}");
        }
        assert!(check(&format!("https://example.com/{}", "x".repeat(MAX_BYTES)), None, &[]).is_err());
    }

    #[test]
    fn safe_redirect_uris_are_accepted() {
        for uri in [
            "https://example.com/cb?x=1",
            "http://localhost/cb",
            "http://localhost:3000/cb",
            "http://127.0.0.1/",
            "http://[::1]:5/x",
            "com.example.app:/cb",
        ] {
            check(uri, None, &[]).unwrap();
            check(uri, Some("native"), &[]).unwrap();
        }
        check("cursor://mcp/oauth/callback", None, &["cursor".to_owned()]).unwrap();
    }

    #[test]
    fn web_applications_use_https_on_other_hosts() {
        check("https://example.com/cb", Some("web"), &[]).unwrap();
        for uri in ["http://localhost/cb", "https://localhost/cb", "com.example.app:/cb"] {
            assert!(check(uri, Some("web"), &[]).unwrap_err().description().contains("web application"), "{uri}");
        }
    }

    #[test]
    fn redirect_uris_match_exactly() {
        //
        let registered = "https://example.com/cb";
        assert!(matches(registered, registered));
        for other in [
            "https://example.com/cb/",
            "https://example.com/cb?x=1",
            "https://example.com:443/cb",
            "https://example.com:8443/cb",
            "https://EXAMPLE.com/cb",
            "https://example.com/cb/../cb",
            "https://example.com/c%62",
            "http://example.com/cb",
            "https://example.com.evil.com/cb",
            "https://evil.com/cb",
        ] {
            assert!(!matches(registered, other), "{other}");
        }
    }

    #[test]
    fn only_the_port_of_loopback_addresses_varies() {
        //
        for (registered, requested) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
            ("http://127.0.0.1:1/cb?x=1", "http://127.0.0.1:2/cb?x=1"),
            ("http://[::1]/cb", "http://[::1]:9/cb"),
            ("http://localhost:3000/cb", "http://localhost:4000/cb"),
            ("http://127.0.0.1/", "http://127.0.0.1:33418"),
        ] {
            assert!(matches(registered, requested), "{registered} {requested}");
        }
        for (registered, requested) in [
            ("http://127.0.0.1/cb", "http://127.0.0.2/cb"),
            ("http://127.0.0.1/cb", "http://localhost/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1/other"),
            ("http://127.0.0.1/cb", "http://127.0.0.1/cb?x=1"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.com/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:/cb"),
            ("http://127.0.0.1/cb", "https://127.0.0.1:1/cb"),
            ("http://localhost/cb", "http://localhost.evil.com/cb"),
            ("http://localhost/cb", "http://localhost:1.evil.com/cb"),
            ("https://localhost/cb", "https://localhost:1/cb"),
            ("http://example.com/cb", "http://example.com:81/cb"),
        ] {
            assert!(!matches(registered, requested), "{registered} {requested}");
        }
    }

    #[test]
    fn programs_on_the_device_are_local() {
        for uri in ["http://127.0.0.1:1/cb", "http://[::1]/cb", "https://localhost/cb", "com.example.app:/cb", "app:/x"]
        {
            assert!(is_local(uri), "{uri}");
        }
        for uri in ["https://example.com/cb", "https://localhost.example.com/", "https://127.0.0.1.example.com/", "x"] {
            assert!(!is_local(uri), "{uri}");
        }
    }

    #[test]
    fn omitted_redirect_uri_is_the_only_registered_one() {
        let one = ["https://example.com/cb".to_owned()];
        assert_eq!(choose(&one, None).unwrap(), ("https://example.com/cb".to_owned(), false));
        let two = ["https://example.com/cb", "https://example.com/cb2"].map(str::to_owned);
        assert!(choose(&two, None).is_err());
        assert!(choose(&[], None).is_err());
    }
}
