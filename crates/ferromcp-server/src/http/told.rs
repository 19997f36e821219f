//! What a client of a stateless endpoint told at its `initialize`, so that it can be asked in the middle of later requests.
//!
//! No process remembers it, and any of a fleet may get the next request: so the client carries it itself, as the session
//! id that it repeats. Nothing hangs on the id but what its own client can do, so nothing in it needs a seal.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use ferromcp_core::model::{ClientCapabilities, ElicitationCapability, ListChanged, SamplingCapability};
use ferromcp_core::{RawJson, Revision};

/// What ids begin with that are ours to read.
const PREFIX: &str = "told.";

/// What a client told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) revision: Revision,
    pub(crate) capabilities: ClientCapabilities,
}

impl Told {
    /// What a client that speaks `revision` told of itself; `None` if it cannot be asked anything, and so needs no id.
    pub(crate) fn of(revision: Revision, capabilities: &ClientCapabilities) -> Option<Self> {
        let told = Self { revision, capabilities: capabilities.clone() };
        (!told.letters().is_empty()).then_some(told)
    }

    /// The id that says so; `random` makes it one of its own.
    pub(crate) fn id(&self, random: &str) -> String {
        format!("{PREFIX}{}.{}.{random}", self.revision.as_str(), self.letters())
    }

    /// What an id says; of one that is none of these it is nothing.
    pub(crate) fn read(id: &str) -> Option<Self> {
        let mut parts = id.strip_prefix(PREFIX)?.splitn(3, '.');
        let revision = Revision::parse(parts.next()?).filter(|revision| !revision.is_modern())?;
        let letters = parts.next()?;
        let on = |letter| letters.contains(letter).then(RawJson::empty_object);
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = (letters.contains('f') || letters.contains('u')).then(|| {
            let mut elicitation = ElicitationCapability::default();
            (elicitation.form, elicitation.url) = (on('f'), on('u'));
            elicitation
        });
        capabilities.sampling = letters.contains('s').then(|| {
            let mut sampling = SamplingCapability::default();
            (sampling.tools, sampling.context) = (on('t'), on('c'));
            sampling
        });
        capabilities.roots = letters.contains('r').then(ListChanged::default);
        Some(Self { revision, capabilities })
    }

    /// A letter for each thing that can be asked.
    fn letters(&self) -> String {
        let ClientCapabilities { elicitation, sampling, roots, .. } = &self.capabilities;
        let elicits = |can: fn(&ElicitationCapability) -> bool| elicitation.as_ref().is_some_and(can);
        let samples = |can: fn(&SamplingCapability) -> bool| sampling.as_ref().is_some_and(can);
        let all = [
            ('f', elicits(ElicitationCapability::can_form)),
            ('u', elicits(ElicitationCapability::can_url)),
            ('s', sampling.is_some()),
            ('t', samples(|sampling| sampling.tools.is_some())),
            ('c', samples(|sampling| sampling.context.is_some())),
            ('r', roots.is_some()),
        ];
        all.into_iter().filter_map(|(letter, can)| can.then_some(letter)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_was_told() {
        let capabilities: ClientCapabilities = serde_json::from_str(
            r#"{ "elicitation": {}, "sampling": { "tools": {} }, "roots": { "listChanged": true } }"#,
        )
        .unwrap();
        let told = Told::of(Revision::V2025_11_25, &capabilities).unwrap();
        let read = Told::read(&told.id("x.y.z")).unwrap();
        assert_eq!(read.revision, Revision::V2025_11_25);
        let ElicitationCapability { form, url, .. } = read.capabilities.elicitation.clone().unwrap();
        assert!(form.is_some() && url.is_none(), "an empty capability is that of forms");
        assert!(read.capabilities.sampling.as_ref().is_some_and(|it| it.tools.is_some() && it.context.is_none()));
        assert!(read.capabilities.roots.is_some());
        assert_eq!(Told::read(&read.id("a")).unwrap(), read);
    }

    #[test]
    fn other_ids_say_nothing() {
        assert_eq!(Told::of(Revision::V2025_11_25, &ClientCapabilities::default()), None);
        for id in ["", "told.", "told.x", "told.2099-01-01.f.a", "8c1f", "told..f.a"] {
            assert_eq!(Told::read(id), None, "{id:?}");
        }
        let modern = format!("told.{}.f.a", Revision::LATEST.as_str());
        assert_eq!(Told::read(&modern), None);
    }
}
