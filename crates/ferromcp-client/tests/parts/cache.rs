//! Cache lookups, expiry, invalidation and partitions.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use ferromcp_client::cache::{
    Cache, CacheEntry, CacheFuture, CacheKey, CacheLimits, CacheStore, Clock, Invalidation, Lookup, MemoryStore,
    StoreKey, StoredEntry, Topic,
};
use ferromcp_core::{
    ClientRequest, RawMap, ServerNotification,
    model::{CacheScope, ListParams, ListToolsResult, NotificationParams, ReadResourceParams, ResourceUpdatedParams},
};

/// A clock that advances only on demand.
#[derive(Clone, Default)]
struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    fn clock(&self) -> Clock {
        let clock = self.clone();
        Clock::new(move || clock.0.load(Ordering::Relaxed))
    }

    fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

fn cache() -> (Cache, ManualClock) {
    let clock = ManualClock(Arc::new(AtomicU64::new(1_000_000)));
    (Cache::new("server").clock(clock.clock()), clock)
}

fn tools(cursor: Option<&'static str>) -> CacheKey {
    CacheKey::page(Topic::Tools, cursor)
}

async fn insert(cache: &Cache, key: &CacheKey, principal: &str, entry: CacheEntry<'_>) {
    cache.insert(cache.generation(key), key, principal, entry).await;
}

async fn fresh_result(cache: &Cache, key: &CacheKey, principal: &str) -> Option<String> {
    match cache.get(key, principal).await {
        Lookup::Fresh(result) => Some(result.to_string()),
        Lookup::Stale(_) => panic!("unexpected stale result"),
        Lookup::Miss => None,
    }
}

// M26-445, M26-446, M26-447, M26-448, M26-452
#[tokio::test]
async fn result_is_fresh_until_ttl_expires() {
    let (cache, clock) = cache();
    insert(&cache, &tools(None), "", CacheEntry::new("1").ttl_ms(100)).await;
    clock.advance(99);
    assert_eq!(fresh_result(&cache, &tools(None), "").await.as_deref(), Some("1"));
    clock.advance(1);
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
    for hint in [None, Some(0)] {
        insert(&cache, &tools(None), "", CacheEntry::new("1").ttl_ms(hint)).await;
        assert_eq!(fresh_result(&cache, &tools(None), "").await, None, "{hint:?}");
    }
    let cache = cache.max_ttl(Duration::from_millis(10));
    insert(&cache, &tools(None), "", CacheEntry::new("1").ttl_ms(u64::MAX)).await;
    assert!(fresh_result(&cache, &tools(None), "").await.is_some());
    clock.advance(10);
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
}

