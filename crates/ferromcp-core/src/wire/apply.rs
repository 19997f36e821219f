//! Applies the downgrades for a revision to all parts of a message.

use super::downgrade::Downgrade;
use super::{v2025_03_26, v2025_06_18, v2025_11_25, v2026_07_28};
use crate::error::Error;
use crate::methods::{
    ClientNotification, ClientRequest, ClientResult, ServerNotification, ServerRequest, ServerResult,
};
use crate::model::{
    Annotations, ContentBlock, CreateMessageParams, InputRequest, InputRequired, ResourceDefinition, ResourceTemplate,
    SamplingContent, SamplingMessage, ToolDefinition,
};
use crate::revision::Revision;

/// Downgrades a server result for a peer of `revision`.
pub(super) fn server_result(result: &mut ServerResult, revision: Revision) {
    let downgrades = downgrades(revision);
    match result {
        // Pages are processed for the newest revision as well, because this also caches their serialized text.
        ServerResult::ListTools(list) => {
            list.tools.downgrade(revision, |tool| each(downgrades, |downgrade| apply_tool(downgrade, tool)));
        }
        ServerResult::ListResources(list) => {
            list.resources
                .downgrade(revision, |resource| each(downgrades, |downgrade| apply_resource(downgrade, resource)));
        }
        ServerResult::ListResourceTemplates(list) => {
            list.resource_templates
                .downgrade(revision, |template| each(downgrades, |downgrade| apply_template(downgrade, template)));
        }
        ServerResult::ListPrompts(list) => {
            list.prompts.downgrade(revision, |prompt| each(downgrades, |downgrade| downgrade.prompt(prompt)));
        }
        _ => each(downgrades, |downgrade| apply_result(downgrade, result)),
    }
    if let Some((ttl_ms, scope)) = result.cache_mut() {
        each(downgrades, |downgrade| downgrade.cache(ttl_ms, scope));
    }
}

/// Downgrades an error for a peer of `revision`.
pub(super) fn error(error: &mut Error, revision: Revision) {
    each(downgrades(revision), |downgrade| downgrade.error(error));
}

/// Downgrades a server notification for a peer of `revision`.
pub(super) fn server_notification(notification: &mut ServerNotification, revision: Revision) {
    if let ServerNotification::Progress(progress) = notification {
        each(downgrades(revision), |downgrade| downgrade.progress(progress));
    }
}

/// Downgrades a client notification for a peer of `revision`.
pub(super) fn client_notification(notification: &mut ClientNotification, revision: Revision) {
    if let ClientNotification::Progress(progress) = notification {
        each(downgrades(revision), |downgrade| downgrade.progress(progress));
    }
}

/// Downgrades a server request for a peer of `revision`.
pub(super) fn server_request(request: &mut ServerRequest, revision: Revision) {
    each(downgrades(revision), |downgrade| match request {
        ServerRequest::CreateMessage(params) => apply_create_message(downgrade, params),
        ServerRequest::Elicit(params) => downgrade.elicit(params),
        _ => {}
    });
}

/// Downgrades the input requests of an `input_required` result for a peer of `revision`.
pub(super) fn input_required(required: &mut InputRequired, revision: Revision) {
    for (_, request) in required.input_requests.iter_mut().flatten() {
        each(downgrades(revision), |downgrade| match request {
            InputRequest::CreateMessage(params) => apply_create_message(downgrade, params),
            InputRequest::Elicit(params) => downgrade.elicit(params),
            InputRequest::ListRoots => {}
        });
    }
}

/// Downgrades a client request for a peer of `revision`.
pub(super) fn client_request(request: &mut ClientRequest, revision: Revision) {
    if let Some(meta) = request.meta_mut() {
        each(downgrades(revision), |downgrade| downgrade.request_meta(meta));
    }
    each(downgrades(revision), |downgrade| match request {
        ClientRequest::Initialize(params) => {
            downgrade.client_capabilities(&mut params.capabilities);
            downgrade.implementation(&mut params.client_info);
        }
        ClientRequest::CallTool(params) => downgrade.call(params),
        ClientRequest::GetPrompt(params) => downgrade.get_prompt(params),
        ClientRequest::ReadResource(params) => downgrade.read_resource(params),
        ClientRequest::Complete(params) => downgrade.complete(params),
        _ => {}
    });
}

