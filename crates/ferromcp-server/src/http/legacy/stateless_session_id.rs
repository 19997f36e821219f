//! Session ids of a stateless endpoint: they encode the capabilities that the client declared in `initialize`.
//!
//! A stateless endpoint stores nothing, and any process may receive the next request. The client repeats its session id
//! in every request, so the server knows which server requests the client supports. The id affects only the client that
//! sends it, so it is not signed.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use ferromcp_core::model::{ClientCapabilities, ElicitationCapability, ListChanged, SamplingCapability};
use ferromcp_core::{RawJson, Revision};

/// The prefix of these session ids.
const PREFIX: &str = "told.";

/// The revision and the capabilities of a client, as a session id encodes them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EncodedCapabilities {
    pub(super) revision: Revision,
    pub(super) capabilities: ClientCapabilities,
}

impl EncodedCapabilities {
    /// Returns the value for a client, or `None` if the client supports no server requests and needs no id.
    pub(super) fn new(revision: Revision, capabilities: &ClientCapabilities) -> Option<Self> {
        let encoded = Self { revision, capabilities: capabilities.clone() };
        (!encoded.flags().is_empty()).then_some(encoded)
    }

    /// Encodes a session id. `random` makes it unique.
    pub(super) fn to_session_id(&self, random: &str) -> String {
        format!("{PREFIX}{}.{}.{random}", self.revision.as_str(), self.flags())
    }

    /// Decodes a session id. Returns `None` if it was not created by [`to_session_id`](Self::to_session_id).
    pub(super) fn decode(id: &str) -> Option<Self> {
        let mut parts = id.strip_prefix(PREFIX)?.splitn(3, '.');
        let revision = Revision::parse(parts.next()?).filter(|revision| !revision.is_modern())?;
        let flags = parts.next()?;
        let object_if = |flag| flags.contains(flag).then(RawJson::empty_object);
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = (flags.contains('f') || flags.contains('u')).then(|| {
            let mut elicitation = ElicitationCapability::default();
            (elicitation.form, elicitation.url) = (object_if('f'), object_if('u'));
            elicitation
        });
        capabilities.sampling = flags.contains('s').then(|| {
            let mut sampling = SamplingCapability::default();
            (sampling.tools, sampling.context) = (object_if('t'), object_if('c'));
            sampling
        });
        capabilities.roots = flags.contains('r').then(ListChanged::default);
        Some(Self { revision, capabilities })
    }

    /// Returns one letter for each supported server request.
    fn flags(&self) -> String {
        let ClientCapabilities { elicitation, sampling, roots, .. } = &self.capabilities;
        let elicits = |supports: fn(&ElicitationCapability) -> bool| elicitation.as_ref().is_some_and(supports);
        let samples = |supports: fn(&SamplingCapability) -> bool| sampling.as_ref().is_some_and(supports);
        let all = [
            ('f', elicits(ElicitationCapability::supports_form)),
            ('u', elicits(ElicitationCapability::supports_url)),
            ('s', sampling.is_some()),
            ('t', samples(|sampling| sampling.tools.is_some())),
            ('c', samples(|sampling| sampling.context.is_some())),
            ('r', roots.is_some()),
        ];
        all.into_iter().filter_map(|(flag, is_supported)| is_supported.then_some(flag)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_round_trip() {
        let capabilities: ClientCapabilities = serde_json::from_str(
            r#"{ "elicitation": {}, "sampling": { "tools": {} }, "roots": { "listChanged": true } }"#,
        )
        .unwrap();
        let encoded = EncodedCapabilities::new(Revision::V2025_11_25, &capabilities).unwrap();
        let decoded = EncodedCapabilities::decode(&encoded.to_session_id("x.y.z")).unwrap();
        assert_eq!(decoded.revision, Revision::V2025_11_25);
        let ElicitationCapability { form, url, .. } = decoded.capabilities.elicitation.clone().unwrap();
        assert!(form.is_some() && url.is_none(), "an empty elicitation capability means forms");
        assert!(decoded.capabilities.sampling.as_ref().is_some_and(|it| it.tools.is_some() && it.context.is_none()));
        assert!(decoded.capabilities.roots.is_some());
        assert_eq!(EncodedCapabilities::decode(&decoded.to_session_id("a")).unwrap(), decoded);
    }

    #[test]
    fn decode_returns_none_when_the_id_is_foreign() {
        assert_eq!(EncodedCapabilities::new(Revision::V2025_11_25, &ClientCapabilities::default()), None);
        for id in ["", "told.", "told.x", "told.2099-01-01.f.a", "8c1f", "told..f.a"] {
            assert_eq!(EncodedCapabilities::decode(id), None, "{id:?}");
        }
        let modern = format!("told.{}.f.a", Revision::LATEST.as_str());
        assert_eq!(EncodedCapabilities::decode(&modern), None);
    }
}
