//! Cache lookups, expiry, invalidation and partitions.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use ferromcp_core::{
    ClientRequest, RawJson, RawMap, ServerResult,
    model::{CacheHint, DiscoverParams, ListParams, ReadResourceParams},
};

use super::{
    CacheFuture, CacheKey, CacheStore, Clock, DEFAULT_MAX_TTL, Lookup, MemoryStore, ResultCache, StoreKey, StoredEntry,
    cache_hint, key::Topic,
};
use crate::subscription::change::Change;

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

fn cache() -> (ResultCache, ManualClock) {
    cache_with(Arc::new(MemoryStore::default()))
}

fn cache_with(store: Arc<dyn CacheStore>) -> (ResultCache, ManualClock) {
    let clock = ManualClock(Arc::new(AtomicU64::new(1_000_000)));
    let mut cache = ResultCache::new("server".into(), store);
    (cache.clock, cache.max_ttl) = (clock.clock(), DEFAULT_MAX_TTL);
    (cache, clock)
}

fn tools(cursor: Option<&'static str>) -> CacheKey {
    CacheKey::page(Topic::Tools, cursor)
}

async fn insert(cache: &ResultCache, key: &CacheKey, principal: &str, result: &str, hint: CacheHint) {
    cache.insert(&cache.begin(key.clone(), principal.to_owned()), result, hint).await;
}

/// Invalidates after a change, and returns once the store has applied it.
async fn invalidate(cache: &ResultCache, change: Change) {
    cache.invalidate(&change);
    cache.get(&CacheKey::read("unused"), "").await;
}

/// Returns the cache hint of a result of `tools/list`.
fn hint_of(result: &str) -> Option<CacheHint> {
    cache_hint(&mut ServerResult::decode("tools/list", &RawJson::parse(result).unwrap()).unwrap())
}

async fn fresh_result(cache: &ResultCache, key: &CacheKey, principal: &str) -> Option<String> {
    match cache.get(key, principal).await {
        Lookup::Fresh(result) => Some(result.to_string()),
        Lookup::Stale(_) => panic!("unexpected stale result"),
        Lookup::Miss => None,
    }
}

