//! Resources: what a server lets be read, by URI.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>.

use serde::{Deserialize, Serialize};

use super::annotations::Annotations;
use super::cache::CacheScope;
use super::implementation::Icon;
use crate::json::{RawMap, Str};
use crate::meta::Meta;
use crate::request_meta::RequestMeta;

macro_rules! described {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } $($extra:tt)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// The name for people (from 2025-06-18).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub title: Option<String>,
            /// What it is, for the model.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub description: Option<String>,
            /// The MIME type, where known.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub mime_type: Option<String>,
            $($extra)*
            /// Pictures (from 2025-11-25).
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub icons: Vec<Icon>,
            /// Hints for choosing and showing it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub annotations: Option<Annotations>,
            /// Foreign keys (from 2025-06-18).
            #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
            pub meta: Meta,
        }
    };
}

described! {
    /// A resource that can be listed and read.
    Resource {
        /// Where it is read.
        uri: String,
        /// The name for programs.
        name: String,
    }
    /// The size in bytes before encoding, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}
described! {
    /// A family of resources under one URI template.
    ResourceTemplate {
        /// The template, RFC 6570.
        uri_template: String,
        /// The name for programs.
        name: String,
    }
}
described! {
    /// A pointer to a resource inside content; it need not be listed anywhere.
    ResourceLink {
        /// Where it is read.
        uri: String,
        /// The name for programs.
        name: String,
    }
    /// The size in bytes before encoding, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl Resource {
    /// A resource at `uri`.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            size: None,
            icons: Vec::new(),
            annotations: None,
            meta: Meta::new(),
        }
    }
}

impl ResourceTemplate {
    /// A family under `uri_template`.
    pub fn new(uri_template: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            uri_template: uri_template.into(),
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            icons: Vec::new(),
            annotations: None,
            meta: Meta::new(),
        }
    }
}

impl ResourceLink {
    /// A link to `uri`.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            size: None,
            icons: Vec::new(),
            annotations: None,
            meta: Meta::new(),
        }
    }
}

/// What a resource holds: text, or bytes in base64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "LooseContents")]
#[non_exhaustive]
pub struct ResourceContents {
    /// Which resource, or which part of the one asked for.
    pub uri: String,
    /// The MIME type, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// What it holds.
    #[serde(flatten)]
    pub body: ResourceBody,
    /// Foreign keys (from 2025-06-18).
    #[serde(rename = "_meta", skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

/// Text or bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceBody {
    /// Text.
    Text(String),
    /// Bytes in base64.
    Blob(String),
}

impl ResourceContents {
    /// Text at `uri`.
    pub fn text(uri: impl Into<String>, text: impl Into<String>) -> Self {
        Self { uri: uri.into(), mime_type: None, body: ResourceBody::Text(text.into()), meta: Meta::new() }
    }

    /// Bytes at `uri`, already in base64.
    pub fn blob(uri: impl Into<String>, base64: impl Into<String>) -> Self {
        Self { uri: uri.into(), mime_type: None, body: ResourceBody::Blob(base64.into()), meta: Meta::new() }
    }

    /// States the MIME type.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.body {
            ResourceBody::Text(text) => Some(text),
            ResourceBody::Blob(_) => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LooseContents {
    uri: String,
    mime_type: Option<String>,
    text: Option<String>,
    blob: Option<String>,
    #[serde(rename = "_meta", default)]
    meta: Meta,
}

impl TryFrom<LooseContents> for ResourceContents {
    type Error = &'static str;

    fn try_from(loose: LooseContents) -> Result<Self, Self::Error> {
        let body = match (loose.text, loose.blob) {
            (Some(text), _) => ResourceBody::Text(text),
            (None, Some(blob)) => ResourceBody::Blob(blob),
            (None, None) => return Err("resource contents have neither `text` nor `blob`"),
        };
        Ok(Self { uri: loose.uri, mime_type: loose.mime_type, body, meta: loose.meta })
    }
}

/// `resources/read`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReadResourceParams {
    /// Which resource.
    pub uri: Str,
    /// Answers to what an earlier attempt asked (2026-07-28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_responses: Option<RawMap>,
    /// The state an earlier attempt handed out (2026-07-28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_state: Option<Str>,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl ReadResourceParams {
    /// Reads `uri`.
    pub fn new(uri: impl Into<Str>) -> Self {
        Self { uri: uri.into(), input_responses: None, request_state: None, meta: RequestMeta::default() }
    }
}

/// The answer to `resources/read`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReadResourceResult {
    /// The contents: never empty for a resource that exists not; that is an error.
    pub contents: Vec<ResourceContents>,
    /// Freshness in milliseconds from receipt (from 2026-07-28).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::cache::ttl")]
    pub ttl_ms: Option<u64>,
    /// Who may be served a stored copy (from 2026-07-28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_scope: Option<CacheScope>,
    /// Foreign keys.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ReadResourceResult {
    /// These contents.
    pub fn new(contents: Vec<ResourceContents>) -> Self {
        Self { contents, ttl_ms: None, cache_scope: None, meta: Meta::new() }
    }
}

/// `resources/subscribe` and `resources/unsubscribe` (legacy).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourceUriParams {
    /// Which resource.
    pub uri: Str,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl ResourceUriParams {
    /// Names `uri`.
    pub fn new(uri: impl Into<Str>) -> Self {
        Self { uri: uri.into(), meta: RequestMeta::default() }
    }
}

/// `notifications/resources/updated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourceUpdatedParams {
    /// Which resource; perhaps a part of the one watched.
    pub uri: String,
    /// The subscription, for modern listeners.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ResourceUpdatedParams {
    /// `uri` changed.
    pub fn new(uri: impl Into<String>) -> Self {
        Self { uri: uri.into(), meta: Meta::new() }
    }
}
