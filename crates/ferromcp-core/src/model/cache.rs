//! Cache hints of results: time to live and scope.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>.

use serde::{Deserialize, Deserializer, Serialize};

/// The clients that a cached result can be reused for.
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CacheScope {
    /// The result can be reused for any client.
    Public,
    /// The result can be reused only for the same authorization context.
    #[default]
    Private,
}

/// The cache hint of a result (since 2026-07-28).
///
/// Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>.
///
/// Omitted for legacy peers. For modern peers, an unset hint is serialized as `ttlMs: 0` and `private`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheHint {
    /// The time to live in milliseconds since receipt. A result with 0 is immediately stale.
    pub ttl_ms: u64,
    /// The clients that the cached result can be reused for.
    pub scope: CacheScope,
}

impl CacheHint {
    /// Creates a public hint with a time to live of `ttl_ms` milliseconds.
    pub const fn public(ttl_ms: u64) -> Self {
        Self { ttl_ms, scope: CacheScope::Public }
    }

    /// Creates a private hint with a time to live of `ttl_ms` milliseconds.
    pub const fn private(ttl_ms: u64) -> Self {
        Self { ttl_ms, scope: CacheScope::Private }
    }
}

/// Deserializes `ttlMs`. A negative value becomes 0, as the specification requires of receivers.
pub(super) fn ttl<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<i64>::deserialize(deserializer)?.map(|ttl| u64::try_from(ttl).unwrap_or(0)))
}
