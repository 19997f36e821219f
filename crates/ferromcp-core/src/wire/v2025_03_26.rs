//! 2025-03-26 brought audio, tool annotations, progress messages and the `completions` capability.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-03-26/changelog>.

use super::step::Step;
use crate::model::{
    ContentBlock, CreateMessageResult, ProgressParams, SamplingContent, SamplingMessage, ServerCapabilities, Tool,
};

/// Spares peers of 2024-11-05.
pub(super) struct Spare;

impl Step for Spare {
    fn server_capabilities(&self, capabilities: &mut ServerCapabilities) {
        capabilities.completions = None; // the method itself is answered all the same
    }

    fn tool(&self, tool: &mut Tool) {
        tool.annotations = None;
    }

    fn content(&self, block: &mut ContentBlock) {
        if let ContentBlock::Audio(audio) = block {
            let words = format!("[audio: {}, {} bytes of base64]", audio.mime_type, audio.data.len());
            *block = ContentBlock::text(words);
        }
    }

    fn message(&self, message: &mut SamplingMessage) {
        message.content.iter_mut().for_each(silence);
    }

    fn message_result(&self, result: &mut CreateMessageResult) {
        result.content.iter_mut().for_each(silence);
    }

    fn progress(&self, progress: &mut ProgressParams) {
        progress.message = None;
    }
}

fn silence(block: &mut SamplingContent) {
    if let SamplingContent::Audio(audio) = block {
        *block = SamplingContent::text(format!("[audio: {}]", audio.mime_type));
    }
}
