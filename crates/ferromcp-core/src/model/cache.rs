//! How long a result stays fresh, and for whom.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>.

use serde::{Deserialize, Deserializer, Serialize};

/// Who may be served a stored result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheScope {
    /// Anybody.
    Public,
    /// Only who asked, under the same authorization.
    #[default]
    Private,
}

/// The caching hint of a result. To a legacy peer it is left out; to a modern one an unset hint
/// is written as "stale at once, private".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheHint {
    /// Freshness in milliseconds from receipt; 0 is stale at once.
    pub ttl_ms: u64,
    /// Who may be served the stored result.
    pub scope: CacheScope,
}

impl CacheHint {
    /// Fresh for `ttl_ms` milliseconds, for anybody.
    pub const fn public(ttl_ms: u64) -> Self {
        Self { ttl_ms, scope: CacheScope::Public }
    }

    /// Fresh for `ttl_ms` milliseconds, for who asked.
    pub const fn private(ttl_ms: u64) -> Self {
        Self { ttl_ms, scope: CacheScope::Private }
    }
}

/// Reads a `ttlMs`, taking a negative one for 0 as the spec asks of receivers.
pub(super) fn ttl<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<i64>::deserialize(deserializer)?.map(|ttl| u64::try_from(ttl).unwrap_or(0)))
}
