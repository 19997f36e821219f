//! The position of an entry in a file, by keys.

/// The entry of a server in a file: the path of the table of servers, and the name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) key: &'a [String],
    pub(crate) name: &'a str,
}

impl Place<'_> {
    /// Returns the path of the entry.
    pub(super) fn path(&self) -> Vec<String> {
        self.key.iter().cloned().chain([self.name.to_owned()]).collect()
    }

    /// Returns the path of the table, for errors.
    pub(super) fn describe(&self) -> String {
        format!("`{}`", self.key.join("."))
    }
}

/// A scalar of a file, with its path.
pub(super) type Leaf = (Vec<String>, String);
