//! Lifecycle: `initialize` (legacy era) and `server/discover` (modern era).
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle> and
//! <https://modelcontextprotocol.io/specification/2026-07-28/server/discover>.

use serde::{Deserialize, Serialize};

use super::cache::CacheScope;
use super::capability::{ClientCapabilities, ServerCapabilities};
use super::implementation::Implementation;
use crate::meta_object::Meta;
use crate::request_meta::RequestMeta;
use crate::setters::setters;
use crate::shared_str::Str;

/// The parameters of `initialize` (legacy).
///
/// Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InitializeParams {
    /// The newest revision that the client supports. It can be unknown to this crate.
    pub protocol_version: Str,
    /// The client capabilities.
    #[serde(deserialize_with = "crate::json::object")]
    pub capabilities: ClientCapabilities,
    /// The name and version of the client.
    #[serde(deserialize_with = "crate::json::object")]
    pub client_info: Implementation,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl InitializeParams {
    /// Creates the parameters of `initialize`.
    pub fn new(
        protocol_version: impl Into<Str>,
        capabilities: ClientCapabilities,
        client_info: Implementation,
    ) -> Self {
        Self { protocol_version: protocol_version.into(), capabilities, client_info, meta: RequestMeta::default() }
    }
}

setters!(InitializeParams { meta: RequestMeta });

/// The result of `initialize` (legacy).
///
/// Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InitializeResult {
    /// The protocol revision of the session.
    pub protocol_version: Str,
    /// The server capabilities.
    #[serde(deserialize_with = "crate::json::object")]
    pub capabilities: ServerCapabilities,
    /// The name and version of the server.
    pub server_info: Implementation,
    /// Instructions for the model on how to use the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// The `_meta` of the result.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl InitializeResult {
    /// Creates the result of `initialize`.
    pub fn new(
        protocol_version: impl Into<Str>,
        capabilities: ServerCapabilities,
        server_info: Implementation,
    ) -> Self {
        Self {
            protocol_version: protocol_version.into(),
            capabilities,
            server_info,
            instructions: None,
            meta: Meta::new(),
        }
    }
}

setters!(InitializeResult {
    instructions: Option<String>,
    meta: Meta,
});

/// The parameters of `server/discover` (modern).
pub type DiscoverParams = EmptyParams;

/// The result of `server/discover` (modern). The server info is in `_meta`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/discover>.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DiscoverResult {
    /// The protocol revisions that the server supports.
    pub supported_versions: Vec<String>,
    /// The server capabilities.
    #[serde(deserialize_with = "crate::json::object")]
    pub capabilities: ServerCapabilities,
    /// Instructions for the model on how to use the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// The time to live of the result in milliseconds since receipt.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::cache::ttl")]
    pub ttl_ms: Option<u64>,
    /// The clients that the cached result can be reused for.
    /// An unknown value is decoded as `None`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "crate::json::known")]
    pub cache_scope: Option<CacheScope>,
    /// The `_meta` of the result.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl DiscoverResult {
    /// Creates the result of `server/discover`.
    pub fn new(supported_versions: Vec<String>, capabilities: ServerCapabilities) -> Self {
        Self { supported_versions, capabilities, ..Self::default() }
    }
}

setters!(DiscoverResult {
    instructions: Option<String>,
    ttl_ms: Option<u64>,
    cache_scope: Option<CacheScope>,
    meta: Meta,
});

/// The parameters of a method without parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmptyParams {
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

setters!(EmptyParams { meta: RequestMeta });

/// An empty result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmptyResult {
    /// The `_meta` of the result.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

setters!(EmptyResult { meta: Meta });

/// The parameters of a notification without parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NotificationParams {
    /// The `_meta` of the notification. For modern subscriptions it contains the subscription id.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

setters!(NotificationParams { meta: Meta });
