//! Namespaces: the names and URIs of mounted components and servers.

use ferromcp_core::text::excerpt;

use crate::uri_key::encoded_byte;

/// Returns the name that `name` has under a namespace.
pub(crate) fn name_under(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}_{name}") }
}

/// Inserts a namespace into a URI: `scheme://rest` becomes `scheme://namespace/rest`. Without `://`, it follows the
/// first colon.
pub(crate) fn uri_under(namespace: &str, uri: &str) -> String {
    if namespace.is_empty() {
        return uri.to_owned();
    }
    if let Some((scheme, rest)) = uri.split_once("://") {
        return format!("{scheme}://{namespace}/{}", rest.trim_start_matches('/'));
    }
    match uri.split_once(':') {
        Some((scheme, rest)) => format!("{scheme}:{namespace}/{rest}"),
        None => format!("{namespace}/{uri}"),
    }
}

/// Removes a namespace from a URI that matches the template that [`uri_under`] returned for `template`.
pub(crate) fn uri_without(namespace: &str, template: &str, uri: &str) -> String {
    let (separator, slashes) = match template.split_once("://") {
        Some((_, rest)) => ("://", rest.len() - rest.trim_start_matches('/').len()),
        None => (":", 0),
    };
    let Some((scheme, rest)) = uri.split_once(separator) else { return uri.to_owned() };
    if namespace.is_empty() {
        return uri.to_owned();
    }
    let rest = after_namespace(namespace, rest);
    format!("{scheme}{separator}{}{}", "/".repeat(slashes), rest.strip_prefix('/').unwrap_or(rest))
}

/// Returns the text after a namespace, each character of which can be percent-encoded. A URI without it cannot match.
fn after_namespace<'a>(namespace: &str, text: &'a str) -> &'a str {
    namespace.bytes().fold(text, |rest, byte| match encoded_byte(rest) {
        Some(encoded) if encoded.eq_ignore_ascii_case(&byte) => &rest[3..],
        _ => rest.get(1..).unwrap_or_default(),
    })
}

/// Validates the namespace of a mounted server, which becomes part of names and URIs.
///
/// # Errors
/// Returns a message that names the allowed characters.
pub(crate) fn check(namespace: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if namespace.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!("namespace \"{}\" is not valid: use the characters A-Z a-z 0-9 _ - .", excerpt(namespace)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uri_contains_namespace_when_component_is_mounted() {
        assert_eq!(uri_under("a", "notes://all"), "notes://a/all");
        assert_eq!(uri_under("a", "notes:///all"), "notes://a/all");
        assert_eq!(uri_under("a", "urn:x"), "urn:a/x");
        assert_eq!(uri_under("a", "notes://{id}"), "notes://a/{id}");
        assert_eq!(uri_under("", "notes:///all"), "notes:///all");
    }

    #[test]
    fn namespace_is_removed_from_uri_of_mounted_server() {
        for uri in ["notes://all", "notes:///all", "notes:////all", "urn:x", "notes://", "urn:", "x:a:b", "x:/a"] {
            assert_eq!(uri_without("ns", uri, &uri_under("ns", uri)), uri);
            assert_eq!(uri_without("", uri, &uri_under("", uri)), uri);
        }
        assert_eq!(uri_without("ns", "file:///{+path}", "FILE://NS/a//b"), "FILE:///a//b");
        assert_eq!(uri_without("ns", "x://{id}", "x://ns/\u{e9}"), "x://\u{e9}");
        assert_eq!(uri_without("ns", "x://{id}", "x://n"), "x://"); // cannot match the template
        for uri in ["x://my%2Dns/1", "x://m%79-ns/1", "x://%6D%79%2d%6E%73/1", "x://my-ns/1"] {
            assert_eq!(uri_without("my-ns", "x:///{id}", uri), "x:///1");
        }
        assert_eq!(uri_without("ns", "x:{id}", "x:%6es/%2541"), "x:%2541");
    }

    #[test]
    fn check_fails_when_namespace_has_other_characters() {
        assert!(check("my-notes_2.0").is_ok() && check("").is_ok());
        assert!(check("a/b").is_err() && check("{x}").is_err());
    }
}
