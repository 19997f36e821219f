//! How a server turned out to speak: found by asking once, worth keeping.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#backward-compatibility-with-initialization-based-versions>.

use ferromcp_core::{Era, Revision};
use serde::{Deserialize, Deserializer, Serialize};

/// What negotiation found out about one server.
///
/// It can be saved beside the server's configuration and given to the next client, which then does not probe. When it
/// stops working, the server is probed anew.
///
/// ```
/// use ferromcp_client::Verdict;
/// use ferromcp_core::Revision;
/// let verdict = Verdict::new(Revision::LATEST_LEGACY);
/// let saved = serde_json::to_string(&verdict)?;
/// assert_eq!(serde_json::from_str::<Verdict>(&saved)?, verdict);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The revision that was agreed on.
    #[serde(deserialize_with = "known")]
    pub revision: Revision,
    /// Whether the server speaks the HTTP+SSE transport of the first revision.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub http_sse: bool,
}

impl Verdict {
    /// The server speaks `revision`.
    pub fn new(revision: Revision) -> Self {
        Self { revision, http_sse: false }
    }

    /// The era of the server.
    pub fn era(&self) -> Era {
        self.revision.era()
    }
}

fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Revision, D::Error> {
    let name = String::deserialize(deserializer)?;
    Revision::parse(&name).ok_or_else(|| serde::de::Error::custom(format_args!("unknown revision `{name}`")))
}
