//! Resolution of URI references (RFC 3986 §5).

/// Resolves `reference` against `base`. Returns it unchanged when `base` is empty.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    if has_scheme(reference) {
        return reference.to_owned();
    }
    let base = split_fragment(base).0;
    if reference.is_empty() || reference.starts_with('#') {
        return format!("{base}{reference}");
    }
    let colon = if has_scheme(base) { base.find(':').map_or(0, |at| at + 1) } else { 0 };
    if reference.starts_with("//") {
        return format!("{}{reference}", &base[..colon]);
    }
    let authority = match base[colon..].strip_prefix("//") {
        Some(rest) => colon + 2 + rest.find(['/', '?']).unwrap_or(rest.len()),
        None => colon,
    };
    let path_end = base[authority..].find('?').map_or(base.len(), |at| authority + at);
    if reference.starts_with('?') {
        return format!("{}{reference}", &base[..path_end]);
    }
    let (path, rest) = reference.split_at(reference.find(['?', '#']).unwrap_or(reference.len()));
    let merged = if path.starts_with('/') {
        path.to_owned()
    } else {
        let folder = base[authority..path_end].rfind('/').map_or(0, |at| at + 1);
        let slash = if folder == 0 && authority > colon { "/" } else { "" };
        format!("{}{slash}{path}", &base[authority..authority + folder])
    };
    format!("{}{}{rest}", &base[..authority], remove_dot_segments(&merged))
}

/// Splits a URI from its fragment.
pub(super) fn split_fragment(uri: &str) -> (&str, Option<&str>) {
    match uri.split_once('#') {
        Some((uri, fragment)) => (uri, Some(fragment)),
        None => (uri, None),
    }
}

/// Decodes percent-encoding. Returns the text unchanged if the result is not UTF-8.
pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn has_scheme(uri: &str) -> bool {
    let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Removes the dot segments of a path (RFC 3986 §5.2.4).
fn remove_dot_segments(path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    let (root, path) = match path.strip_prefix('/') {
        Some(path) => ("/", path),
        None => ("", path),
    };
    for step in path.split('/') {
        match step {
            "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    let folder = if matches!(path.rsplit('/').next(), Some("." | "..")) && !steps.is_empty() { "/" } else { "" };
    format!("{root}{}{folder}", steps.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn resolves_references_as_in_rfc_3986() {
        for (base, reference, whole) in [
            ("http://a/b/c/d;p?q", "g", "http://a/b/c/g"),
            ("http://a/b/c/d;p?q", "./g/", "http://a/b/c/g/"),
            ("http://a/b/c/d;p?q", "/g?y#s", "http://a/g?y#s"),
            ("http://a/b/c/d;p?q", "//g", "http://g"),
            ("http://a/b/c/d;p?q", "?y", "http://a/b/c/d;p?y"),
            ("http://a/b/c/d;p?q", "#s", "http://a/b/c/d;p?q#s"),
            ("http://a/b/c/d;p?q", "", "http://a/b/c/d;p?q"),
            ("http://a/b/c/d;p?q", "..", "http://a/b/"),
            ("http://a/b/c/d;p?q", "../../../g", "http://a/g"),
            ("http://a", "g", "http://a/g"),
            ("http://a/b#x", "urn:x", "urn:x"),
            ("urn:uuid:1", "#x", "urn:uuid:1#x"),
            ("", "#/a", "#/a"),
            ("", "a.json", "a.json"),
            ("a/b", "c", "a/c"),
        ] {
            assert_eq!(resolve(base, reference), whole, "{base} {reference}");
        }
        assert_eq!(percent_decode("a%25b%C3%BC%zz%4"), "a%bü%zz%4");
        assert_eq!(percent_decode("%FF%+1"), "%FF%+1");
    }

    proptest! {
        #[test]
        fn resolve_does_not_panic_on_any_text(base in "([a:/?#.%ü]{0,12})", reference in "([a:/?#.%ü]{0,12})") {
            let _ = (resolve(&base, &reference), percent_decode(&reference));
        }
    }
}
