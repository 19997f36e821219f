//! How peers meet: `initialize` in the legacy era, `server/discover` in the modern one.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle> and
//! <https://modelcontextprotocol.io/specification/2026-07-28/server/discover>.

use serde::{Deserialize, Serialize};

use super::cache::CacheScope;
use super::capability::{ClientCapabilities, ServerCapabilities};
use super::implementation::Implementation;
use crate::json::Str;
use crate::meta::Meta;
use crate::request_meta::RequestMeta;

/// `initialize` (legacy).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InitializeParams {
    /// The newest revision the client speaks, by name; it may be one nobody here knows.
    pub protocol_version: Str,
    /// What the client can do.
    #[serde(deserialize_with = "crate::json::object")]
    pub capabilities: ClientCapabilities,
    /// Who the client is.
    #[serde(deserialize_with = "crate::json::object")]
    pub client_info: Implementation,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl InitializeParams {
    /// An opening.
    pub fn new(
        protocol_version: impl Into<Str>,
        capabilities: ClientCapabilities,
        client_info: Implementation,
    ) -> Self {
        Self { protocol_version: protocol_version.into(), capabilities, client_info, meta: RequestMeta::default() }
    }
}

/// The answer to `initialize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InitializeResult {
    /// The revision of this session, by name.
    pub protocol_version: Str,
    /// What the server can do.
    pub capabilities: ServerCapabilities,
    /// Who the server is.
    pub server_info: Implementation,
    /// How to use the server well, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Foreign keys.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl InitializeResult {
    /// An agreement.
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

/// `server/discover` (modern).
pub type DiscoverParams = EmptyParams;

/// The answer to `server/discover`. Who the server is stands in `_meta`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DiscoverResult {
    /// The revisions the server speaks, by name.
    pub supported_versions: Vec<String>,
    /// What the server can do.
    pub capabilities: ServerCapabilities,
    /// How to use the server well, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Freshness in milliseconds from receipt.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::cache::ttl")]
    pub ttl_ms: Option<u64>,
    /// Who may be served a stored copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_scope: Option<CacheScope>,
    /// Foreign keys.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl DiscoverResult {
    /// What a server speaks and can do.
    pub fn new(supported_versions: Vec<String>, capabilities: ServerCapabilities) -> Self {
        Self { supported_versions, capabilities, ..Self::default() }
    }
}

/// The parameters of a method that takes none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmptyParams {
    /// The message's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

/// The result of a method that returns nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmptyResult {
    /// Foreign keys.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

/// The parameters of a notification that says nothing but that it happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NotificationParams {
    /// Foreign keys, and the subscription for modern listeners.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}
