//! Namespaces of mounted components.

/// Inserts the namespace of a mounted component into a URI: `scheme://rest` becomes `scheme://namespace/rest`. Without
/// `://`, it follows the first colon.
pub(super) fn uri_under(namespace: &str, uri: &str) -> String {
    if let Some((scheme, rest)) = uri.split_once("://") {
        return format!("{scheme}://{namespace}/{}", rest.trim_start_matches('/'));
    }
    match uri.split_once(':') {
        Some((scheme, rest)) => format!("{scheme}:{namespace}/{rest}"),
        None => format!("{namespace}/{uri}"),
    }
}

#[cfg(test)]
mod tests {
    use super::uri_under;

    #[test]
    fn uri_contains_namespace_when_component_is_mounted() {
        assert_eq!(uri_under("a", "notes://all"), "notes://a/all");
        assert_eq!(uri_under("a", "notes:///all"), "notes://a/all");
        assert_eq!(uri_under("a", "urn:x"), "urn:a/x");
        assert_eq!(uri_under("a", "notes://{id}"), "notes://a/{id}");
    }
}
