//! A schema of a tool, with its place in the surface.

use serde_json::Value;

use super::walk::Node;

/// A schema of a tool.
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) root: &'a Value,
    pub(super) nodes: &'a [Node<'a>],
    /// The tool.
    pub(super) item: &'a str,
    /// The JSON pointer of the schema in the surface.
    pub(super) pointer: &'a str,
}

impl Document<'_> {
    /// Returns the pointer of a node in the surface.
    pub(super) fn at(&self, node: &Node<'_>, keyword: &str) -> String {
        let slash = if keyword.is_empty() { "" } else { "/" };
        format!("{}{}{slash}{keyword}", self.pointer, node.pointer)
    }
}
