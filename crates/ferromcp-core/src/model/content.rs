//! What tools return, prompts say and resources hold: blocks of content.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/schema#contentblock>.
//! A block is known by its `type`; it is decoded by that, never by trying shapes.

use serde::{Deserialize, Serialize};

use super::annotations::Annotations;
use super::implementation::Icon;
use super::resource::{ResourceContents, ResourceLink};
use crate::meta::Meta;

/// One block of content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "LooseBlock")]
#[non_exhaustive]
pub enum ContentBlock {
    /// Text.
    Text(TextContent),
    /// A picture.
    Image(ImageContent),
    /// Sound (from 2025-03-26).
    Audio(AudioContent),
    /// A resource to read (from 2025-06-18).
    ResourceLink(ResourceLink),
    /// A resource with its contents.
    Resource(EmbeddedResource),
}

impl ContentBlock {
    /// A block of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextContent::new(text))
    }

    /// The text, if it is a block of text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// Hints for showing the block.
    pub fn annotations_mut(&mut self) -> &mut Option<Annotations> {
        match self {
            Self::Text(block) => &mut block.annotations,
            Self::Image(block) => &mut block.annotations,
            Self::Audio(block) => &mut block.annotations,
            Self::ResourceLink(block) => &mut block.annotations,
            Self::Resource(block) => &mut block.annotations,
        }
    }

    /// The block's `_meta`.
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
            /// Hints for showing it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub annotations: Option<Annotations>,
            /// Foreign keys (from 2025-06-18).
            #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
            pub meta: Meta,
        }
    };
}

block! {
    /// Text.
    TextContent {
        /// The text.
        text: String,
    }
}
block! {
    /// A picture.
    ImageContent {
        /// The bytes in base64.
        data: String,
        /// The MIME type.
        mime_type: String,
    }
}
block! {
    /// Sound.
    AudioContent {
        /// The bytes in base64.
        data: String,
        /// The MIME type.
        mime_type: String,
    }
}
block! {
    /// A resource with its contents.
    EmbeddedResource {
        /// The contents.
        resource: ResourceContents,
    }
}

impl TextContent {
    /// A text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), annotations: None, meta: Meta::new() }
    }
}

impl ImageContent {
    /// A picture from base64 and its MIME type.
    pub fn new(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        Self { data: data.into(), mime_type: mime_type.into(), annotations: None, meta: Meta::new() }
    }
}

impl AudioContent {
    /// Sound from base64 and its MIME type.
    pub fn new(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        Self { data: data.into(), mime_type: mime_type.into(), annotations: None, meta: Meta::new() }
    }
}

impl EmbeddedResource {
    /// A resource with these contents.
    pub fn new(resource: ResourceContents) -> Self {
        Self { resource, annotations: None, meta: Meta::new() }
    }
}

/// All fields any block may have; `type` then says which count.
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
    #[serde(default)]
    icons: Vec<Icon>,
    annotations: Option<Annotations>,
    #[serde(rename = "_meta", default)]
    meta: Meta,
}

/// The field or a word on which block lacks it.
pub(super) fn need<T>(field: Option<T>, block: &str, name: &str) -> Result<T, String> {
    field.ok_or_else(|| format!("content of type `{block}` lacks `{name}`"))
}

/// What the blocks have that both content and sampling know: text, pictures and sound.
pub(super) struct Plain {
    pub(super) text: Option<String>,
    pub(super) data: Option<String>,
    pub(super) mime_type: Option<String>,
    pub(super) annotations: Option<Annotations>,
    pub(super) meta: Meta,
}

impl Plain {
    pub(super) fn text(self) -> Result<TextContent, String> {
        let text = need(self.text, "text", "text")?;
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
    Ok((need(data, block, "data")?, need(mime_type, block, "mimeType")?))
}

impl TryFrom<LooseBlock> for ContentBlock {
    type Error = String;

    fn try_from(loose: LooseBlock) -> Result<Self, String> {
        let plain = Plain {
            text: loose.text,
            data: loose.data,
            mime_type: loose.mime_type,
            annotations: loose.annotations,
            meta: loose.meta,
        };
        Ok(match loose.r#type.as_str() {
            "text" => Self::Text(plain.text()?),
            "image" => Self::Image(plain.image()?),
            "audio" => Self::Audio(plain.audio()?),
            "resource" => Self::Resource(EmbeddedResource {
                resource: need(loose.resource, "resource", "resource")?,
                annotations: plain.annotations,
                meta: plain.meta,
            }),
            "resource_link" => Self::ResourceLink(ResourceLink {
                uri: need(loose.uri, "resource_link", "uri")?,
                name: need(loose.name, "resource_link", "name")?,
                title: loose.title,
                description: loose.description,
                mime_type: plain.mime_type,
                size: loose.size,
                icons: loose.icons,
                annotations: plain.annotations,
                meta: plain.meta,
            }),
            other => return Err(format!("unknown content type `{other}`")),
        })
    }
}
