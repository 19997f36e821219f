//! Content blocks of tool results and prompt messages.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema#contentblock>.
//! A block is decoded according to its `type` field.

use serde::{Deserialize, Serialize};

use super::annotations::Annotations;
use super::implementation::Icon;
use super::resource::{ResourceContents, ResourceLink};
use crate::meta_object::Meta;
use crate::setters::setters;

/// A content block.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema#contentblock>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "LooseBlock")]
#[non_exhaustive]
pub enum ContentBlock {
    /// Text content.
    Text(TextContent),
    /// Image content.
    Image(ImageContent),
    /// Audio content (since 2025-03-26).
    Audio(AudioContent),
    /// A link to a resource (since 2025-06-18).
    ResourceLink(ResourceLink),
    /// An embedded resource with its contents.
    Resource(EmbeddedResource),
}

impl ContentBlock {
    /// Creates a text block.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextContent::new(text))
    }

    /// Returns the text of a text block, or `None` for other types.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// Returns the annotations of the block.
    pub fn annotations_mut(&mut self) -> &mut Option<Annotations> {
        match self {
            Self::Text(block) => &mut block.annotations,
            Self::Image(block) => &mut block.annotations,
            Self::Audio(block) => &mut block.annotations,
            Self::ResourceLink(block) => &mut block.annotations,
            Self::Resource(block) => &mut block.annotations,
        }
    }

    /// Returns the `_meta` of the block.
    pub fn meta_mut(&mut self) -> &mut Meta {
        match self {
            Self::Text(block) => &mut block.meta,
            Self::Image(block) => &mut block.meta,
            Self::Audio(block) => &mut block.meta,
            Self::ResourceLink(block) => &mut block.meta,
            Self::Resource(block) => &mut block.meta,
        }
    }
}

impl From<String> for ContentBlock {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for ContentBlock {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

macro_rules! block {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// Optional annotations for the client.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub annotations: Option<Annotations>,
            /// The `_meta` of the block (since 2025-06-18).
            #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
            pub meta: Meta,
        }

        setters!($name { annotations: Option<Annotations>, meta: Meta });
    };
}

block! {
    /// Text content.
    TextContent {
        /// The text.
        text: String,
    }
}
block! {
    /// Image content.
    ImageContent {
        /// The data, encoded as base64.
        data: String,
        /// The MIME type.
        mime_type: String,
    }
}
block! {
    /// Audio content.
    AudioContent {
        /// The data, encoded as base64.
        data: String,
        /// The MIME type.
        mime_type: String,
    }
}
block! {
    /// An embedded resource with its contents.
    EmbeddedResource {
        /// The contents of the resource.
        resource: ResourceContents,
    }
}

impl TextContent {
    /// Creates text content.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), annotations: None, meta: Meta::new() }
    }
}

impl ImageContent {
    /// Creates image content from base64 data and its MIME type.
    pub fn new(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        Self { data: data.into(), mime_type: mime_type.into(), annotations: None, meta: Meta::new() }
    }
}

impl AudioContent {
    /// Creates audio content from base64 data and its MIME type.
    pub fn new(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        Self { data: data.into(), mime_type: mime_type.into(), annotations: None, meta: Meta::new() }
    }
}

impl EmbeddedResource {
    /// Creates an embedded resource.
    pub fn new(resource: ResourceContents) -> Self {
        Self { resource, annotations: None, meta: Meta::new() }
    }
}

/// The union of the fields of all block types; `type` selects the fields to use.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LooseBlock {
    r#type: String,
    text: Option<String>,
    data: Option<String>,
    mime_type: Option<String>,
    resource: Option<ResourceContents>,
    uri: Option<String>,
    name: Option<String>,
    title: Option<String>,
    description: Option<String>,
    size: Option<u64>,
    #[serde(default, deserialize_with = "crate::json::or_default")]
    icons: Vec<Icon>,
    annotations: Option<Annotations>,
    #[serde(rename = "_meta", default)]
    meta: Meta,
}

/// Returns the field, or an error that names the content type and the missing field.
pub(super) fn require_field<T>(field: Option<T>, block: &str, name: &str) -> Result<T, String> {
    field.ok_or_else(|| format!("missing field `{name}` in content of type `{block}`"))
}

/// The fields of text, image and audio blocks, which content and sampling messages share.
pub(super) struct CommonBlock {
    pub(super) text: Option<String>,
    pub(super) data: Option<String>,
    pub(super) mime_type: Option<String>,
    pub(super) annotations: Option<Annotations>,
    pub(super) meta: Meta,
}

impl CommonBlock {
    pub(super) fn text(self) -> Result<TextContent, String> {
        let text = require_field(self.text, "text", "text")?;
        Ok(TextContent { text, annotations: self.annotations, meta: self.meta })
    }

    pub(super) fn image(self) -> Result<ImageContent, String> {
        let (data, mime_type) = media(self.data, self.mime_type, "image")?;
        Ok(ImageContent { data, mime_type, annotations: self.annotations, meta: self.meta })
    }

    pub(super) fn audio(self) -> Result<AudioContent, String> {
        let (data, mime_type) = media(self.data, self.mime_type, "audio")?;
        Ok(AudioContent { data, mime_type, annotations: self.annotations, meta: self.meta })
    }
}

fn media(data: Option<String>, mime_type: Option<String>, block: &str) -> Result<(String, String), String> {
    Ok((require_field(data, block, "data")?, require_field(mime_type, block, "mimeType")?))
}

impl TryFrom<LooseBlock> for ContentBlock {
    type Error = String;

    fn try_from(loose: LooseBlock) -> Result<Self, String> {
        let common = CommonBlock {
            text: loose.text,
            data: loose.data,
            mime_type: loose.mime_type,
            annotations: loose.annotations,
            meta: loose.meta,
        };
        Ok(match loose.r#type.as_str() {
            "text" => Self::Text(common.text()?),
            "image" => Self::Image(common.image()?),
            "audio" => Self::Audio(common.audio()?),
            "resource" => Self::Resource(EmbeddedResource {
                resource: require_field(loose.resource, "resource", "resource")?,
                annotations: common.annotations,
                meta: common.meta,
            }),
            "resource_link" => Self::ResourceLink(ResourceLink {
                uri: require_field(loose.uri, "resource_link", "uri")?,
                name: require_field(loose.name, "resource_link", "name")?,
                title: loose.title,
                description: loose.description,
                mime_type: common.mime_type,
                size: loose.size,
                icons: loose.icons,
                annotations: common.annotations,
                meta: common.meta,
            }),
            other => return Err(format!("unknown content type `{other}`")),
        })
    }
}