/// Downgrades a client result for a peer of `revision`.
pub(super) fn client_result(result: &mut ClientResult, revision: Revision) {
    each(downgrades(revision), |downgrade| match result {
        ClientResult::CreateMessage(result) => {
            downgrade.message_result(result);
            result.content.iter_mut().for_each(|block| apply_sampling(downgrade, block));
        }
        ClientResult::ListRoots(result) => result.roots.iter_mut().for_each(|root| downgrade.root(root)),
        ClientResult::Elicit(result) => downgrade.elicit_result(result),
        _ => {}
    });
}

/// Returns the downgrades to apply for a peer of `revision`, newest first.
fn downgrades(revision: Revision) -> &'static [&'static dyn Downgrade] {
    static ALL: [&dyn Downgrade; 4] =
        [&v2026_07_28::Added, &v2025_11_25::Added, &v2025_06_18::Added, &v2025_03_26::Added];
    match revision {
        Revision::V2026_07_28 => &[&v2026_07_28::Removed],
        Revision::V2025_11_25 => &ALL[..1],
        Revision::V2025_06_18 => &ALL[..2],
        Revision::V2025_03_26 => &ALL[..3],
        Revision::V2024_11_05 => &ALL,
    }
}

fn each(downgrades: &[&dyn Downgrade], mut apply: impl FnMut(&dyn Downgrade)) {
    for downgrade in downgrades {
        apply(*downgrade);
    }
}

fn apply_result(downgrade: &dyn Downgrade, result: &mut ServerResult) {
    match result {
        ServerResult::Initialize(result) => {
            downgrade.server_capabilities(&mut result.capabilities);
            downgrade.implementation(&mut result.server_info);
        }
        ServerResult::Discover(result) => downgrade.server_capabilities(&mut result.capabilities),
        ServerResult::CallTool(result) => {
            result.content.iter_mut().for_each(|block| apply_content(downgrade, block));
            downgrade.call_result(result);
        }
        ServerResult::GetPrompt(result) => {
            result.messages.iter_mut().for_each(|message| apply_content(downgrade, &mut message.content));
        }
        ServerResult::ReadResource(result) => {
            result.contents.iter_mut().for_each(|contents| downgrade.contents(contents));
        }
        _ => {}
    }
}

fn apply_annotations(downgrade: &dyn Downgrade, annotations: &mut Option<Annotations>) {
    if let Some(annotations) = annotations {
        downgrade.annotations(annotations);
    }
}

fn apply_tool(downgrade: &dyn Downgrade, tool: &mut ToolDefinition) {
    downgrade.tool(tool);
}

fn apply_resource(downgrade: &dyn Downgrade, resource: &mut ResourceDefinition) {
    downgrade.resource(resource);
    apply_annotations(downgrade, &mut resource.annotations);
}

fn apply_template(downgrade: &dyn Downgrade, template: &mut ResourceTemplate) {
    downgrade.template(template);
    apply_annotations(downgrade, &mut template.annotations);
}

fn apply_content(downgrade: &dyn Downgrade, block: &mut ContentBlock) {
    downgrade.content(block);
    apply_annotations(downgrade, block.annotations_mut());
    if let ContentBlock::Resource(embedded) = block {
        downgrade.contents(&mut embedded.resource);
    }
}

fn apply_create_message(downgrade: &dyn Downgrade, params: &mut CreateMessageParams) {
    downgrade.create_message(params);
    params.messages.iter_mut().for_each(|message| apply_message(downgrade, message));
    params.tools.iter_mut().flatten().for_each(|tool| apply_tool(downgrade, tool));
}

fn apply_message(downgrade: &dyn Downgrade, message: &mut SamplingMessage) {
    downgrade.message(message);
    message.content.iter_mut().for_each(|block| apply_sampling(downgrade, block));
}

fn apply_sampling(downgrade: &dyn Downgrade, block: &mut SamplingContent) {
    match block {
        SamplingContent::Text(block) => apply_annotations(downgrade, &mut block.annotations),
        SamplingContent::Image(block) => apply_annotations(downgrade, &mut block.annotations),
        SamplingContent::Audio(block) => apply_annotations(downgrade, &mut block.annotations),
        SamplingContent::ToolResult(result) => {
            result.content.iter_mut().for_each(|block| apply_content(downgrade, block));
        }
        SamplingContent::ToolUse(_) => {}
    }
}
