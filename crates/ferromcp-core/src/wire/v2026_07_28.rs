//! 2026-07-28 added stateless requests: `resultType` and server info in each result, cache hints,
//! structured content of any JSON type, extensions. Resource not found became -32602.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/changelog>.
//! `resultType` and server info are written by [`super::encode`].

use super::downgrade::Downgrade;
use crate::error::{Error, ErrorCode};
use crate::json::{RawJson, RawMap};
use crate::methods::ServerResult;
use crate::model::cache::MAX_TTL_MS;
use crate::model::{
    CacheScope, CallToolParams, CallToolResult, ClientCapabilities, ContentBlock, CreateMessageParams,
    CreateMessageResult, ElicitParams, GetPromptParams, ReadResourceParams, SamplingContent, SamplingMessage,
    ServerCapabilities, ToolDefinition,
};
use crate::request_meta::RequestMeta;

/// Removes the features of this revision for peers of 2025-11-25 and older.
pub(super) struct Added;

impl Downgrade for Added {
    fn server_capabilities(&self, capabilities: &mut ServerCapabilities) {
        capabilities.extensions = RawMap::new();
    }

    fn client_capabilities(&self, capabilities: &mut ClientCapabilities) {
        capabilities.extensions = RawMap::new();
    }

    fn request_meta(&self, meta: &mut RequestMeta) {
        // Legacy peers exchange these once per session. In `_meta` they would mark the request as modern.
        meta.protocol_version = None;
        meta.client_capabilities = None;
        meta.client_info = None;
        meta.log_level = None;
    }

    fn call(&self, call: &mut CallToolParams) {
        call.input_responses = None;
        call.request_state = None;
    }

    fn get_prompt(&self, get: &mut GetPromptParams) {
        get.input_responses = None;
        get.request_state = None;
    }

    fn read_resource(&self, read: &mut ReadResourceParams) {
        read.input_responses = None;
        read.request_state = None;
    }

    fn tool(&self, tool: &mut ToolDefinition) {
        expand_boolean_properties(&mut tool.input_schema);
        tool.output_schema.as_mut().map(expand_boolean_properties);
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
        message.content.iter_mut().for_each(drop_non_object_output);
    }

    fn message_result(&self, result: &mut CreateMessageResult) {
        result.content.iter_mut().for_each(drop_non_object_output);
    }

    fn cache(&self, ttl_ms: &mut Option<u64>, scope: &mut Option<CacheScope>) {
        *ttl_ms = None;
        *scope = None;
    }

    fn error(&self, error: &mut Error) {
        // Legacy peers would read these codes as application-defined codes.
        let new = [ErrorCode::HEADER_MISMATCH, ErrorCode::MISSING_CLIENT_CAPABILITY, ErrorCode::UNSUPPORTED_REVISION];
        if new.contains(&error.code) {
            error.code = ErrorCode::INVALID_PARAMS;
        }
    }
}

/// Removes the features that this revision dropped: core tasks, and `_meta` on input requests.
pub(super) struct Removed;

impl Downgrade for Removed {
    fn server_capabilities(&self, capabilities: &mut ServerCapabilities) {
        capabilities.tasks = None;
    }

    fn client_capabilities(&self, capabilities: &mut ClientCapabilities) {
        capabilities.tasks = None;
    }

    fn request_meta(&self, meta: &mut RequestMeta) {
        if let Some(capabilities) = &mut meta.client_capabilities {
            self.client_capabilities(std::sync::Arc::make_mut(capabilities));
        }
    }

    fn tool(&self, tool: &mut ToolDefinition) {
        tool.execution = None;
    }

    fn call(&self, call: &mut CallToolParams) {
        call.task = None;
    }

    fn create_message(&self, params: &mut CreateMessageParams) {
        params.task = None;
        params.meta = RequestMeta::default();
    }

    fn elicit(&self, params: &mut ElicitParams) {
        match params {
            ElicitParams::Form(form) => {
                form.task = None;
                form.meta = RequestMeta::default();
            }
            ElicitParams::Url(url) => {
                url.elicitation_id = None;
                url.task = None;
                url.meta = RequestMeta::default();
            }
        }
    }
}

/// Replaces boolean schemas among the properties of the root by equivalent objects. The older schemas
/// allow only objects there, and some clients reject a whole tool list because of a `true`.
fn expand_boolean_properties(schema: &mut RawJson) {
    let Ok(mut root) = schema.decode::<RawMap>() else { return };
    let Some(Ok(mut properties)) = root.get("properties").map(RawJson::decode::<RawMap>) else { return };
    let bare: Vec<(String, bool)> =
        properties.iter().filter_map(|(name, property)| Some((name.to_owned(), property.decode().ok()?))).collect();
    if bare.is_empty() {
        return;
    }
    for (name, anything) in bare {
        let object = if anything { serde_json::json!({}) } else { serde_json::json!({ "not": {} }) };
        properties.insert(name, object.into());
    }
    if let Ok(properties) = RawJson::new(&properties) {
        root.insert("properties", properties);
        *schema = RawJson::new(&root).unwrap_or_else(|_| schema.clone());
    }
}

/// Returns `true` if the root of a schema has the type `object`, which older peers require.
fn describes_object(schema: &RawJson) -> bool {
    #[derive(serde::Deserialize)]
    struct Root {
        r#type: Option<serde_json::Value>,
    }
    schema.decode::<Root>().is_ok_and(|root| root.r#type.is_some_and(|r#type| r#type == "object"))
}

fn drop_non_object_output(block: &mut SamplingContent) {
    if let SamplingContent::ToolResult(result) = block {
        result.structured_content.take_if(|structured| !structured.is_object());
    }
}

/// Sets missing cache hints, which this revision requires, to `ttlMs: 0` and `private`, and limits `ttlMs`.
pub(super) fn fill_cache_hints(result: &mut ServerResult) {
    if let Some((ttl_ms, scope)) = result.cache_mut() {
        let ttl_ms = ttl_ms.get_or_insert(0);
        *ttl_ms = (*ttl_ms).min(MAX_TTL_MS);
        scope.get_or_insert(CacheScope::Private);
    }
}

/// Translates an error code to this revision.
pub(super) fn translate_error_code(error: &mut Error) {
    if matches!(error.code, ErrorCode::RESOURCE_NOT_FOUND | ErrorCode::URL_ELICITATION_REQUIRED) {
        error.code = ErrorCode::INVALID_PARAMS;
    }
}