// M26-445, M26-446, M26-447, M26-448, M26-452
#[tokio::test]
async fn result_is_fresh_until_ttl_expires() {
    let (mut cache, clock) = cache();
    insert(&cache, &tools(None), "", "1", CacheHint::private(100)).await;
    clock.advance(99);
    assert_eq!(fresh_result(&cache, &tools(None), "").await.as_deref(), Some("1"));
    clock.advance(1);
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
    insert(&cache, &tools(None), "", "1", CacheHint::private(0)).await;
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
    assert_eq!(hint_of(r#"{"tools":[]}"#), None, "a result without a time-to-live is not cached");
    cache.max_ttl = Duration::from_millis(10);
    insert(&cache, &tools(None), "", "1", CacheHint::private(u64::MAX)).await;
    assert!(fresh_result(&cache, &tools(None), "").await.is_some());
    clock.advance(10);
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
}

// M26-449
#[tokio::test]
async fn result_is_not_cached_when_ttl_is_negative() {
    let hint = hint_of(r#"{"tools":[],"ttlMs":-5}"#).unwrap();
    let (cache, _) = cache();
    insert(&cache, &tools(None), "", "1", hint).await;
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
}

// M26-443
#[tokio::test]
async fn different_requests_have_different_keys() {
    let (cache, _) = cache();
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
        insert(&cache, key, "", &n.to_string(), CacheHint::private(100)).await;
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(fresh_result(&cache, key, "").await, Some(n.to_string()), "{key:?}");
    }
}

// M26-457, M26-458, M26-459, A-209
#[tokio::test]
async fn private_results_are_partitioned_by_principal() {
    let (cache, _) = cache();
    let (public, private, absent) = (CacheKey::read("public"), CacheKey::read("private"), CacheKey::read("absent"));
    insert(&cache, &public, "anna", "1", CacheHint::public(100)).await;
    insert(&cache, &private, "anna", "2", CacheHint::private(100)).await;
    insert(&cache, &absent, "anna", "3", hint_of(r#"{"tools":[],"ttlMs":100}"#).unwrap()).await;
    assert_eq!(fresh_result(&cache, &public, "bert").await.as_deref(), Some("1"));
    for (key, result) in [(&private, "2"), (&absent, "3")] {
        assert_eq!(fresh_result(&cache, key, "anna").await.as_deref(), Some(result));
        assert_eq!(fresh_result(&cache, key, "bert").await, None);
        assert_eq!(fresh_result(&cache, key, "").await, None, "the empty principal has a separate partition");
    }
    insert(&cache, &public, "anna", "4", CacheHint::private(100)).await;
    assert_eq!(fresh_result(&cache, &public, "anna").await.as_deref(), Some("4"));
    assert_eq!(fresh_result(&cache, &public, "bert").await, None, "not shared after it became private");
}

// M26-444
#[test]
fn retries_are_not_cached() {
    let key = CacheKey::read("a");
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
        ClientRequest::Discover(DiscoverParams::default()),
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
        insert(&cache, key, "anna", "1", CacheHint::private(100)).await;
        insert(&cache, key, "bert", "1", CacheHint::private(100)).await;
    }
    invalidate(&cache, Change::Resources).await;
    for principal in ["anna", "bert"] {
        assert!(fresh_result(&cache, &keys[0], principal).await.is_some());
        assert_eq!(fresh_result(&cache, &keys[2], principal).await, None);
        assert_eq!(fresh_result(&cache, &keys[3], principal).await, None);
    }
    invalidate(&cache, Change::Tools).await;
    assert_eq!(fresh_result(&cache, &keys[0], "bert").await, None);
    assert_eq!(fresh_result(&cache, &keys[1], "anna").await, None);
}

// M26-461, S-272
#[tokio::test]
async fn resource_update_invalidates_resource_and_its_parents_and_children() {
    let (cache, _) = cache();
    for uri in ["file:///a", "file:///a/b", "file:///a/b/c", "file:///ab", "file:///x"] {
        insert(&cache, &CacheKey::read(uri), "", "1", CacheHint::private(100)).await;
    }
    insert(&cache, &tools(Some("file:///a/b")), "", "1", CacheHint::private(100)).await;
    invalidate(&cache, Change::Resource("file:///a/b".to_owned())).await;
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
    let list = cache.begin(tools(None), String::new());
    let other = cache.begin(CacheKey::discover(), String::new());
    cache.invalidate(&Change::Tools);
    cache.insert(&list, "1", CacheHint::private(100)).await;
    cache.insert(&other, "2", CacheHint::private(100)).await;
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
    assert!(fresh_result(&cache, &CacheKey::discover(), "").await.is_some());
}

// M26-463, M26-465
#[tokio::test]
async fn pages_expire_individually_and_are_invalidated_together() {
    let (cache, clock) = cache();
    insert(&cache, &tools(None), "", "1", CacheHint::private(100)).await;
    insert(&cache, &tools(Some("2")), "", "2", CacheHint::private(10)).await;
    insert(&cache, &tools(Some("3")), "", "3", CacheHint::private(100)).await;
    insert(&cache, &CacheKey::page(Topic::Prompts, None), "", "4", CacheHint::private(100)).await;
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
    let (mut cache, clock) = cache();
    cache.stale_if_error = Duration::from_millis(50);
    insert(&cache, &tools(None), "", "1", CacheHint::private(100)).await;
    clock.advance(149);
    assert_eq!(cache.get(&tools(None), "").await, Lookup::Stale("1".into()));
    clock.advance(1);
    assert_eq!(cache.get(&tools(None), "").await, Lookup::Miss);
    insert(&cache, &tools(None), "", "1", CacheHint::private(0)).await;
    assert_eq!(cache.get(&tools(None), "").await, Lookup::Stale("1".into()), "stale immediately");
    invalidate(&cache, Change::Gap).await;
    assert_eq!(cache.get(&tools(None), "").await, Lookup::Miss);
}

#[tokio::test]
async fn evicts_least_recently_used_entry_when_full() {
    let mut store = MemoryStore::new().total_bytes(8 << 10);
    store.max_entries = 3;
    let store = Arc::new(store);
    let (cache, _) = cache_with(Arc::clone(&store) as _);
    for uri in ["a", "b", "c"] {
        insert(&cache, &CacheKey::read(uri), "", "1", CacheHint::private(10_000)).await;
    }
    assert!(fresh_result(&cache, &CacheKey::read("a"), "").await.is_some());
    insert(&cache, &CacheKey::read("d"), "", "1", CacheHint::private(10_000)).await;
    assert_eq!(fresh_result(&cache, &CacheKey::read("b"), "").await, None);
    assert!(fresh_result(&cache, &CacheKey::read("a"), "").await.is_some());
    for n in 0..100_usize {
        let result = "x".repeat(n * 37 % 2500);
        insert(&cache, &CacheKey::read(&n.to_string()), "", &result, CacheHint::private(10_000)).await;
        assert!(store.len() <= 3 && store.bytes() <= 8 << 10, "{store:?}");
    }
    insert(&cache, &CacheKey::read("huge"), "", &"x".repeat(9 << 10), CacheHint::private(10_000)).await;
    assert_eq!(fresh_result(&cache, &CacheKey::read("huge"), "").await, None);
    assert!(!store.is_empty(), "an oversized result evicts nothing");
    invalidate(&cache, Change::Gap).await;
    assert_eq!((store.len(), store.bytes()), (0, 0));
}

#[tokio::test]
async fn servers_are_isolated_when_sharing_a_store() {
    let store: Arc<dyn CacheStore> = Arc::new(MemoryStore::default());
    let (one, two) = (ResultCache::new("one".into(), Arc::clone(&store)), ResultCache::new("two".into(), store));
    insert(&one, &tools(None), "", "1", CacheHint::public(10_000)).await;
    assert_eq!(fresh_result(&two, &tools(None), "").await, None);
    invalidate(&two, Change::Gap).await;
    assert!(fresh_result(&one, &tools(None), "").await.is_some());
}

/// A store in memory that can fail, and in which the list of tools can change while a result is written.
#[derive(Default)]
struct TestStore {
    inner: MemoryStore,
    /// Whether lookups and invalidations fail.
    fails: AtomicBool,
    /// The cache that another request notifies of changed tools during each write.
    changed_during_put: OnceLock<Weak<ResultCache>>,
}

impl TestStore {
    fn failure<'a, T: Send + 'a>(&self) -> Option<CacheFuture<'a, T>> {
        let failure = || Box::pin(std::future::ready(Err(io::Error::other("unavailable")))) as CacheFuture<'a, T>;
        self.fails.load(Ordering::Relaxed).then(failure)
    }
}

impl CacheStore for TestStore {
    fn get<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, Option<StoredEntry>> {
        self.failure().unwrap_or_else(|| self.inner.get(key))
    }

    fn put(&self, key: StoreKey, entry: StoredEntry) -> CacheFuture<'_, ()> {
        Box::pin(async move {
            if let Some(cache) = self.changed_during_put.get() {
                // The other request applies the change before the entry is written.
                invalidate(&cache.upgrade().unwrap(), Change::Tools).await;
            }
            self.inner.put(key, entry).await
        })
    }

    fn remove<'a>(&'a self, key: &'a StoreKey) -> CacheFuture<'a, ()> {
        self.inner.remove(key)
    }

    fn remove_matching<'a>(
        &'a self,
        server: &'a str,
        predicate: Box<dyn Fn(&StoreKey) -> bool + Send + Sync + 'a>,
    ) -> CacheFuture<'a, ()> {
        self.failure().unwrap_or_else(|| self.inner.remove_matching(server, predicate))
    }
}

