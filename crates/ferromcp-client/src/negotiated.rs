//! Result of version negotiation with a server, which can be saved and reused.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#backward-compatibility-with-initialization-based-versions>.

use ferromcp_core::{Era, Revision};
use serde::{Deserialize, Deserializer, Serialize};

/// Result of version negotiation with one server.
///
/// Save it with the configuration of the server and pass it to the next client, which then skips the probe. If it is
/// outdated, the client negotiates again.
///
/// ```
/// use ferromcp_client::Negotiated;
/// use ferromcp_core::Revision;
/// let negotiated = Negotiated::new(Revision::LATEST_LEGACY);
/// let saved = serde_json::to_string(&negotiated)?;
/// assert_eq!(serde_json::from_str::<Negotiated>(&saved)?, negotiated);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Negotiated {
    /// The negotiated revision.
    #[serde(deserialize_with = "known")]
    pub revision: Revision,
    /// Whether the server uses the HTTP+SSE transport of 2024-11-05.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub http_sse: bool,
}

impl Negotiated {
    /// Creates a result for a server that uses `revision`.
    pub fn new(revision: Revision) -> Self {
        Self { revision, http_sse: false }
    }

    /// Returns the era of the revision.
    pub fn era(&self) -> Era {
        self.revision.era()
    }
}

fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Revision, D::Error> {
    let name = String::deserialize(deserializer)?;
    Revision::parse(&name).ok_or_else(|| serde::de::Error::custom(format_args!("unknown revision `{name}`")))
}
