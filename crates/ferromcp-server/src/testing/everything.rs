//! A client that can be asked everything.

use ferromcp_core::RawJson;
use ferromcp_core::model::{ClientCapabilities, ElicitationCapability, ListChanged, SamplingCapability};

/// What a client declares that can be asked everything.
pub fn everything() -> ClientCapabilities {
    let on = || Some(RawJson::empty_object());
    let mut elicitation = ElicitationCapability::default();
    (elicitation.form, elicitation.url) = (on(), on());
    let mut sampling = SamplingCapability::default();
    (sampling.tools, sampling.context) = (on(), on());
    let mut capabilities = ClientCapabilities::default();
    capabilities.elicitation = Some(elicitation);
    capabilities.sampling = Some(sampling);
    capabilities.roots = Some(ListChanged::default());
    capabilities
}
