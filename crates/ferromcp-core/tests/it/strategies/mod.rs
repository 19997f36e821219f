//! Any message: strategies that make its JSON, which is then read into our types.
//!
//! Making JSON rather than values tests the reading as well, and what proptest shrinks to is
//! readable. Opaque JSON (arguments, schemas, `_meta`, …) has keys of its own, so that a search
//! for members that an old peer must not see finds only the protocol's.

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

/// Which revisions' members a message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// What 2025-11-25 has.
    Legacy,
    /// What 2026-07-28 has.
    Modern,
    /// Both: what a server that serves both eras may hold, and each peer is to be spared.
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
pub(crate) type Said = (&'static str, serde_json::Value);

fn said(method: &'static str, json: Json) -> proptest::strategy::BoxedStrategy<Said> {
    use proptest::strategy::Strategy;
    json.prop_map(move |json| (method, json)).boxed()
}
