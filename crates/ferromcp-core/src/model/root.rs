//! Roots: the directories and files that a client makes accessible to a server.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/roots>.

use serde::{Deserialize, Serialize};

use crate::meta_object::Meta;
use crate::setters::setters;

/// A directory or file, as a `file://` URI.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/roots>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Root {
    /// The URI of the root.
    pub uri: String,
    /// The display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The `_meta` of the root (since 2025-06-18).
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl Root {
    /// Creates a root with a `file://` URI.
    pub fn new(uri: impl Into<String>) -> Self {
        Self { uri: uri.into(), name: None, meta: Meta::new() }
    }
}

setters!(Root {
    name: Option<String>,
    meta: Meta,
});

/// The result of `roots/list`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListRootsResult {
    /// The roots.
    pub roots: Vec<Root>,
    /// The `_meta` of the result (legacy only).
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ListRootsResult {
    /// Creates a result with these roots.
    pub fn new(roots: Vec<Root>) -> Self {
        Self { roots, meta: Meta::new() }
    }
}

setters!(ListRootsResult { meta: Meta });
