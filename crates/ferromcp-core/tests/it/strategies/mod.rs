//! Strategies that generate messages as JSON.
//!
//! Generating JSON instead of values also tests decoding, and makes the shrunk output readable. Opaque
//! JSON (arguments, schemas, `_meta`, …) uses distinct keys, so that the search for unsupported members
//! finds only members of the protocol.

pub(crate) mod basic;
pub(crate) mod capability;
pub(crate) mod client;
pub(crate) mod content;
pub(crate) mod elicit;
pub(crate) mod listed;
pub(crate) mod sampling;
pub(crate) mod server;
pub(crate) mod task;

use basic::Json;

/// The revisions with the members of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The members of 2025-11-25.
    Legacy,
    /// The members of 2026-07-28.
    Modern,
    /// The members of both eras, which are downgraded for each peer.
    Both,
}

impl Fill {
    fn has_legacy(self) -> bool {
        self != Self::Modern
    }

    fn has_modern(self) -> bool {
        self != Self::Legacy
    }
}

/// A method and the JSON of its parameters or its result.
pub(crate) type MethodJson = (&'static str, serde_json::Value);

fn method_json(method: &'static str, json: Json) -> proptest::strategy::BoxedStrategy<MethodJson> {
    use proptest::strategy::Strategy;
    json.prop_map(move |json| (method, json)).boxed()
}
