//! What a URI is a part of.

/// `uri` itself, and then whatever it lies below, nearest first: its path cut at each slash, with
/// the slash and without. What is compared are whole steps of the path, so `file:///ab` is no part
/// of `file:///a`. A query or fragment belongs to the URI itself alone.
pub(super) fn uri_ancestors(uri: &str) -> impl Iterator<Item = &str> {
    let end = uri.find(['?', '#']).unwrap_or(uri.len());
    let start = match uri.find(':') {
        Some(colon) if uri[colon..].starts_with("://") => colon + 3,
        Some(colon) => colon + 1,
        None => 0,
    };
    let path = uri.get(start..end).unwrap_or_default();
    let above = path.rmatch_indices('/').flat_map(move |(at, _)| {
        let cut = start + at;
        // A host that is empty is no resource: `file:///` is the topmost there is.
        [Some(&uri[..=cut]), (at > 0).then_some(&uri[..cut])].into_iter().flatten()
    });
    std::iter::once(uri).chain(above.filter(move |part| part.len() < uri.len()))
}

#[cfg(test)]
mod tests {
    use super::uri_ancestors;

    fn of(uri: &str) -> Vec<&str> {
        uri_ancestors(uri).collect()
    }

    #[test]
    fn a_uri_lies_below_each_folder_of_its_path() {
        // M26-361, S-272
        assert_eq!(of("file:///a/b"), ["file:///a/b", "file:///a/", "file:///a", "file:///"]);
        assert_eq!(of("file:///a/"), ["file:///a/", "file:///a", "file:///"]);
        assert_eq!(of("notes://all/x"), ["notes://all/x", "notes://all/", "notes://all"]);
        assert_eq!(of("notes://all"), ["notes://all"]);
        assert_eq!(of("urn:a/b"), ["urn:a/b", "urn:a/", "urn:a"]);
        assert_eq!(of("http://h/a?x=/b#/c"), ["http://h/a?x=/b#/c", "http://h/", "http://h"]);
        assert_eq!(of("plain/x"), ["plain/x", "plain/", "plain"]);
        assert_eq!(of(""), [""]);
        assert_eq!(of("?a:b"), ["?a:b"]);
        assert_eq!(of("ü://ä/ö"), ["ü://ä/ö", "ü://ä/", "ü://ä"]);
    }
}
