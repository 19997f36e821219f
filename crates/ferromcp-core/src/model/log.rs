//! Log messages from server to client.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging>.

use serde::{Deserialize, Serialize};

use super::log_level::LogLevel;
use crate::json::RawJson;
use crate::meta_object::Meta;
use crate::request_meta::RequestMeta;
use crate::setters::setters;

/// The parameters of `notifications/message`.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging>.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogMessageParams {
    /// The severity.
    pub level: LogLevel,
    /// The name of the logger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// The data to log, as any JSON value.
    pub data: RawJson,
    /// The `_meta` of the notification.
    #[serde(rename = "_meta", default, skip_serializing_if = "Meta::is_absent")]
    pub meta: Meta,
}

impl LogMessageParams {
    /// Creates a log message.
    pub fn new(level: LogLevel, data: RawJson) -> Self {
        Self { level, logger: None, data, meta: Meta::new() }
    }
}

setters!(LogMessageParams {
    logger: Option<String>,
    meta: Meta,
});

/// The parameters of `logging/setLevel` (legacy).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SetLevelParams {
    /// The minimum severity of log messages to send from now on.
    pub level: LogLevel,
    /// The request's `_meta`.
    #[serde(rename = "_meta", default, skip_serializing_if = "RequestMeta::is_empty")]
    pub meta: RequestMeta,
}

impl SetLevelParams {
    /// Creates the parameters with a minimum severity.
    pub fn new(level: LogLevel) -> Self {
        Self { level, meta: RequestMeta::default() }
    }
}

setters!(SetLevelParams { meta: RequestMeta });
