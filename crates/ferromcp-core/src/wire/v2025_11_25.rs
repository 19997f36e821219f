//! 2025-11-25 added icons, URL elicitation, more form fields, sampling with tools, and tasks.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/changelog>.

use super::downgrade::Downgrade;
use crate::error::{Error, ErrorCode};
use crate::meta_object::Meta;
use crate::model::{
    CallToolParams, ClientCapabilities, ContentBlock, CreateMessageParams, CreateMessageResult, ElicitAction,
    ElicitParams, ElicitResult, ElicitationCapability, FieldType, FormSchema, Implementation, PromptDefinition,
    ResourceDefinition, ResourceTemplate, SamplingCapability, SamplingContent, SamplingMessage, ServerCapabilities,
    ToolDefinition,
};

/// Removes the features of this revision for peers of 2025-06-18 and older.
pub(super) struct Added;

impl Downgrade for Added {
    fn implementation(&self, implementation: &mut Implementation) {
        implementation.icons.clear();
        implementation.website_url = None;
        implementation.description = None;
    }

    fn server_capabilities(&self, capabilities: &mut ServerCapabilities) {
        capabilities.tasks = None;
    }

    fn client_capabilities(&self, capabilities: &mut ClientCapabilities) {
        capabilities.tasks = None;
        if let Some(sampling) = &mut capabilities.sampling {
            *sampling = SamplingCapability::default();
        }
        if let Some(elicitation) = &mut capabilities.elicitation {
            *elicitation = ElicitationCapability::default();
        }
    }

    fn tool(&self, tool: &mut ToolDefinition) {
        tool.icons.clear();
        tool.execution = None;
    }

    fn resource(&self, resource: &mut ResourceDefinition) {
        resource.icons.clear();
    }

    fn template(&self, template: &mut ResourceTemplate) {
        template.icons.clear();
    }

    fn prompt(&self, prompt: &mut PromptDefinition) {
        prompt.icons.clear();
    }

    fn content(&self, block: &mut ContentBlock) {
        if let ContentBlock::ResourceLink(link) = block {
            link.icons.clear();
        }
    }

    fn call(&self, call: &mut CallToolParams) {
        call.task = None;
    }

    fn create_message(&self, params: &mut CreateMessageParams) {
        params.tools = None;
        params.tool_choice = None;
        params.task = None;
    }

    fn message(&self, message: &mut SamplingMessage) {
        message.meta = Meta::new();
        keep_single_block(&mut message.content);
    }

    fn message_result(&self, result: &mut CreateMessageResult) {
        keep_single_block(&mut result.content);
    }

    fn elicit(&self, params: &mut ElicitParams) {
        match params {
            ElicitParams::Form(form) => {
                form.explicit_mode = false;
                form.task = None;
                restrict_form(&mut form.requested_schema);
            }
            ElicitParams::Url(url) => url.task = None, // callers never send URL elicitation to such a peer
        }
    }

    fn elicit_result(&self, result: &mut ElicitResult) {
        if result.action != ElicitAction::Accept {
            result.content = None;
        }
    }

    fn error(&self, error: &mut Error) {
        if error.code == ErrorCode::URL_ELICITATION_REQUIRED {
            error.code = ErrorCode::INTERNAL_ERROR;
        }
    }
}

/// Keeps the first block that is not a tool use or tool result; inserts an empty text block if no block remains.
fn keep_single_block(content: &mut Vec<SamplingContent>) {
    let is_tool_block =
        |block: &SamplingContent| matches!(block, SamplingContent::ToolUse(_) | SamplingContent::ToolResult(_));
    content.retain(|block| !is_tool_block(block));
    content.truncate(1);
    if content.is_empty() {
        content.push(SamplingContent::text(""));
    }
}

/// Restricts a form to 2025-06-18: single choices only, as `enum` and `enumNames`, and defaults only for booleans.
fn restrict_form(form: &mut FormSchema) {
    form.dialect = None;
    let removed: Vec<String> = form
        .properties
        .iter()
        .filter(|(_, field)| field.r#type == FieldType::Array)
        .map(|(name, _)| name.clone())
        .collect();
    form.properties.retain(|(name, _)| !removed.contains(name));
    if let Some(required) = &mut form.required {
        required.retain(|name| !removed.contains(name));
    }
    for (_, field) in &mut form.properties {
        if let Some(choices) = field.one_of.take() {
            let (values, titles) = choices.into_iter().map(|choice| (choice.r#const, choice.title)).unzip();
            field.choices = Some(values);
            field.enum_names = Some(titles);
        }
        if field.r#type != FieldType::Boolean {
            field.default = None;
        }
    }
}
