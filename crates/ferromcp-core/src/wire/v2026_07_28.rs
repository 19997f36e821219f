//! 2026-07-28 brought statelessness: `resultType` and identity in each result, caching hints,
//! structured content of any JSON, extensions; "not found" became -32602.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/changelog>.
//! `resultType` and identity are the envelope's matter, see [`super::encode`].

use super::step::Step;
use crate::error::{Error, ErrorCode};
use crate::json::{RawJson, RawMap};
use crate::methods::ServerResult;
use crate::model::{
    CacheScope, CallToolParams, CallToolResult, ClientCapabilities, ContentBlock, CreateMessageParams,
    CreateMessageResult, ElicitParams, GetPromptParams, ReadResourceParams, SamplingContent, SamplingMessage,
    ServerCapabilities, Tool,
};
use crate::request_meta::RequestMeta;

/// Spares peers of 2025-11-25 and older.
pub(super) struct Spare;

impl Step for Spare {
    fn server_capabilities(&self, capabilities: &mut ServerCapabilities) {
        capabilities.extensions = RawMap::new();
    }

    fn client_capabilities(&self, capabilities: &mut ClientCapabilities) {
        capabilities.extensions = RawMap::new();
    }

    fn request_meta(&self, meta: &mut RequestMeta) {
        // A session says this once; in `_meta` it would make the request a modern one.
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

    fn tool(&self, tool: &mut Tool) {
        object_properties(&mut tool.input_schema);
        tool.output_schema.as_mut().map(object_properties);
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
        let new = [ErrorCode::HEADER_MISMATCH, ErrorCode::MISSING_CLIENT_CAPABILITY, ErrorCode::UNSUPPORTED_REVISION];
        if new.contains(&error.code) {
            error.code = ErrorCode::INVALID_PARAMS;
        }
    }
}

/// What this revision gave up: core tasks, and `_meta` on the questions it asks in answers.
pub(super) struct Retire;

impl Step for Retire {
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

    fn tool(&self, tool: &mut Tool) {
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

/// Writes the boolean schemas among a root's properties as objects, which is all that older peers
/// know there; some refuse a whole list of tools for a `true`.
fn object_properties(schema: &mut RawJson) {
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
