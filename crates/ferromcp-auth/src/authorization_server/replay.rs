//! [`ReplayStore`]: the assertions that were used, until they expire.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::error::OAuthError;
use crate::digest_cache::{Digest, digest_of};

/// Maximum number of assertions. Further ones are refused until some expire: an entry that is removed earlier would
/// allow a replay.
const MAX_ASSERTIONS: usize = 100_000;

/// Records the assertions that were used.
#[derive(Debug, Default)]
pub(super) struct ReplayStore(Mutex<Used>);

#[derive(Debug, Default)]
struct Used {
    /// When each assertion expires, in seconds since the Unix epoch.
    expiries: HashMap<Digest, u64>,
    /// Expired assertions are removed when there are this many, so that the cost of an insertion is constant on
    /// average.
    cleanup_at: usize,
    /// When expired assertions were last removed, in seconds since the Unix epoch.
    cleaned_at: u64,
}

impl ReplayStore {
    /// Records the use of an assertion, which its kind, issuer and `jti` identify. Returns whether it is the first use.
    ///
    /// # Errors
    /// `temporarily_unavailable` if the store is full.
    pub(super) fn is_first_use(&self, id: &[&str], expires_at: u64, now: u64) -> Result<bool, OAuthError> {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = digest_of(id);
        if used.expiries.get(&digest).is_some_and(|expires_at| now < *expires_at) {
            return Ok(false);
        }
        let is_full = used.expiries.len() >= MAX_ASSERTIONS;
        if used.expiries.len() >= used.cleanup_at || (is_full && used.cleaned_at != now) {
            used.expiries.retain(|_, expires_at| now < *expires_at);
            used.cleanup_at = (used.expiries.len() * 2).clamp(1024, MAX_ASSERTIONS);
            used.cleaned_at = now;
        }
        if used.expiries.len() >= MAX_ASSERTIONS {
            return Err(OAuthError::temporarily_unavailable("too many assertions; try again later"));
        }
        used.expiries.insert(digest, expires_at);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_assertion_replay() {
        //
        let store = ReplayStore::default();
        assert!(store.is_first_use(&["x", "issuer", "1"], 100, 10).unwrap());
        assert!(!store.is_first_use(&["x", "issuer", "1"], 200, 99).unwrap());
        assert!(store.is_first_use(&["x", "issuer", "2"], 100, 10).unwrap());
        assert!(store.is_first_use(&["x", "other", "1"], 100, 10).unwrap());
        // The assertion has expired, so that its ID may be used again.
        assert!(store.is_first_use(&["x", "issuer", "1"], 200, 100).unwrap());
    }

    #[test]
    fn a_full_store_refuses_assertions_until_some_expire() {
        let store = ReplayStore::default();
        for i in 0..MAX_ASSERTIONS {
            assert!(store.is_first_use(&[&i.to_string()], 100, 10).unwrap());
        }
        assert_eq!(store.is_first_use(&["x"], 100, 10).unwrap_err().code(), "temporarily_unavailable");
        assert!(!store.is_first_use(&["0"], 100, 10).unwrap());
        assert!(store.is_first_use(&["x"], 200, 100).unwrap());
        assert_eq!(store.0.lock().unwrap().expiries.len(), 1);
    }
}