// M26-449
#[tokio::test]
async fn result_is_not_cached_when_ttl_is_negative() {
    let result: ListToolsResult = serde_json::from_str(r#"{"tools":[],"ttlMs":-5}"#).unwrap();
    let (cache, _) = cache();
    insert(&cache, &tools(None), "", CacheEntry::new("1").ttl_ms(result.ttl_ms).scope(result.cache_scope)).await;
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
}

// M26-443
#[tokio::test]
async fn different_requests_have_different_keys() {
    let (cache, _) = cache();
    let other = cache.clone();
    let keys = [
        tools(None),
        tools(Some("")),
        tools(Some("a")),
        CacheKey::page(Topic::Prompts, None),
        CacheKey::page(Topic::Resources, Some("a")),
        CacheKey::page(Topic::Templates, Some("a")),
        CacheKey::read("a"),
        CacheKey::read("b"),
        CacheKey::discover(),
    ];
    for (n, key) in keys.iter().enumerate() {
        insert(&cache, key, "", CacheEntry::new(&n.to_string()).ttl_ms(100)).await;
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(fresh_result(&other, key, "").await, Some(n.to_string()), "{key:?}");
    }
}

// M26-457, M26-458, M26-459, A-209
#[tokio::test]
async fn private_results_are_partitioned_by_principal() {
    let (cache, _) = cache();
    let (public, private, absent) = (CacheKey::read("public"), CacheKey::read("private"), CacheKey::read("absent"));
    insert(&cache, &public, "anna", CacheEntry::new("1").ttl_ms(100).scope(CacheScope::Public)).await;
    insert(&cache, &private, "anna", CacheEntry::new("2").ttl_ms(100).scope(CacheScope::Private)).await;
    insert(&cache, &absent, "anna", CacheEntry::new("3").ttl_ms(100).scope(None)).await;
    assert_eq!(fresh_result(&cache, &public, "bert").await.as_deref(), Some("1"));
    for (key, result) in [(&private, "2"), (&absent, "3")] {
        assert_eq!(fresh_result(&cache, key, "anna").await.as_deref(), Some(result));
        assert_eq!(fresh_result(&cache, key, "bert").await, None);
        assert_eq!(fresh_result(&cache, key, "").await, None, "the empty principal has a separate partition");
    }
    insert(&cache, &public, "anna", CacheEntry::new("4").ttl_ms(100)).await;
    assert_eq!(fresh_result(&cache, &public, "anna").await.as_deref(), Some("4"));
    assert_eq!(fresh_result(&cache, &public, "bert").await, None, "not shared after it became private");
}

// M26-442, M26-444
#[tokio::test]
async fn input_required_and_retries_are_not_cached() {
    let (cache, _) = cache();
    let key = CacheKey::read("a");
    insert(&cache, &key, "", CacheEntry::new("1").ttl_ms(100).input_required()).await;
    insert(&cache, &key, "", CacheEntry::new("1").ttl_ms(100).for_retry()).await;
    assert_eq!(fresh_result(&cache, &key, "").await, None);

    let mut params = ReadResourceParams::new("a");
    assert_eq!(CacheKey::of(&ClientRequest::ReadResource(params.clone())), Some(key));
    params.request_state = Some("state".into());
    assert_eq!(CacheKey::of(&ClientRequest::ReadResource(params)), None);
    let mut params = ReadResourceParams::new("a");
    params.input_responses = Some(RawMap::new());
    assert_eq!(CacheKey::of(&ClientRequest::ReadResource(params)), None);
}

#[test]
fn every_cacheable_method_has_a_key() {
    let requests = [
        ClientRequest::Discover(ferromcp_core::model::DiscoverParams::default()),
        ClientRequest::ListTools(ListParams::default()),
        ClientRequest::ListPrompts(ListParams::default()),
        ClientRequest::ListResources(ListParams::default()),
        ClientRequest::ListResourceTemplates(ListParams::default()),
        ClientRequest::ReadResource(ReadResourceParams::new("a")),
    ];
    let methods: Vec<_> = requests.iter().map(|request| CacheKey::of(request).unwrap().topic().method()).collect();
    let cacheable: Vec<_> = ClientRequest::METHODS.iter().filter(|method| method.cacheable).map(|m| m.name).collect();
    assert_eq!(methods, requests.iter().map(ClientRequest::method).collect::<Vec<_>>());
    assert_eq!(methods.len(), cacheable.len());
    assert!(cacheable.iter().all(|method| methods.contains(method)));
    assert_eq!(CacheKey::of(&ClientRequest::ListTasks(ListParams::default())), None);
}

// M26-461
#[tokio::test]
async fn list_changed_invalidates_all_pages_and_principals() {
    let (cache, _) = cache();
    let keys =
        [tools(None), tools(Some("2")), CacheKey::page(Topic::Resources, None), CacheKey::page(Topic::Templates, None)];
    for key in &keys {
        insert(&cache, key, "anna", CacheEntry::new("1").ttl_ms(100)).await;
        insert(&cache, key, "bert", CacheEntry::new("1").ttl_ms(100)).await;
    }
    let resources = Invalidation::of(&ServerNotification::ResourceListChanged(NotificationParams::default())).unwrap();
    cache.invalidate(&resources).await;
    for principal in ["anna", "bert"] {
        assert!(fresh_result(&cache, &keys[0], principal).await.is_some());
        assert_eq!(fresh_result(&cache, &keys[2], principal).await, None);
        assert_eq!(fresh_result(&cache, &keys[3], principal).await, None);
    }
    cache
        .invalidate(&Invalidation::of(&ServerNotification::ToolListChanged(NotificationParams::default())).unwrap())
        .await;
    assert_eq!(fresh_result(&cache, &keys[0], "bert").await, None);
    assert_eq!(fresh_result(&cache, &keys[1], "anna").await, None);
}

// M26-461, S-272
#[tokio::test]
async fn resource_update_invalidates_resource_and_its_parents_and_children() {
    let (cache, _) = cache();
    for uri in ["file:///a", "file:///a/b", "file:///a/b/c", "file:///ab", "file:///x"] {
        insert(&cache, &CacheKey::read(uri), "", CacheEntry::new("1").ttl_ms(100)).await;
    }
    insert(&cache, &tools(Some("file:///a/b")), "", CacheEntry::new("1").ttl_ms(100)).await;
    let updated = ServerNotification::ResourceUpdated(ResourceUpdatedParams::new("file:///a/b"));
    cache.invalidate(&Invalidation::of(&updated).unwrap()).await;
    for uri in ["file:///a", "file:///a/b", "file:///a/b/c"] {
        assert_eq!(fresh_result(&cache, &CacheKey::read(uri), "").await, None, "{uri}");
    }
    for key in [CacheKey::read("file:///ab"), CacheKey::read("file:///x"), tools(Some("file:///a/b"))] {
        assert!(fresh_result(&cache, &key, "").await.is_some(), "{key:?}");
    }
}

// M26-461
#[tokio::test]
async fn result_is_not_cached_when_invalidated_in_flight() {
    let (cache, _) = cache();
    let generation = cache.generation(&tools(None));
    let other = cache.generation(&CacheKey::discover());
    cache.invalidate(&Invalidation::List(Topic::Tools)).await;
    cache.insert(generation, &tools(None), "", CacheEntry::new("1").ttl_ms(100)).await;
    cache.insert(other, &CacheKey::discover(), "", CacheEntry::new("2").ttl_ms(100)).await;
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
    assert!(fresh_result(&cache, &CacheKey::discover(), "").await.is_some());
}

// M26-463, M26-465
#[tokio::test]
async fn pages_expire_individually_and_are_invalidated_together() {
    let (cache, clock) = cache();
    insert(&cache, &tools(None), "", CacheEntry::new("1").ttl_ms(100)).await;
    insert(&cache, &tools(Some("2")), "", CacheEntry::new("2").ttl_ms(10)).await;
    insert(&cache, &tools(Some("3")), "", CacheEntry::new("3").ttl_ms(100)).await;
    insert(&cache, &CacheKey::page(Topic::Prompts, None), "", CacheEntry::new("4").ttl_ms(100)).await;
    clock.advance(50);
    assert_eq!(fresh_result(&cache, &tools(Some("2")), "").await, None);
    assert!(fresh_result(&cache, &tools(Some("3")), "").await.is_some());
    cache.invalidate_pages(&tools(Some("2"))).await;
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
    assert_eq!(fresh_result(&cache, &tools(Some("3")), "").await, None);
    assert!(fresh_result(&cache, &CacheKey::page(Topic::Prompts, None), "").await.is_some());
}

// M26-456
#[tokio::test]
async fn returns_stale_result_when_enabled_and_not_invalidated() {
    let (cache, clock) = cache();
    let cache = cache.stale_if_error(Duration::from_millis(50));
    insert(&cache, &tools(None), "", CacheEntry::new("1").ttl_ms(100)).await;
    clock.advance(149);
    assert_eq!(cache.get(&tools(None), "").await, Lookup::Stale("1".into()));
    clock.advance(1);
    assert_eq!(cache.get(&tools(None), "").await, Lookup::Miss);
    insert(&cache, &tools(None), "", CacheEntry::new("1")).await;
    assert_eq!(cache.get(&tools(None), "").await, Lookup::Stale("1".into()), "stale immediately");
    cache.invalidate(&Invalidation::Everything).await;
    assert_eq!(cache.get(&tools(None), "").await, Lookup::Miss);
}

#[tokio::test]
async fn evicts_least_recently_used_entry_when_full() {
    let mut limits = CacheLimits::default();
    (limits.entries, limits.bytes) = (3, 8 << 10);
    let store = Arc::new(MemoryStore::new(limits));
    let cache = Cache::with_store("server", Arc::clone(&store) as Arc<dyn CacheStore>);
    for uri in ["a", "b", "c"] {
        insert(&cache, &CacheKey::read(uri), "", CacheEntry::new("1").ttl_ms(10_000)).await;
    }
    assert!(fresh_result(&cache, &CacheKey::read("a"), "").await.is_some());
    insert(&cache, &CacheKey::read("d"), "", CacheEntry::new("1").ttl_ms(10_000)).await;
    assert_eq!(fresh_result(&cache, &CacheKey::read("b"), "").await, None);
    assert!(fresh_result(&cache, &CacheKey::read("a"), "").await.is_some());
    for n in 0..100_usize {
        let result = "x".repeat(n * 37 % 2500);
        insert(&cache, &CacheKey::read(&n.to_string()), "", CacheEntry::new(&result).ttl_ms(10_000)).await;
        assert!(store.len() <= 3 && store.bytes() <= 8 << 10, "{store:?}");
    }
    insert(&cache, &CacheKey::read("huge"), "", CacheEntry::new(&"x".repeat(9 << 10)).ttl_ms(10_000)).await;
    assert_eq!(fresh_result(&cache, &CacheKey::read("huge"), "").await, None);
    assert!(!store.is_empty(), "an oversized result evicts nothing");
    cache.invalidate(&Invalidation::Everything).await;
    assert_eq!((store.len(), store.bytes()), (0, 0));
}

#[tokio::test]
async fn servers_are_isolated_when_sharing_a_store() {
    let store: Arc<dyn CacheStore> = Arc::new(MemoryStore::default());
    let (one, two) = (Cache::with_store("one", Arc::clone(&store)), Cache::with_store("two", store));
    insert(&one, &tools(None), "", CacheEntry::new("1").ttl_ms(10_000).scope(CacheScope::Public)).await;
    assert_eq!(fresh_result(&two, &tools(None), "").await, None);
    two.invalidate(&Invalidation::Everything).await;
    assert!(fresh_result(&one, &tools(None), "").await.is_some());
}

/// A store that fails on demand.
#[derive(Default)]
struct Broken {
    inner: MemoryStore,
    fails: AtomicBool,
}

impl Broken {
    fn or_fail<'a, T: Send + 'a>(&self, future: CacheFuture<'a, T>) -> CacheFuture<'a, T> {
        if self.fails.load(Ordering::Relaxed) {
            return Box::pin(std::future::ready(Err(io::Error::other("unavailable"))));
        }
        future
    }
}

impl CacheStore for Broken {
    fn get<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, Option<StoredEntry>> {
        self.or_fail(self.inner.get(key))
    }

    fn put(&self, key: StoreKey, entry: StoredEntry) -> CacheFuture<'_, ()> {
        self.inner.put(key, entry)
    }

    fn remove<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, ()> {
        self.inner.remove(key)
    }

    fn remove_matching<'a>(&'a self, predicate: Box<dyn Fn(&StoreKey) -> bool + Send + 'a>) -> CacheFuture<'a, ()> {
        if self.fails.load(Ordering::Relaxed) {
            return self.or_fail(Box::pin(std::future::ready(Ok(()))));
        }
        self.inner.remove_matching(predicate)
    }
}

// M26-461
#[tokio::test]
async fn ignores_entries_when_store_fails_to_remove() {
    let (_, clock) = cache();
    let store = Arc::new(Broken::default());
    let cache = Cache::with_store("server", Arc::clone(&store) as Arc<dyn CacheStore>).clock(clock.clock());
    insert(&cache, &tools(None), "", CacheEntry::new("old").ttl_ms(100)).await;
    store.fails.store(true, Ordering::Relaxed);
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
    cache.invalidate(&Invalidation::List(Topic::Tools)).await;
    store.fails.store(false, Ordering::Relaxed);
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
    clock.advance(1);
    insert(&cache, &tools(None), "", CacheEntry::new("new").ttl_ms(100)).await;
    assert_eq!(fresh_result(&cache, &tools(None), "").await.as_deref(), Some("new"));
}

#[test]
fn debug_omits_principals() {
    let (cache, _) = cache();
    assert_eq!(format!("{cache:?}"), "Cache { server: \"server\", .. }");
}
