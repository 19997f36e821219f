//! Where a mounted component's URIs lie.

/// `scheme://rest` as `scheme://namespace/rest`; without `://`, the namespace goes behind the first colon.
pub(super) fn uri_under(namespace: &str, uri: &str) -> String {
    if let Some((scheme, rest)) = uri.split_once("://") {
        return format!("{scheme}://{namespace}/{rest}");
    }
    match uri.split_once(':') {
        Some((scheme, rest)) => format!("{scheme}:{namespace}/{rest}"),
        None => format!("{namespace}/{uri}"),
    }
}
