//! Cache hints of results: time to live and scope.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>.

use serde::de::IgnoredAny;
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

/// The longest time to live that is sent, 2^53 - 1 ms: JavaScript cannot represent longer ones exactly.
pub(crate) const MAX_TTL_MS: u64 = (1 << 53) - 1;

/// Deserializes `ttlMs`. A negative value becomes 0, as the specification requires of receivers. A number with a
/// fraction is rounded down, and one that is too large becomes the maximum. Any other value is ignored, because the
/// result is usable without the hint.
pub(super) fn ttl<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Ttl {
        Unsigned(u64),
        Signed(i64),
        Float(f64),
        Unusable(IgnoredAny),
    }
    Ok(Option::<Ttl>::deserialize(deserializer)?.and_then(|ttl| match ttl {
        Ttl::Unsigned(ttl) => Some(ttl),
        Ttl::Signed(ttl) => Some(u64::try_from(ttl).unwrap_or(0)),
        Ttl::Float(ttl) => Some(saturating(ttl)),
        Ttl::Unusable(_) => None,
    }))
}

/// Rounds down. The conversion saturates at 0 and at the maximum.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn saturating(ttl: f64) -> u64 {
    ttl as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Hint {
        #[serde(default, deserialize_with = "ttl")]
        ttl: Option<u64>,
    }

    #[test]
    fn accepts_any_number_when_deserializing_ttl() {
        for (json, expected) in [
            ("0", Some(0)),
            ("-1", Some(0)),
            ("-1e300", Some(0)),
            ("1500.75", Some(1500)),
            ("9007199254740991", Some(MAX_TTL_MS)),
            ("9223372036854775808", Some(1 << 63)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", Some(u64::MAX)),
            ("1e300", Some(u64::MAX)),
            ("null", None),
            (r#""60""#, None),
            ("[1]", None),
        ] {
            let hint: Hint = serde_json::from_str(&format!(r#"{{"ttl":{json}}}"#)).unwrap();
            assert_eq!(hint.ttl, expected, "{json}");
        }
        assert_eq!(serde_json::from_str::<Hint>("{}").unwrap().ttl, None);
    }
}
