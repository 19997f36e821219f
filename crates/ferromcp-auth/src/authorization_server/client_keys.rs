//! [`ClientKeys`]: the keys of clients that authenticate by signed assertions.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::now;
use crate::digest_cache::{DigestCache, token_digest};
use crate::fetch::Fetcher;
use crate::jwt::JwkSource;

/// Maximum number of cached key sets of clients. The oldest is then removed.
const MAX_KEY_SETS: usize = 256;
/// How long the key set of a client without use of it is cached, in seconds.
const KEY_SET_SECONDS: u64 = 60 * 60;

/// The keys of clients with a `jwks_uri`.
pub(super) struct ClientKeys {
    fetcher: Fetcher,
    sources: Mutex<DigestCache<Arc<JwkSource>>>,
}

impl ClientKeys {
    pub(super) fn new(fetcher: Fetcher) -> Self {
        Self { fetcher, sources: Mutex::new(DigestCache::new(MAX_KEY_SETS)) }
    }

    /// Returns the keys at a URL. They are fetched when they are used first.
    pub(super) fn source(&self, url: &str) -> Arc<JwkSource> {
        let (key, now) = (token_digest(url), now());
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = sources.get(&key, now) {
            return source.clone();
        }
        let source = Arc::new(JwkSource::url(self.fetcher.clone(), url.to_owned()));
        sources.insert(key, source.clone(), now + KEY_SET_SECONDS, now);
        source
    }
}
