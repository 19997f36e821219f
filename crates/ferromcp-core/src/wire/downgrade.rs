//! The [`Downgrade`] trait, implemented once for each revision.
//!
//! Downgrades are applied like migrations, newest first, down to the peer's revision. Each method
//! receives one part of a message and removes or replaces the fields that the peer does not support.
//! The newest revision also has an implementation: it removes fields that the revision dropped.
//!
//! 2024-11-05, the first revision, has no implementation, because no revision is older. It introduced all features that no
//! other revision adds: text and image content, embedded resources, tools, resources, prompts, completion without a
//! capability, logging, sampling, roots, and progress without a message, but no batches.
//! Spec: <https://modelcontextprotocol.io/specification/2024-11-05>.

use crate::error::Error;
use crate::model::{
    Annotations, CacheScope, CallToolParams, CallToolResult, ClientCapabilities, CompleteParams, ContentBlock,
    CreateMessageParams, CreateMessageResult, ElicitParams, ElicitResult, GetPromptParams, Implementation,
    ProgressParams, PromptDefinition, ReadResourceParams, ResourceContents, ResourceDefinition, ResourceTemplate, Root,
    SamplingMessage, ServerCapabilities, ToolDefinition,
};
use crate::request_meta::RequestMeta;

/// Removes or replaces the features of one revision in a message for a peer that does not support them.
pub(super) trait Downgrade: Sync {
    fn implementation(&self, _: &mut Implementation) {}
    fn server_capabilities(&self, _: &mut ServerCapabilities) {}
    fn client_capabilities(&self, _: &mut ClientCapabilities) {}
    fn tool(&self, _: &mut ToolDefinition) {}
    fn resource(&self, _: &mut ResourceDefinition) {}
    fn template(&self, _: &mut ResourceTemplate) {}
    fn prompt(&self, _: &mut PromptDefinition) {}
    fn content(&self, _: &mut ContentBlock) {}
    fn contents(&self, _: &mut ResourceContents) {}
    fn annotations(&self, _: &mut Annotations) {}
    fn call_result(&self, _: &mut CallToolResult) {}
    fn cache(&self, _: &mut Option<u64>, _: &mut Option<CacheScope>) {}
    fn progress(&self, _: &mut ProgressParams) {}
    fn complete(&self, _: &mut CompleteParams) {}
    fn request_meta(&self, _: &mut RequestMeta) {}
    fn call(&self, _: &mut CallToolParams) {}
    fn get_prompt(&self, _: &mut GetPromptParams) {}
    fn read_resource(&self, _: &mut ReadResourceParams) {}
    fn root(&self, _: &mut Root) {}
    fn create_message(&self, _: &mut CreateMessageParams) {}
    fn message(&self, _: &mut SamplingMessage) {}
    fn message_result(&self, _: &mut CreateMessageResult) {}
    fn elicit(&self, _: &mut ElicitParams) {}
    fn elicit_result(&self, _: &mut ElicitResult) {}
    fn error(&self, _: &mut Error) {}
}
