//! A target as written on the command line.

/// A target as written on the command line.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// A word: a URL, a path or a name.
    Word(&'a str),
    /// A command after `--`, which is not empty.
    Command(&'a [String]),
}

/// Returns whether a word is a URL of HTTP.
pub(super) fn is_url(word: &str) -> bool {
    let scheme = word.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
}
