//! The roots of a client: the directories that a server may access.

use std::ops::Deref;
use std::path::{Component, Path};

use ferromcp_core::model::Root;
use percent_encoding::percent_decode_str;

/// The client's roots at the time of the request. Roots may change, so request them again instead of caching them.
///
/// ```
/// use ferromcp_server::Roots;
/// use ferromcp_core::model::Root;
/// use std::path::Path;
///
/// let roots = Roots::from(vec![Root::new("file:///home/ada/notes")]);
/// assert!(roots.contains_path(Path::new("/home/ada/notes/today.txt")));
/// assert!(!roots.contains_path(Path::new("/home/ada/notes/../.ssh/id_rsa")));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roots(Vec<Root>);

impl Roots {
    /// Returns whether a path is a root or is within a root. Always false for relative paths and paths with `..`.
    ///
    /// Symbolic links are not resolved; call `std::fs::canonicalize` first.
    pub fn contains_path(&self, path: &Path) -> bool {
        let plain = path.is_absolute() && path.components().all(|part| !matches!(part, Component::ParentDir));
        plain && self.0.iter().filter_map(folder).any(|folder| path.starts_with(folder))
    }
}

/// Returns the path of a root with a local `file://` URI.
fn folder(root: &Root) -> Option<std::path::PathBuf> {
    let rest = root.uri.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let path = Path::new(&*path);
    (path.is_absolute() && path.components().all(|part| !matches!(part, Component::ParentDir)))
        .then(|| path.to_path_buf())
}

impl From<Vec<Root>> for Roots {
    fn from(roots: Vec<Root>) -> Self {
        Self(roots)
    }
}

impl Deref for Roots {
    type Target = [Root];

    fn deref(&self) -> &[Root] {
        &self.0
    }
}

impl IntoIterator for Roots {
    type Item = Root;
    type IntoIter = std::vec::IntoIter<Root>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // M26-577, M26-578, S-361, S-362
    #[cfg(unix)]
    #[test]
    fn contains_path_only_when_path_is_within_a_root() {
        let roots = Roots::from(vec![
            Root::new("file:///srv/a%20b"),
            Root::new("file://localhost/opt"),
            Root::new("file:///x/../etc"),
            Root::new("https://example.com/"),
        ]);
        for inside in ["/srv/a b", "/srv/a b/c", "/opt/x"] {
            assert!(roots.contains_path(Path::new(inside)), "{inside}");
        }
        for outside in ["/srv/a bc", "/srv", "/opt/../etc", "/etc/passwd", "opt/x", "/example.com/"] {
            assert!(!roots.contains_path(Path::new(outside)), "{outside}");
        }
    }
}
