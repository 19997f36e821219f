//! The client capabilities that a question requires.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#capabilities>.

use ferromcp_core::model::{
    ClientCapabilities, CreateMessageParams, ElicitParams, ElicitationCapability, FieldType, FormSchema,
    IncludeContext, InputRequest, ListChanged, PrimitiveSchema, SamplingCapability,
};
use ferromcp_core::{RawJson, Revision};

use crate::call::Peer;
use crate::era::features::{
    has_elicitation, has_multi_select_fields, has_sampling_tools, has_url_elicitation, requires_context_capability,
};

/// Returns the capabilities that the request requires if the peer did not declare them; `None` if it did.
pub(crate) fn missing_capabilities(request: &InputRequest, peer: &Peer) -> Option<ClientCapabilities> {
    let (declared, revision) = (peer.capabilities(), peer.revision());
    let can = match request {
        InputRequest::Elicit(ElicitParams::Form(form)) => {
            has_elicitation(revision)
                && declared.elicitation.as_ref().is_some_and(ElicitationCapability::supports_form)
                && supports_schema(&form.requested_schema, revision)
        }
        InputRequest::Elicit(_) => {
            has_url_elicitation(revision)
                && declared.elicitation.as_ref().is_some_and(ElicitationCapability::supports_url)
        }
        InputRequest::CreateMessage(params) => declared
            .sampling
            .as_ref()
            .is_some_and(|sampling| !uses_tools(params) || (sampling.tools.is_some() && has_sampling_tools(revision))),
        InputRequest::ListRoots => declared.roots.is_some(),
        _ => false,
    };
    (!can).then(|| required(request))
}

/// Returns the capabilities that the request requires.
pub(crate) fn required(request: &InputRequest) -> ClientCapabilities {
    let mut capabilities = ClientCapabilities::default();
    match request {
        InputRequest::Elicit(params) => {
            let mut elicitation = ElicitationCapability::default();
            let on = Some(RawJson::empty_object());
            match params {
                ElicitParams::Url(_) => elicitation.url = on,
                _ => elicitation.form = on,
            }
            capabilities.elicitation = Some(elicitation);
        }
        InputRequest::CreateMessage(params) => {
            let mut sampling = SamplingCapability::default();
            sampling.tools = uses_tools(params).then(RawJson::empty_object);
            capabilities.sampling = Some(sampling);
        }
        _ => capabilities.roots = Some(ListChanged::default()),
    }
    capabilities
}

fn uses_tools(params: &CreateMessageParams) -> bool {
    params.tools.is_some() || params.tool_choice.is_some()
}

/// Removes optional fields that the peer has not declared support for.
pub(crate) fn strip_undeclared(request: &mut InputRequest, peer: &Peer) {
    if let InputRequest::CreateMessage(params) = request {
        let declared = peer.capabilities().sampling.as_ref().is_some_and(|sampling| sampling.context.is_some());
        if !declared && requires_context_capability(peer.revision()) {
            params.include_context = params.include_context.filter(|context| *context == IncludeContext::None);
        }
    }
}

/// Returns whether the revision supports every required field. Multi-select fields may be missing.
fn supports_schema(form: &FormSchema, revision: Revision) -> bool {
    let must = |field: &PrimitiveSchema| field.r#type == FieldType::Array && field.min_items.is_some_and(|min| min > 0);
    has_multi_select_fields(revision) || !form.properties.iter().any(|(_, field)| must(field))
}
