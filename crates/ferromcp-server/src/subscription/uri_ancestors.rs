//! Parent URIs of a resource URI, for subscriptions to a parent.

/// Returns `uri` and then its ancestors, nearest first: the path cut at each slash, with and without the slash.
///
/// Path segments are compared as a whole, so `file:///a` is not an ancestor of `file:///ab`. Ancestors have no query or
/// fragment.
pub(super) fn uri_ancestors(uri: &str) -> impl Iterator<Item = &str> {
    let end = uri.find(['?', '#']).unwrap_or(uri.len());
    let start = match uri.find(':') {
        Some(colon) if uri[colon..].starts_with("://") => colon + 3,
        Some(colon) => colon + 1,
        None => 0,
    };
    let path = uri.get(start..end).unwrap_or_default();
    let ancestors = path.rmatch_indices('/').flat_map(move |(at, _)| {
        let cut = start + at;
        // An empty host is not a resource: `file:///` is the root.
        [Some(&uri[..=cut]), (at > 0).then_some(&uri[..cut])].into_iter().flatten()
    });
    std::iter::once(uri).chain(ancestors.filter(move |ancestor| ancestor.len() < uri.len()))
}

#[cfg(test)]
mod tests {
    use super::uri_ancestors;

    fn ancestors(uri: &str) -> Vec<&str> {
        uri_ancestors(uri).collect()
    }

    #[test]
    fn uri_ancestors_contain_each_parent_of_the_path() {
        // M26-361, S-272
        assert_eq!(ancestors("file:///a/b"), ["file:///a/b", "file:///a/", "file:///a", "file:///"]);
        assert_eq!(ancestors("file:///a/"), ["file:///a/", "file:///a", "file:///"]);
        assert_eq!(ancestors("notes://all/x"), ["notes://all/x", "notes://all/", "notes://all"]);
        assert_eq!(ancestors("notes://all"), ["notes://all"]);
        assert_eq!(ancestors("urn:a/b"), ["urn:a/b", "urn:a/", "urn:a"]);
        assert_eq!(ancestors("http://h/a?x=/b#/c"), ["http://h/a?x=/b#/c", "http://h/", "http://h"]);
        assert_eq!(ancestors("plain/x"), ["plain/x", "plain/", "plain"]);
        assert_eq!(ancestors(""), [""]);
        assert_eq!(ancestors("?a:b"), ["?a:b"]);
        assert_eq!(ancestors("ü://ä/ö"), ["ü://ä/ö", "ü://ä/", "ü://ä"]);
    }
}
