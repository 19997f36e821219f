//! 2026-07-28 brought statelessness: `resultType` and identity in each result, caching hints,
//! structured content of any JSON, extensions; "not found" became -32602.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/changelog>.
//! `resultType` and identity are the envelope's matter, see [`super::encode`].

use super::step::Step;
use crate::error::{Error, ErrorCode};
use crate::json::{RawJson, RawMap};
use crate::methods::ServerResult;
use crate::model::*;

/// Spares peers of 2025-11-25 and older.
pub(super) struct Spare;

impl Step for Spare {
    fn server_capabilities(&self, capabilities: &mut ServerCapabilities) {
        capabilities.extensions = RawMap::new();
    }

    fn client_capabilities(&self, capabilities: &mut ClientCapabilities) {
        capabilities.extensions = RawMap::new();
    }

    fn tool(&self, tool: &mut Tool) {
        if tool.output_schema.as_ref().is_some_and(|schema| !describes_object(schema)) {
            tool.output_schema = None;
        }
    }

    fn call_result(&self, result: &mut CallToolResult) {
        if let Some(structured) = result.structured_content.take_if(|structured| !structured.is_object()) {
            if result.content.is_empty() {
                result.content.push(ContentBlock::text(structured.as_str()));
            }
        }
    }

    fn message(&self, message: &mut SamplingMessage) {
        message.content.iter_mut().for_each(object_only);
    }

    fn message_result(&self, result: &mut CreateMessageResult) {
        result.content.iter_mut().for_each(object_only);
    }

    fn cache(&self, ttl_ms: &mut Option<u64>, scope: &mut Option<CacheScope>) {
        *ttl_ms = None;
        *scope = None;
    }

    fn error(&self, error: &mut Error) {
        // Codes that did not exist yet, and would be read as somebody's own.
        if matches!(error.code, ErrorCode::MISSING_CLIENT_CAPABILITY | ErrorCode::UNSUPPORTED_REVISION) {
            error.code = ErrorCode::INVALID_PARAMS;
        }
    }
}

/// Whether the root of a schema is of type `object`, which older peers insist on.
fn describes_object(schema: &RawJson) -> bool {
    #[derive(serde::Deserialize)]
    struct Root {
        r#type: Option<serde_json::Value>,
    }
    schema.decode::<Root>().is_ok_and(|root| root.r#type.is_some_and(|r#type| r#type == "object"))
}

fn object_only(block: &mut SamplingContent) {
    if let SamplingContent::ToolResult(result) = block {
        result.structured_content.take_if(|structured| !structured.is_object());
    }
}

/// Adds to a result for a peer of this revision what must not be missing: caching hints.
pub(super) fn complete(result: &mut ServerResult) {
    if let Some((ttl_ms, scope)) = result.cache_mut() {
        ttl_ms.get_or_insert(0);
        scope.get_or_insert(CacheScope::Private);
    }
}

/// Speaks an error in this revision's codes.
pub(super) fn translate(error: &mut Error) {
    if matches!(error.code, ErrorCode::RESOURCE_NOT_FOUND | ErrorCode::URL_ELICITATION_REQUIRED) {
        error.code = ErrorCode::INVALID_PARAMS;
    }
}
