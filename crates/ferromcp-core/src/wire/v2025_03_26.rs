//! 2025-03-26 added audio, tool annotations, progress messages and the `completions` capability.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-03-26/changelog>.

use super::downgrade::Downgrade;
use crate::model::{
    ContentBlock, CreateMessageResult, ProgressParams, SamplingContent, SamplingMessage, ServerCapabilities,
    ToolDefinition,
};

/// Removes the features of this revision for peers of 2024-11-05.
pub(super) struct Added;

impl Downgrade for Added {
    fn server_capabilities(&self, capabilities: &mut ServerCapabilities) {
        capabilities.completions = None; // the method itself is still supported
    }

    fn tool(&self, tool: &mut ToolDefinition) {
        tool.annotations = None;
    }

    fn content(&self, block: &mut ContentBlock) {
        if let ContentBlock::Audio(audio) = block {
            let placeholder = format!("[audio: {}, {} bytes of base64]", audio.mime_type, audio.data.len());
            *block = ContentBlock::text(placeholder);
        }
    }

    fn message(&self, message: &mut SamplingMessage) {
        message.content.iter_mut().for_each(replace_audio);
    }

    fn message_result(&self, result: &mut CreateMessageResult) {
        result.content.iter_mut().for_each(replace_audio);
    }

    fn progress(&self, progress: &mut ProgressParams) {
        progress.message = None;
    }
}

fn replace_audio(block: &mut SamplingContent) {
    if let SamplingContent::Audio(audio) = block {
        *block = SamplingContent::text(format!("[audio: {}]", audio.mime_type));
    }
}