// M26-461
#[tokio::test]
async fn ignores_entries_when_store_fails_to_remove() {
    let store = Arc::new(TestStore::default());
    let (cache, clock) = cache_with(Arc::clone(&store) as _);
    insert(&cache, &tools(None), "", "old", CacheHint::private(100)).await;
    store.fails.store(true, Ordering::Relaxed);
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
    invalidate(&cache, Change::Tools).await;
    store.fails.store(false, Ordering::Relaxed);
    assert_eq!(fresh_result(&cache, &tools(None), "").await, None);
    clock.advance(1);
    insert(&cache, &tools(None), "", "new", CacheHint::private(100)).await;
    assert_eq!(fresh_result(&cache, &tools(None), "").await.as_deref(), Some("new"));
}

#[test]
fn debug_omits_principals() {
    let (cache, _) = cache();
    assert_eq!(format!("{cache:?}"), "ResultCache { server: \"server\", .. }");
}

#[tokio::test]
async fn invalidates_all_results_when_invalidation_queue_overflows() {
    let (cache, _) = cache();
    insert(&cache, &tools(None), "", "1", CacheHint::private(100)).await;
    let list = cache.begin(tools(Some("2")), String::new());
    for n in 0..64 {
        cache.invalidate(&Change::Resource(format!("x:{n}")));
    }
    cache.invalidate(&Change::Prompts);
    cache.insert(&list, "2", CacheHint::private(100)).await;
    for key in [tools(None), tools(Some("2"))] {
        assert_eq!(fresh_result(&cache, &key, "").await, None, "{key:?}");
    }
}

// M26-461
#[tokio::test]
async fn result_is_removed_when_invalidated_during_write() {
    let store = Arc::new(TestStore::default());
    let cache = Arc::new(cache_with(Arc::clone(&store) as _).0);
    store.changed_during_put.set(Arc::downgrade(&cache)).unwrap();
    insert(&cache, &tools(None), "", "1", CacheHint::private(100)).await;
    assert!(store.inner.is_empty());
    insert(&cache, &CacheKey::discover(), "", "1", CacheHint::private(100)).await;
    assert!(fresh_result(&cache, &CacheKey::discover(), "").await.is_some());
}

#[test]
fn store_keys_are_distinct_when_serialized() {
    let server = "server".into();
    let keys: Vec<StoreKey> = [tools(None), tools(Some("")), tools(Some("a")), CacheKey::read("a")]
        .iter()
        .flat_map(|key| [None, Some(""), Some("a")].map(|partition| key.to_store_key(&server, partition)))
        .collect();
    let texts: HashSet<String> = keys.iter().map(|key| serde_json::to_string(key).unwrap()).collect();
    assert_eq!(texts.len(), keys.len());
    for key in &keys {
        let text = serde_json::to_string(key).unwrap();
        assert_eq!(serde_json::from_str::<StoreKey>(&text).unwrap(), *key);
    }
}

#[test]
fn debug_of_store_key_omits_partition() {
    let key = tools(Some("2")).to_store_key(&"server".into(), Some("anna"));
    assert_eq!(
        format!("{key:?}"),
        r#"StoreKey { server: "server", scope: "private", method: "tools/list", param: Some("2") }"#
    );
}
