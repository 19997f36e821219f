//! What a question needs of the client, and whether it has said that it can.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#capabilities>.

use ferromcp_core::model::{
    ClientCapabilities, CreateMessageParams, ElicitParams, ElicitationCapability, FieldType, FormSchema,
    IncludeContext, InputRequest, ListChanged, PrimitiveSchema, SamplingCapability,
};
use ferromcp_core::{RawJson, Revision};

use crate::call::Peer;

/// What the peer would have to declare before this could be asked; `None` if it can be.
pub(crate) fn missing(request: &InputRequest, peer: &Peer) -> Option<ClientCapabilities> {
    let (declared, revision) = (peer.capabilities(), peer.revision());
    let can = match request {
        InputRequest::Elicit(ElicitParams::Form(form)) => {
            revision >= Revision::V2025_06_18
                && declared.elicitation.as_ref().is_some_and(ElicitationCapability::can_form)
                && shows(&form.requested_schema, revision)
        }
        InputRequest::Elicit(_) => {
            revision >= Revision::V2025_11_25
                && declared.elicitation.as_ref().is_some_and(ElicitationCapability::can_url)
        }
        InputRequest::CreateMessage(params) => declared.sampling.as_ref().is_some_and(|sampling| {
            !wants_tools(params) || (sampling.tools.is_some() && revision >= Revision::V2025_11_25)
        }),
        InputRequest::ListRoots => declared.roots.is_some(),
        _ => false,
    };
    (!can).then(|| needed(request))
}

/// What a client declares that can be asked this.
pub(crate) fn needed(request: &InputRequest) -> ClientCapabilities {
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
            sampling.tools = wants_tools(params).then(RawJson::empty_object);
            capabilities.sampling = Some(sampling);
        }
        _ => capabilities.roots = Some(ListChanged::default()),
    }
    capabilities
}

fn wants_tools(params: &CreateMessageParams) -> bool {
    params.tools.is_some() || params.tool_choice.is_some()
}

/// Takes out of a question what its peer is not to be sent, and would only have been a wish.
pub(crate) fn polite(request: &mut InputRequest, peer: &Peer) {
    if let InputRequest::CreateMessage(params) = request {
        // From 2025-11-25 on there is a capability for it; before, anybody may be asked.
        let declared = peer.capabilities().sampling.as_ref().is_some_and(|sampling| sampling.context.is_some());
        if !declared && peer.revision() >= Revision::V2025_11_25 {
            params.include_context = params.include_context.filter(|context| *context == IncludeContext::None);
        }
    }
}

/// Whether a revision's forms can hold what has to be filled in. Before 2025-11-25 none had lists of choices.
fn shows(form: &FormSchema, revision: Revision) -> bool {
    let must =
        |field: &PrimitiveSchema| field.r#type == FieldType::Array && field.min_items.is_some_and(|least| least > 0);
    revision >= Revision::V2025_11_25 || !form.properties.iter().any(|(_, field)| must(field))
}
