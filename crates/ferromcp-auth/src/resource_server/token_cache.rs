//! [`TokenCache`]: tokens that were verified.

use std::sync::{Mutex, PoisonError};

use crate::digest_cache::{Digest, DigestCache};
use crate::verified_token::VerifiedToken;

/// Maximum number of tokens. A further one evicts the oldest.
const MAX_TOKENS: usize = 10_000;

/// Verified tokens by their digest. The tokens themselves are not stored.
pub(super) struct TokenCache(Mutex<DigestCache<Entry>>);

/// The result of a verification.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cached {
    Valid(VerifiedToken),
    Invalid,
}

struct Entry {
    result: Cached,
    /// The generation of the keys with which the token was verified.
    generation: u64,
}

impl TokenCache {
    pub(super) fn new() -> Self {
        Self(Mutex::new(DigestCache::new(MAX_TOKENS)))
    }

    /// Returns the result for a token that was verified with keys of this generation.
    pub(super) fn get(&self, digest: &Digest, generation: u64, now: u64) -> Option<Cached> {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(digest, now).filter(|entry| entry.generation == generation).map(|entry| entry.result.clone())
    }

    /// Records a result until `expires_at`.
    pub(super) fn insert(&self, digest: Digest, result: Cached, generation: u64, expires_at: u64, now: u64) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(digest, Entry { result, generation }, expires_at, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_token::AccessToken;
    use crate::digest_cache::token_digest;

    #[test]
    fn tokens_are_cached_until_they_expire_or_keys_change() {
        let cache = TokenCache::new();
        let digest = token_digest("token");
        let valid = || Cached::Valid(AccessToken::new().into());
        cache.insert(digest, valid(), 1, 100, 0);
        assert_eq!(cache.get(&digest, 1, 99), Some(valid()));
        assert_eq!(cache.get(&digest, 1, 100), None);
        assert_eq!(cache.get(&digest, 2, 99), None);
        cache.insert(digest, Cached::Invalid, 2, 100, 0);
        assert_eq!(cache.get(&digest, 2, 99), Some(Cached::Invalid));
    }
}
