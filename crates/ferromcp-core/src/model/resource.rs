//! Resources: data that a server exposes by URI.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};

use super::annotations::Annotations;
use super::cache::CacheScope;
use super::implementation::Icon;
use crate::json::{RawMap, from_text};
use crate::meta_object::Meta;
use crate::request_meta::RequestMeta;
use crate::setters::setters;
use crate::shared_str::Str;

macro_rules! described {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } $($extra:tt)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// The display name (since 2025-06-18).
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub title: Option<String>,
            /// The description, for the model.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub description: Option<String>,
            /// The MIME type, if known.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub mime_type: Option<String>,
            $($extra)*
            /// Icons to display (since 2025-11-25).
            #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "crate::json::or_default")]
            pub icons: Vec<Icon>,
            /// Optional annotations for the client.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub annotations: Option<Annotations>,
            /// The `_meta` of the object (since 2025-06-18).
            #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
            pub meta: Meta,
        }

        setters!($name {
            title: Option<String>,
            description: Option<String>,
            mime_type: Option<String>,
            icons: Vec<Icon>,
            annotations: Option<Annotations>,
            meta: Meta,
        });
    };
}

described! {
    /// A resource, as listed by `resources/list`.
    ///
    /// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>.
    ResourceDefinition {
        /// The URI of the resource.
        uri: String,
        /// The programmatic name.
        name: String,
    }
    /// The size in bytes before base64 encoding, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}
described! {
    /// A URI template for resources, as listed by `resources/templates/list`.
    ///
    /// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources#resource-templates>.
    ResourceTemplate {
        /// The URI template (RFC 6570).
        uri_template: String,
        /// The programmatic name.
        name: String,
    }
}
described! {
    /// A content block that links to a resource. The resource does not have to be listed by `resources/list`.
    ResourceLink {
        /// The URI of the resource.
        uri: String,
        /// The programmatic name.
        name: String,
    }
    /// The size in bytes before base64 encoding, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

setters!(ResourceDefinition {
    size: Option<u64>,
});

setters!(ResourceLink {
    size: Option<u64>,
});

impl ResourceDefinition {
    /// Creates a resource.
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
    /// Creates a resource template.
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
    /// Creates a resource link.
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

/// The contents of a resource: text, or binary data in base64.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "LooseContents")]
#[non_exhaustive]
pub struct ResourceContents {
    /// The URI of the resource, or of a sub-resource of the requested resource.
    pub uri: String,
    /// The MIME type, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The text or the binary data.
    #[serde(flatten)]
    pub body: ResourceBody,
    /// The `_meta` of the object (since 2025-06-18).
    #[serde(rename = "_meta", skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

/// Text or binary data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ResourceBody {
    /// Text.
    Text(String),
    /// Binary data, encoded as base64.
    Blob(String),
}

impl ResourceContents {
    /// Creates text contents.
    pub fn text(uri: impl Into<String>, text: impl Into<String>) -> Self {
        Self { uri: uri.into(), mime_type: None, body: ResourceBody::Text(text.into()), meta: Meta::new() }
    }

    /// Creates binary contents from base64 data.
    pub fn blob(uri: impl Into<String>, base64: impl Into<String>) -> Self {
        Self { uri: uri.into(), mime_type: None, body: ResourceBody::Blob(base64.into()), meta: Meta::new() }
    }

    /// Returns the text, or `None` for binary contents.
    pub fn as_text(&self) -> Option<&str> {
        match &self.body {
            ResourceBody::Text(text) => Some(text),
            ResourceBody::Blob(_) => None,
        }
    }
}

setters!(ResourceContents {
    mime_type: Option<String>,
    meta: Meta,
});

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
            (None, None) => return Err("missing field `text` or `blob` in resource contents"),
        };
        Ok(Self { uri: loose.uri, mime_type: loose.mime_type, body, meta: loose.meta })
    }
}

/// The parameters of `resources/read`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReadResourceParams {
    /// The URI of the resource.
    pub uri: Str,
    /// The responses to the input requests of an `input_required` result (2026-07-28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_responses: Option<RawMap>,
    /// The request state of an `input_required` result (2026-07-28).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_state: Option<Str>,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl ReadResourceParams {
    /// Creates a request to read a resource.
    pub fn new(uri: impl Into<Str>) -> Self {
        Self { uri: uri.into(), input_responses: None, request_state: None, meta: RequestMeta::default() }
    }
}

setters!(ReadResourceParams {
    input_responses: Option<RawMap>,
    request_state: Option<Str>,
    meta: RequestMeta,
});

/// The result of `resources/read`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReadResourceResult {
    /// The contents. A resource that does not exist is reported as an error, not as an empty list.
    pub contents: Vec<ResourceContents>,
    /// The time to live of the result in milliseconds since receipt (since 2026-07-28).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::cache::ttl")]
    pub ttl_ms: Option<u64>,
    /// The clients that the cached result can be reused for (since 2026-07-28).
    /// An unknown value is decoded as `None`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::known")]
    pub cache_scope: Option<CacheScope>,
    /// The `_meta` of the result.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ReadResourceResult {
    /// Creates a result with these contents.
    pub fn new(contents: Vec<ResourceContents>) -> Self {
        Self { contents, ttl_ms: None, cache_scope: None, meta: Meta::new() }
    }

    /// Returns the first contents that are text.
    pub fn text(&self) -> Option<&str> {
        self.contents.iter().find_map(ResourceContents::as_text)
    }

    /// Deserializes the first contents that are text: as JSON, or as a string.
    ///
    /// ```
    /// use ferromcp_core::model::{ReadResourceResult, ResourceContents};
    /// let result = ReadResourceResult::new(vec![ResourceContents::text("config://ports", "[80,443]")]);
    /// assert_eq!(result.parse::<Vec<u16>>()?, [80, 443]);
    /// assert_eq!(result.parse::<String>()?, "[80,443]");
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if no contents are text, or if the text does not match the shape of `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        match self.text() {
            Some(text) => from_text(text),
            None if self.contents.is_empty() => Err(serde_json::Error::custom("the resource has no contents")),
            None => Err(serde_json::Error::custom("the contents of the resource are binary")),
        }
    }
}

setters!(ReadResourceResult {
    ttl_ms: Option<u64>,
    cache_scope: Option<CacheScope>,
    meta: Meta,
});

/// The parameters of `resources/subscribe` and `resources/unsubscribe` (legacy).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourceUriParams {
    /// The URI of the resource.
    pub uri: Str,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl ResourceUriParams {
    /// Creates the parameters with a resource URI.
    pub fn new(uri: impl Into<Str>) -> Self {
        Self { uri: uri.into(), meta: RequestMeta::default() }
    }
}

setters!(ResourceUriParams { meta: RequestMeta });

/// The parameters of `notifications/resources/updated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResourceUpdatedParams {
    /// The URI of the updated resource. It can be a sub-resource of the subscribed resource.
    pub uri: String,
    /// The `_meta` of the notification. For modern subscriptions it contains the subscription id.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl ResourceUpdatedParams {
    /// Creates a notification that a resource was updated.
    pub fn new(uri: impl Into<String>) -> Self {
        Self { uri: uri.into(), meta: Meta::new() }
    }
}

setters!(ResourceUpdatedParams { meta: Meta });
