//! [`ReplayStore`]: the assertions that were used, until they expire.
//!
//! Clients that described themselves, clients that the operator registered and trusted issuers have a store each, so
//! that clients which each caller can create do not fill the store of the others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::error::OAuthError;
use crate::digest_cache::{Digest, digest_of, token_digest};

/// Maximum number of assertions of a store. Further ones are refused until some expire: an entry that is removed
/// earlier would allow a replay.
const MAX_ASSERTIONS: usize = 100_000;
/// Maximum number of assertions of a client that described itself.
const MAX_PER_SELF_DESCRIBED: usize = 1000;
/// Maximum number of assertions of a client that the operator registered.
const MAX_PER_REGISTERED: usize = 10_000;
/// The number of entries below which expired ones are not removed.
const MIN_CLEANUP: usize = 1024;

/// Records the assertions that were used.
#[derive(Debug)]
pub(super) struct ReplayStore {
    used: Mutex<Used>,
    max_per_signer: usize,
}

#[derive(Debug, Default)]
struct Used {
    /// The signer of each assertion, and when the assertion expires, in seconds since the Unix epoch.
    entries: HashMap<Digest, (Digest, u64)>,
    /// The number of entries of each signer.
    counts: HashMap<Digest, usize>,
    /// Expired assertions are removed when there are this many, so that the cost of an insertion is constant on
    /// average.
    cleanup_at: usize,
    /// When expired assertions were last removed, in seconds since the Unix epoch.
    cleaned_at: u64,
}

impl Used {
    fn remove_expired(&mut self, now: u64) {
        self.entries.retain(|_, (_, expires_at)| now < *expires_at);
        self.counts.clear();
        for (signer, _) in self.entries.values() {
            *self.counts.entry(*signer).or_default() += 1;
        }
        self.cleanup_at = (self.entries.len() * 2).clamp(MIN_CLEANUP, MAX_ASSERTIONS);
        self.cleaned_at = now;
    }
}

impl ReplayStore {
    /// Creates a store for assertions of clients that described themselves.
    pub(super) fn of_self_described_clients() -> Self {
        Self::new(MAX_PER_SELF_DESCRIBED)
    }

    /// Creates a store for assertions of clients that the operator registered.
    pub(super) fn of_registered_clients() -> Self {
        Self::new(MAX_PER_REGISTERED)
    }

    /// Creates a store for assertions of trusted issuers.
    pub(super) fn of_issuers() -> Self {
        Self::new(MAX_ASSERTIONS)
    }

    fn new(max_per_signer: usize) -> Self {
        Self { used: Mutex::default(), max_per_signer }
    }

    /// Records the use of an assertion, which its signer and its `jti` identify. Returns whether it is the first use.
    ///
    /// # Errors
    /// `temporarily_unavailable` if the store is full, or has too many assertions of the signer.
    pub(super) fn is_first_use(&self, signer: &str, id: &str, expires_at: u64, now: u64) -> Result<bool, OAuthError> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let (digest, signer) = (digest_of(&[signer, id]), token_digest(signer));
        if used.entries.get(&digest).is_some_and(|(_, expires_at)| now < *expires_at) {
            return Ok(false);
        }
        let is_refused = |used: &Used| {
            let count = used.counts.get(&signer).copied().unwrap_or_default();
            used.entries.len() >= MAX_ASSERTIONS || count >= self.max_per_signer
        };
        if used.entries.len() >= used.cleanup_at || (is_refused(&used) && used.cleaned_at != now) {
            used.remove_expired(now);
        }
        if is_refused(&used) {
            return Err(OAuthError::temporarily_unavailable("too many assertions; try again when some have expired"));
        }
        // An expired entry with the same ID is replaced.
        if used.entries.insert(digest, (signer, expires_at)).is_none() {
            *used.counts.entry(signer).or_default() += 1;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_assertion_replay() {
        //
        let store = ReplayStore::of_issuers();
        assert!(store.is_first_use("issuer", "1", 100, 10).unwrap());
        assert!(!store.is_first_use("issuer", "1", 200, 99).unwrap());
        assert!(store.is_first_use("issuer", "2", 100, 10).unwrap());
        assert!(store.is_first_use("other", "1", 100, 10).unwrap());
        // The assertion has expired, so that its ID may be used again.
        assert!(store.is_first_use("issuer", "1", 200, 100).unwrap());
    }

    #[test]
    fn a_full_store_refuses_assertions_until_some_expire() {
        let store = ReplayStore::of_issuers();
        for i in 0..MAX_ASSERTIONS {
            assert!(store.is_first_use("issuer", &i.to_string(), 100, 10).unwrap());
        }
        assert_eq!(store.is_first_use("other", "x", 100, 10).unwrap_err().code(), "temporarily_unavailable");
        assert!(!store.is_first_use("issuer", "0", 100, 10).unwrap());
        assert!(store.is_first_use("other", "x", 200, 100).unwrap());
        let used = store.used.lock().unwrap();
        assert_eq!((used.entries.len(), used.counts.len()), (1, 1));
    }

    #[test]
    fn trap_one_client_fills_the_store() {
        //
        let store = ReplayStore::of_self_described_clients();
        for i in 0..MAX_PER_SELF_DESCRIBED {
            assert!(store.is_first_use("evil", &i.to_string(), 100, 10).unwrap());
        }
        assert_eq!(store.is_first_use("evil", "x", 100, 10).unwrap_err().code(), "temporarily_unavailable");
        assert!(store.is_first_use("other", "x", 100, 10).unwrap());
        // Replays are still detected, and the client recovers when its assertions expire.
        assert!(!store.is_first_use("evil", "0", 100, 10).unwrap());
        for i in 0..MAX_PER_SELF_DESCRIBED {
            assert!(store.is_first_use("evil", &i.to_string(), 200, 100).unwrap(), "{i}");
        }
        assert!(store.is_first_use("evil", "x", 200, 100).is_err());
    }
}
