//! Leads a step through the parts of a message.

use super::step::Step;
use super::{v2025_03_26, v2025_06_18, v2025_11_25, v2026_07_28};
use crate::error::Error;
use crate::methods::{
    ClientNotification, ClientRequest, ClientResult, ServerNotification, ServerRequest, ServerResult,
};
use crate::model::{
    Annotations, ContentBlock, CreateMessageParams, InputRequest, InputRequired, Resource, ResourceTemplate,
    SamplingContent, SamplingMessage, Tool,
};
use crate::revision::Revision;

/// Makes a server's result fit for a peer of `revision`.
pub(super) fn server_result(result: &mut ServerResult, revision: Revision) {
    let steps = steps(revision);
    match result {
        // Pages are dressed even for the newest revision: that is when their text is made.
        ServerResult::ListTools(list) => list.tools.dress(revision, |tool| each(steps, |step| walk_tool(step, tool))),
        ServerResult::ListResources(list) => {
            list.resources.dress(revision, |resource| each(steps, |step| walk_resource(step, resource)));
        }
        ServerResult::ListResourceTemplates(list) => {
            list.resource_templates.dress(revision, |template| each(steps, |step| walk_template(step, template)));
        }
        ServerResult::ListPrompts(list) => {
            list.prompts.dress(revision, |prompt| each(steps, |step| step.prompt(prompt)));
        }
        _ => each(steps, |step| walk_result(step, result)),
    }
    if let Some((ttl_ms, scope)) = result.cache_mut() {
        each(steps, |step| step.cache(ttl_ms, scope));
    }
}

/// Makes an error fit for a peer of `revision`.
pub(super) fn error(error: &mut Error, revision: Revision) {
    each(steps(revision), |step| step.error(error));
}

/// Makes a server's notification fit for a peer of `revision`.
pub(super) fn server_notification(notification: &mut ServerNotification, revision: Revision) {
    if let ServerNotification::Progress(progress) = notification {
        each(steps(revision), |step| step.progress(progress));
    }
}

/// Makes a client's notification fit for a peer of `revision`.
pub(super) fn client_notification(notification: &mut ClientNotification, revision: Revision) {
    if let ClientNotification::Progress(progress) = notification {
        each(steps(revision), |step| step.progress(progress));
    }
}

/// Makes a server's request fit for a peer of `revision`.
pub(super) fn server_request(request: &mut ServerRequest, revision: Revision) {
    each(steps(revision), |step| match request {
        ServerRequest::CreateMessage(params) => walk_create_message(step, params),
        ServerRequest::Elicit(params) => step.elicit(params),
        _ => {}
    });
}

/// Makes the questions in an answer fit for a peer of `revision`.
pub(super) fn input_required(required: &mut InputRequired, revision: Revision) {
    for (_, request) in required.input_requests.iter_mut().flatten() {
        each(steps(revision), |step| match request {
            InputRequest::CreateMessage(params) => walk_create_message(step, params),
            InputRequest::Elicit(params) => step.elicit(params),
            InputRequest::ListRoots => {}
        });
    }
}

/// Makes a client's request fit for a peer of `revision`.
pub(super) fn client_request(request: &mut ClientRequest, revision: Revision) {
    if let Some(meta) = request.meta_mut() {
        each(steps(revision), |step| step.request_meta(meta));
    }
    each(steps(revision), |step| match request {
        ClientRequest::Initialize(params) => {
            step.client_capabilities(&mut params.capabilities);
            step.implementation(&mut params.client_info);
        }
        ClientRequest::CallTool(params) => step.call(params),
        ClientRequest::GetPrompt(params) => step.get_prompt(params),
        ClientRequest::ReadResource(params) => step.read_resource(params),
        ClientRequest::Complete(params) => step.complete(params),
        _ => {}
    });
}

/// Makes a client's result fit for a peer of `revision`.
pub(super) fn client_result(result: &mut ClientResult, revision: Revision) {
    each(steps(revision), |step| match result {
        ClientResult::CreateMessage(result) => {
            step.message_result(result);
            result.content.iter_mut().for_each(|block| walk_sampling(step, block));
        }
        ClientResult::ListRoots(result) => result.roots.iter_mut().for_each(|root| step.root(root)),
        ClientResult::Elicit(result) => step.elicit_result(result),
        _ => {}
    });
}

/// The steps down to a peer of `revision`, newest first.
fn steps(revision: Revision) -> &'static [&'static dyn Step] {
    static ALL: [&dyn Step; 4] = [&v2026_07_28::Spare, &v2025_11_25::Spare, &v2025_06_18::Spare, &v2025_03_26::Spare];
    match revision {
        Revision::V2026_07_28 => &[&v2026_07_28::Retire],
        Revision::V2025_11_25 => &ALL[..1],
        Revision::V2025_06_18 => &ALL[..2],
        Revision::V2025_03_26 => &ALL[..3],
        Revision::V2024_11_05 => &ALL,
    }
}

fn each(steps: &[&dyn Step], mut apply: impl FnMut(&dyn Step)) {
    for step in steps {
        apply(*step);
    }
}

fn walk_result(step: &dyn Step, result: &mut ServerResult) {
    match result {
        ServerResult::Initialize(result) => {
            step.server_capabilities(&mut result.capabilities);
            step.implementation(&mut result.server_info);
        }
        ServerResult::Discover(result) => step.server_capabilities(&mut result.capabilities),
        ServerResult::CallTool(result) => {
            result.content.iter_mut().for_each(|block| walk_content(step, block));
            step.call_result(result);
        }
        ServerResult::GetPrompt(result) => {
            result.messages.iter_mut().for_each(|message| walk_content(step, &mut message.content));
        }
        ServerResult::ReadResource(result) => result.contents.iter_mut().for_each(|contents| step.contents(contents)),
        _ => {}
    }
}

fn walk_annotations(step: &dyn Step, annotations: &mut Option<Annotations>) {
    if let Some(annotations) = annotations {
        step.annotations(annotations);
    }
}

fn walk_tool(step: &dyn Step, tool: &mut Tool) {
    step.tool(tool);
}

fn walk_resource(step: &dyn Step, resource: &mut Resource) {
    step.resource(resource);
    walk_annotations(step, &mut resource.annotations);
}

fn walk_template(step: &dyn Step, template: &mut ResourceTemplate) {
    step.template(template);
    walk_annotations(step, &mut template.annotations);
}

fn walk_content(step: &dyn Step, block: &mut ContentBlock) {
    step.content(block);
    walk_annotations(step, block.annotations_mut());
    if let ContentBlock::Resource(embedded) = block {
        step.contents(&mut embedded.resource);
    }
}

fn walk_create_message(step: &dyn Step, params: &mut CreateMessageParams) {
    step.create_message(params);
    params.messages.iter_mut().for_each(|message| walk_message(step, message));
    params.tools.iter_mut().flatten().for_each(|tool| walk_tool(step, tool));
}

fn walk_message(step: &dyn Step, message: &mut SamplingMessage) {
    step.message(message);
    message.content.iter_mut().for_each(|block| walk_sampling(step, block));
}

fn walk_sampling(step: &dyn Step, block: &mut SamplingContent) {
    match block {
        SamplingContent::Text(block) => walk_annotations(step, &mut block.annotations),
        SamplingContent::Image(block) => walk_annotations(step, &mut block.annotations),
        SamplingContent::Audio(block) => walk_annotations(step, &mut block.annotations),
        SamplingContent::ToolResult(result) => {
            result.content.iter_mut().for_each(|block| walk_content(step, block));
        }
        SamplingContent::ToolUse(_) => {}
    }
}
