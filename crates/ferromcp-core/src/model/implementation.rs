//! Name and version of a client or server, and icons.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema#implementation>.

use serde::{Deserialize, Serialize};

use crate::setters::setters;

/// The name and version of a client or server.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema#implementation>.
///
/// The values are self-reported and not verified. Do not use them for security decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Implementation {
    /// The programmatic name.
    pub name: String,
    /// The display name (since 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The version.
    pub version: String,
    /// A description (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Icons to display (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::json::or_default")]
    pub icons: Vec<Icon>,
    /// The URL of the website (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website_url: Option<String>,
}

impl Implementation {
    /// Creates an implementation with a name and a version.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into(), ..Self::default() }
    }
}

setters!(Implementation {
    title: Option<String>,
    description: Option<String>,
    icons: Vec<Icon>,
    website_url: Option<String>,
});

/// An icon to display in a user interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Icon {
    /// An `https:` or `data:` URI.
    pub src: String,
    /// The MIME type, which overrides the type reported by the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The sizes, such as `48x48`, or `any` for scalable formats.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::json::or_default")]
    pub sizes: Vec<String>,
    /// The theme that the icon is designed for. An unknown theme is decoded as `None`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::known")]
    pub theme: Option<IconTheme>,
}

/// The theme that an icon is designed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum IconTheme {
    /// A light background.
    Light,
    /// A dark background.
    Dark,
}

impl Icon {
    /// Creates an icon with an `https:` or `data:` URI. Receivers reject other schemes.
    pub fn new(src: impl Into<String>) -> Self {
        Self { src: src.into(), mime_type: None, sizes: Vec::new(), theme: None }
    }

    /// Adds a size, such as `48x48`.
    pub fn size(mut self, size: impl Into<String>) -> Self {
        self.sizes.push(size.into());
        self
    }
}

setters!(Icon {
    mime_type: Option<String>,
    theme: Option<IconTheme>,
});
