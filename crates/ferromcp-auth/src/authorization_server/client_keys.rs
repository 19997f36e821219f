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

/// Maximum number of key sets that are fetched at the same time. Further ones are refused.
const MAX_FETCHES: usize = 64;
/// Maximum number of key sets of a host that are fetched at the same time.
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

    /// Returns the keys at a URL, which are fetched when they are used first, and the permission to fetch them; `None` if
    /// they were fetched already.
    ///
    /// # Errors
    /// `temporarily_unavailable` if too many key sets are being fetched, as those of slow hosts are.
    pub(super) fn source(&self, url: &str) -> Result<(Arc<JwkSource>, Option<FetchSlot>), OAuthError> {
        let (key, now) = (token_digest(url), now());
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sources.get(&key, now).cloned();
        if let Some(source) = known.as_ref().filter(|source| source.is_fetched()) {
            return Ok((Arc::clone(source), None));
        }
        let slot = self.slots.enter(url);
        let slot = slot.ok_or_else(|| OAuthError::temporarily_unavailable("too many keys are being loaded"))?;
        let source = known.unwrap_or_else(|| {
            let source = Arc::new(JwkSource::url(self.fetcher.clone(), url.to_owned()));
            sources.insert(key, source.clone(), now + KEY_SET_SECONDS, now);
            source
        });
        Ok((source, Some(slot)))
    }
}
