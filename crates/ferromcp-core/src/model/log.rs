//! Log messages to the client.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging>.

use serde::{Deserialize, Serialize};

use super::log_level::LogLevel;
use crate::json::RawJson;
use crate::meta::Meta;
use crate::request_meta::RequestMeta;

/// `notifications/message`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogMessageParams {
    /// How severe.
    pub level: LogLevel,
    /// Which part speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// What it says: any JSON.
    pub data: RawJson,
    /// Foreign keys.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl LogMessageParams {
    /// A message.
    pub fn new(level: LogLevel, data: RawJson) -> Self {
        Self { level, logger: None, data, meta: Meta::new() }
    }
}

/// `logging/setLevel` (legacy).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SetLevelParams {
    /// The least severity to send from now on.
    pub level: LogLevel,
    /// Foreign keys.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl SetLevelParams {
    /// From `level` on.
    pub fn new(level: LogLevel) -> Self {
        Self { level, meta: RequestMeta::default() }
    }
}
