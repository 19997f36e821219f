//! The default [`ResultCache`]: a [`Cache`] partitioned by authorization.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::model::CacheHint;
use ferromcp_core::{ClientRequest, RawJson};
use tokio::sync::Mutex as AsyncMutex;

use crate::cache::{self, Cache, CacheEntry, CacheKey, Lookup, Topic};
use crate::channel::BoxFuture;
use crate::connect::Connector;
use crate::result_cache::ResultCache;
use crate::subscription::change::Change;

/// Maximum number of queued invalidations; on overflow, everything is invalidated.
const MAX_QUEUED: usize = 64;

/// The cached results of one server, partitioned by principal.
pub(crate) struct PartitionedCache {
    cache: Cache,
    /// Provides the authorization of requests.
    connector: Arc<dyn Connector>,
    /// Invalidations that are not applied yet. Queued, because `invalidate` must not block and a store may.
    queue: Mutex<InvalidationQueue>,
    /// Held while queued invalidations are applied, which every access does first.
    applying: AsyncMutex<()>,
}

#[derive(Default)]
struct InvalidationQueue {
    last_id: u64,
    entries: Vec<(u64, cache::Invalidation)>,
}

impl PartitionedCache {
    pub(crate) fn new(cache: Cache, connector: Arc<dyn Connector>) -> Self {
        Self { cache, connector, queue: Mutex::default(), applying: AsyncMutex::new(()) }
    }

    fn queue(&self) -> MutexGuard<'_, InvalidationQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn apply_invalidations(&self) {
        let _applying = self.applying.lock().await;
        loop {
            // Remove an entry only after it was applied, because this future may be dropped at the await.
            let next = self.queue().entries.first().cloned();
            let Some((id, change)) = next else { return };
            self.cache.invalidate(&change).await;
            self.queue().entries.retain(|(other, _)| *other != id);
        }
    }

    async fn lookup(&self, request: &ClientRequest) -> Lookup {
        let Some(key) = CacheKey::of(request) else { return Lookup::Miss };
        self.apply_invalidations().await;
        self.cache.get(&key, &self.connector.authorization()).await
    }
}

impl ResultCache for PartitionedCache {
    fn get<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, Option<RawJson>> {
        Box::pin(async move {
            match self.lookup(request).await {
                Lookup::Fresh(result) => parse(&result),
                Lookup::Stale(_) | Lookup::Miss => None,
            }
        })
    }

    fn get_stale<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, Option<RawJson>> {
        Box::pin(async move {
            match self.lookup(request).await {
                Lookup::Fresh(result) | Lookup::Stale(result) => parse(&result),
                Lookup::Miss => None,
            }
        })
    }

    fn insert<'a>(&'a self, request: &'a ClientRequest, result: &'a RawJson, hint: CacheHint) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Some(key) = CacheKey::of(request) else { return };
            self.apply_invalidations().await;
            let generation = self.cache.generation(&key);
            let entry = CacheEntry::new(result.as_str()).ttl_ms(hint.ttl_ms).scope(hint.scope);
            self.cache.insert(generation, &key, &self.connector.authorization(), entry).await;
        })
    }

    fn invalidate(&self, change: &Change) {
        let change = match change {
            Change::Tools => cache::Invalidation::List(Topic::Tools),
            Change::Prompts => cache::Invalidation::List(Topic::Prompts),
            Change::Resources => cache::Invalidation::List(Topic::Resources),
            Change::Resource(uri) => cache::Invalidation::Resource(uri.clone()),
            Change::Gap => cache::Invalidation::Everything,
        };
        let mut queue = self.queue();
        queue.last_id += 1;
        let id = queue.last_id;
        if queue.entries.len() >= MAX_QUEUED {
            queue.entries = vec![(id, cache::Invalidation::Everything)];
        } else {
            queue.entries.push((id, change));
        }
    }

    fn cursor_rejected<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Some(key) = CacheKey::of(request) {
                self.cache.invalidate_pages(&key).await;
            }
        })
    }
}

fn parse(result: &str) -> Option<RawJson> {
    RawJson::parse(result).ok() // a custom store may return anything
}
