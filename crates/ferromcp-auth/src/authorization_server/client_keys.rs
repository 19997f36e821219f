//! [`ClientKeys`]: the keys of clients that authenticate by signed assertions.

use std::sync::{Arc, Mutex, PoisonError};

use super::error::OAuthError;
use super::fetch_slots::{FetchSlot, FetchSlots};
use crate::clock::now;
use crate::digest_cache::{DigestCache, token_digest};
use crate::fetch::Fetcher;
use crate::jwt::JwkSource;

/// Maximum number of cached key sets of clients. The oldest is then removed.
const MAX_KEY_SETS: usize = 256;
/// How long the key set of a client without use of it is cached, in seconds.
const KEY_SET_SECONDS: u64 = 60 * 60;

/// Maximum number of key sets in use at the same time. Further ones are refused.
const MAX_FETCHES: usize = 64;
/// Maximum number of key sets of a host in use at the same time.
const MAX_FETCHES_PER_HOST: usize = 8;

/// The keys of clients with a `jwks_uri`.
pub(super) struct ClientKeys {
    fetcher: Fetcher,
    sources: Mutex<DigestCache<Arc<JwkSource>>>,
    slots: FetchSlots,
}

impl ClientKeys {
    pub(super) fn new(fetcher: Fetcher) -> Self {
        let sources = Mutex::new(DigestCache::new(MAX_KEY_SETS));
        Self { fetcher, sources, slots: FetchSlots::new(MAX_FETCHES, MAX_FETCHES_PER_HOST) }
    }

    /// Returns the keys at a URL, and the permission to use them. They are fetched when they are used first.
    ///
    /// # Errors
    /// `temporarily_unavailable` if too many key sets are in use, as those of slow hosts are.
    pub(super) fn source(&self, url: &str) -> Result<(Arc<JwkSource>, FetchSlot), OAuthError> {
        let slot = self.slots.enter(url);
        let slot = slot.ok_or_else(|| OAuthError::temporarily_unavailable("too many keys are being loaded"))?;
        let (key, now) = (token_digest(url), now());
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = sources.get(&key, now) {
            return Ok((source.clone(), slot));
        }
        let source = Arc::new(JwkSource::url(self.fetcher.clone(), url.to_owned()));
        sources.insert(key, source.clone(), now + KEY_SET_SECONDS, now);
        Ok((source, slot))
    }
}
