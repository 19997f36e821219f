//! 2025-06-18 added structured output, resource links, titles, `_meta` on objects, elicitation.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-06-18/changelog>.

use super::downgrade::Downgrade;
use crate::meta_object::Meta;
use crate::model::{
    Annotations, CallToolResult, ClientCapabilities, CompleteParams, ContentBlock, CreateMessageResult, Implementation,
    PromptDefinition, Reference, ResourceContents, ResourceDefinition, ResourceTemplate, Root, SamplingContent,
    SamplingMessage, ToolDefinition,
};

/// Removes the features of this revision for peers of 2025-03-26 and older.
pub(super) struct Added;

impl Downgrade for Added {
    fn implementation(&self, implementation: &mut Implementation) {
        implementation.title = None;
    }

    fn client_capabilities(&self, capabilities: &mut ClientCapabilities) {
        capabilities.elicitation = None;
    }

    fn tool(&self, tool: &mut ToolDefinition) {
        if let Some(title) = tool.title.take() {
            tool.annotations.get_or_insert_default().title.get_or_insert(title);
        }
        tool.output_schema = None;
        tool.meta = Meta::new();
    }

    fn resource(&self, resource: &mut ResourceDefinition) {
        resource.title = None;
        resource.meta = Meta::new();
    }

    fn template(&self, template: &mut ResourceTemplate) {
        template.title = None;
        template.meta = Meta::new();
    }

    fn prompt(&self, prompt: &mut PromptDefinition) {
        prompt.title = None;
        prompt.meta = Meta::new();
        for argument in &mut prompt.arguments {
            argument.title = None;
        }
    }

    fn content(&self, block: &mut ContentBlock) {
        if let ContentBlock::ResourceLink(link) = block {
            let name = link.title.as_deref().unwrap_or(&link.name);
            *block = ContentBlock::text(format!("{name}: {}", link.uri));
        }
        *block.meta_mut() = Meta::new();
    }

    fn contents(&self, contents: &mut ResourceContents) {
        contents.meta = Meta::new();
    }

    fn annotations(&self, annotations: &mut Annotations) {
        annotations.last_modified = None;
    }

    fn call_result(&self, result: &mut CallToolResult) {
        // A text block already has the same content, unless the result was built manually.
        if let Some(structured) = result.structured_content.take() {
            if result.content.is_empty() {
                result.content.push(ContentBlock::text(structured.as_str()));
            }
        }
    }

    fn complete(&self, complete: &mut CompleteParams) {
        complete.context = None;
        if let Reference::Prompt { title, .. } = &mut complete.r#ref {
            *title = None;
        }
    }

    fn root(&self, root: &mut Root) {
        root.meta = Meta::new();
    }

    fn message(&self, message: &mut SamplingMessage) {
        message.content.iter_mut().for_each(clear_meta);
    }

    fn message_result(&self, result: &mut CreateMessageResult) {
        result.content.iter_mut().for_each(clear_meta);
    }
}

fn clear_meta(block: &mut SamplingContent) {
    match block {
        SamplingContent::Text(block) => block.meta = Meta::new(),
        SamplingContent::Image(block) => block.meta = Meta::new(),
        SamplingContent::Audio(block) => block.meta = Meta::new(),
        SamplingContent::ToolUse(block) => block.meta = Meta::new(),
        SamplingContent::ToolResult(block) => block.meta = Meta::new(),
    }
}
