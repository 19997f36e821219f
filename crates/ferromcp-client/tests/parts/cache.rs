//! What a cache gives, when, and to whom.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use ferromcp_client::cache::{
    Cache, CacheLimits, CacheStore, Change, Clock, Entry, Found, Key, MemoryStore, Receipt, StoreFuture, StoreKey,
    Topic,
};
use ferromcp_core::{
    ClientRequest, RawMap, ServerNotification,
    model::{CacheScope, ListParams, ListToolsResult, NotificationParams, ReadResourceParams, ResourceUpdatedParams},
};

/// A clock that stands until it is moved.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn clock(&self) -> Clock {
        let hand = self.clone();
        Clock::new(move || hand.0.load(Ordering::Relaxed))
    }

    fn forward(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

fn cache() -> (Cache, Hand) {
    let hand = Hand(Arc::new(AtomicU64::new(1_000_000)));
    (Cache::new("server").clock(hand.clock()), hand)
}

fn tools(cursor: Option<&'static str>) -> Key {
    Key::page(Topic::Tools, cursor)
}

async fn keep(cache: &Cache, key: &Key, who: &str, receipt: Receipt<'_>) {
    cache.keep(cache.ticket(key), key, who, receipt).await;
}

async fn found(cache: &Cache, key: &Key, who: &str) -> Option<String> {
    match cache.find(key, who).await {
        Found::Fresh(result) => Some(result.to_string()),
        Found::Stale(_) => panic!("stale results were not asked for"),
        Found::Nothing => None,
    }
}

// M26-445, M26-446, M26-447, M26-448, M26-452
#[tokio::test]
async fn a_result_is_fresh_for_its_time_and_not_longer() {
    let (cache, hand) = cache();
    keep(&cache, &tools(None), "", Receipt::new("1").ttl_ms(100)).await;
    hand.forward(99);
    assert_eq!(found(&cache, &tools(None), "").await.as_deref(), Some("1"));
    hand.forward(1);
    assert_eq!(found(&cache, &tools(None), "").await, None);
    for hint in [None, Some(0)] {
        keep(&cache, &tools(None), "", Receipt::new("1").ttl_ms(hint)).await;
        assert_eq!(found(&cache, &tools(None), "").await, None, "{hint:?}");
    }
    let cache = cache.max_ttl(Duration::from_millis(10));
    keep(&cache, &tools(None), "", Receipt::new("1").ttl_ms(u64::MAX)).await;
    assert!(found(&cache, &tools(None), "").await.is_some());
    hand.forward(10);
    assert_eq!(found(&cache, &tools(None), "").await, None);
}

// M26-449
#[tokio::test]
async fn a_negative_time_is_none() {
    let result: ListToolsResult = serde_json::from_str(r#"{"tools":[],"ttlMs":-5}"#).unwrap();
    let (cache, _) = cache();
    keep(&cache, &tools(None), "", Receipt::new("1").ttl_ms(result.ttl_ms).scope(result.cache_scope)).await;
    assert_eq!(found(&cache, &tools(None), "").await, None);
}

// M26-443
#[tokio::test]
async fn requests_that_differ_do_not_share() {
    let (cache, _) = cache();
    let other = cache.clone();
    let keys = [
        tools(None),
        tools(Some("")),
        tools(Some("a")),
        Key::page(Topic::Prompts, None),
        Key::page(Topic::Resources, Some("a")),
        Key::page(Topic::Templates, Some("a")),
        Key::read("a"),
        Key::read("b"),
        Key::discover(),
    ];
    for (n, key) in keys.iter().enumerate() {
        keep(&cache, key, "", Receipt::new(&n.to_string()).ttl_ms(100)).await;
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(found(&other, key, "").await, Some(n.to_string()), "{key:?}");
    }
}

// M26-457, M26-458, M26-459, A-209
#[tokio::test]
async fn private_results_stay_with_who_asked() {
    let (cache, _) = cache();
    let (public, private, absent) = (Key::read("public"), Key::read("private"), Key::read("absent"));
    keep(&cache, &public, "anna", Receipt::new("1").ttl_ms(100).scope(CacheScope::Public)).await;
    keep(&cache, &private, "anna", Receipt::new("2").ttl_ms(100).scope(CacheScope::Private)).await;
    keep(&cache, &absent, "anna", Receipt::new("3").ttl_ms(100).scope(None)).await;
    assert_eq!(found(&cache, &public, "bert").await.as_deref(), Some("1"));
    for (key, result) in [(&private, "2"), (&absent, "3")] {
        assert_eq!(found(&cache, key, "anna").await.as_deref(), Some(result));
        assert_eq!(found(&cache, key, "bert").await, None);
        assert_eq!(found(&cache, key, "").await, None, "nobody is somebody else too");
    }
    keep(&cache, &public, "anna", Receipt::new("4").ttl_ms(100)).await;
    assert_eq!(found(&cache, &public, "anna").await.as_deref(), Some("4"));
    assert_eq!(found(&cache, &public, "bert").await, None, "what became private is not given to others");
}

// M26-442, M26-444
#[tokio::test]
async fn questions_and_results_of_retries_are_never_kept() {
    let (cache, _) = cache();
    let key = Key::read("a");
    keep(&cache, &key, "", Receipt::new("1").ttl_ms(100).input_required()).await;
    keep(&cache, &key, "", Receipt::new("1").ttl_ms(100).of_retry()).await;
    assert_eq!(found(&cache, &key, "").await, None);

    let mut params = ReadResourceParams::new("a");
    assert_eq!(Key::of(&ClientRequest::ReadResource(params.clone())), Some(key));
    params.request_state = Some("state".into());
    assert_eq!(Key::of(&ClientRequest::ReadResource(params)), None);
    let mut params = ReadResourceParams::new("a");
    params.input_responses = Some(RawMap::new());
    assert_eq!(Key::of(&ClientRequest::ReadResource(params)), None);
}

#[test]
fn each_cacheable_method_has_a_key() {
    let requests = [
        ClientRequest::Discover(ferromcp_core::model::DiscoverParams::default()),
        ClientRequest::ListTools(ListParams::default()),
        ClientRequest::ListPrompts(ListParams::default()),
        ClientRequest::ListResources(ListParams::default()),
        ClientRequest::ListResourceTemplates(ListParams::default()),
        ClientRequest::ReadResource(ReadResourceParams::new("a")),
    ];
    let methods: Vec<_> = requests.iter().map(|request| Key::of(request).unwrap().topic().method()).collect();
    let cacheable: Vec<_> = ClientRequest::METHODS.iter().filter(|method| method.cacheable).map(|m| m.name).collect();
    assert_eq!(methods, requests.iter().map(ClientRequest::method).collect::<Vec<_>>());
    assert_eq!(methods.len(), cacheable.len());
    assert!(cacheable.iter().all(|method| methods.contains(method)));
    assert_eq!(Key::of(&ClientRequest::ListTasks(ListParams::default())), None);
}

// M26-461
#[tokio::test]
async fn a_changed_list_is_stale_for_all_and_at_once() {
    let (cache, _) = cache();
    let kept = [tools(None), tools(Some("2")), Key::page(Topic::Resources, None), Key::page(Topic::Templates, None)];
    for key in &kept {
        keep(&cache, key, "anna", Receipt::new("1").ttl_ms(100)).await;
        keep(&cache, key, "bert", Receipt::new("1").ttl_ms(100)).await;
    }
    let resources = Change::of(&ServerNotification::ResourceListChanged(NotificationParams::default())).unwrap();
    cache.changed(&resources).await;
    for who in ["anna", "bert"] {
        assert!(found(&cache, &kept[0], who).await.is_some());
        assert_eq!(found(&cache, &kept[2], who).await, None);
        assert_eq!(found(&cache, &kept[3], who).await, None);
    }
    cache.changed(&Change::of(&ServerNotification::ToolListChanged(NotificationParams::default())).unwrap()).await;
    assert_eq!(found(&cache, &kept[0], "bert").await, None);
    assert_eq!(found(&cache, &kept[1], "anna").await, None);
}

// M26-461, S-272
#[tokio::test]
async fn an_update_reaches_the_resource_its_parts_and_its_wholes() {
    let (cache, _) = cache();
    for uri in ["file:///a", "file:///a/b", "file:///a/b/c", "file:///ab", "file:///x"] {
        keep(&cache, &Key::read(uri), "", Receipt::new("1").ttl_ms(100)).await;
    }
    keep(&cache, &tools(Some("file:///a/b")), "", Receipt::new("1").ttl_ms(100)).await;
    let updated = ServerNotification::ResourceUpdated(ResourceUpdatedParams::new("file:///a/b"));
    cache.changed(&Change::of(&updated).unwrap()).await;
    for uri in ["file:///a", "file:///a/b", "file:///a/b/c"] {
        assert_eq!(found(&cache, &Key::read(uri), "").await, None, "{uri}");
    }
    for key in [Key::read("file:///ab"), Key::read("file:///x"), tools(Some("file:///a/b"))] {
        assert!(found(&cache, &key, "").await.is_some(), "{key:?}");
    }
}

// M26-461
#[tokio::test]
async fn a_result_under_way_while_a_change_is_told_is_not_kept() {
    let (cache, _) = cache();
    let ticket = cache.ticket(&tools(None));
    let other = cache.ticket(&Key::discover());
    cache.changed(&Change::List(Topic::Tools)).await;
    cache.keep(ticket, &tools(None), "", Receipt::new("1").ttl_ms(100)).await;
    cache.keep(other, &Key::discover(), "", Receipt::new("2").ttl_ms(100)).await;
    assert_eq!(found(&cache, &tools(None), "").await, None);
    assert!(found(&cache, &Key::discover(), "").await.is_some());
}

// M26-463, M26-465
#[tokio::test]
async fn pages_age_alone_and_fall_together() {
    let (cache, hand) = cache();
    keep(&cache, &tools(None), "", Receipt::new("1").ttl_ms(100)).await;
    keep(&cache, &tools(Some("2")), "", Receipt::new("2").ttl_ms(10)).await;
    keep(&cache, &tools(Some("3")), "", Receipt::new("3").ttl_ms(100)).await;
    keep(&cache, &Key::page(Topic::Prompts, None), "", Receipt::new("4").ttl_ms(100)).await;
    hand.forward(50);
    assert_eq!(found(&cache, &tools(Some("2")), "").await, None);
    assert!(found(&cache, &tools(Some("3")), "").await.is_some());
    cache.cursor_refused(&tools(Some("2"))).await;
    assert_eq!(found(&cache, &tools(None), "").await, None);
    assert_eq!(found(&cache, &tools(Some("3")), "").await, None);
    assert!(found(&cache, &Key::page(Topic::Prompts, None), "").await.is_some());
}

// M26-456
#[tokio::test]
async fn stale_results_are_there_for_who_wants_them_unless_a_change_was_told() {
    let (cache, hand) = cache();
    let cache = cache.keep_stale(Duration::from_millis(50));
    keep(&cache, &tools(None), "", Receipt::new("1").ttl_ms(100)).await;
    hand.forward(149);
    assert_eq!(cache.find(&tools(None), "").await, Found::Stale("1".into()));
    hand.forward(1);
    assert_eq!(cache.find(&tools(None), "").await, Found::Nothing);
    keep(&cache, &tools(None), "", Receipt::new("1")).await;
    assert_eq!(cache.find(&tools(None), "").await, Found::Stale("1".into()), "stale at once");
    cache.changed(&Change::Everything).await;
    assert_eq!(cache.find(&tools(None), "").await, Found::Nothing);
}

#[tokio::test]
async fn entries_and_bytes_are_bounded_and_the_least_used_goes_first() {
    let mut limits = CacheLimits::default();
    (limits.entries, limits.bytes) = (3, 8 << 10);
    let store = Arc::new(MemoryStore::new(limits));
    let cache = Cache::with_store("server", Arc::clone(&store) as Arc<dyn CacheStore>);
    for uri in ["a", "b", "c"] {
        keep(&cache, &Key::read(uri), "", Receipt::new("1").ttl_ms(10_000)).await;
    }
    assert!(found(&cache, &Key::read("a"), "").await.is_some());
    keep(&cache, &Key::read("d"), "", Receipt::new("1").ttl_ms(10_000)).await;
    assert_eq!(found(&cache, &Key::read("b"), "").await, None);
    assert!(found(&cache, &Key::read("a"), "").await.is_some());
    for n in 0..100_usize {
        let result = "x".repeat(n * 37 % 2500);
        keep(&cache, &Key::read(&n.to_string()), "", Receipt::new(&result).ttl_ms(10_000)).await;
        assert!(store.len() <= 3 && store.bytes() <= 8 << 10, "{store:?}");
    }
    keep(&cache, &Key::read("huge"), "", Receipt::new(&"x".repeat(9 << 10)).ttl_ms(10_000)).await;
    assert_eq!(found(&cache, &Key::read("huge"), "").await, None);
    assert!(!store.is_empty(), "a result that is too large drives nothing out");
    cache.changed(&Change::Everything).await;
    assert_eq!((store.len(), store.bytes()), (0, 0));
}

#[tokio::test]
async fn servers_that_share_a_store_share_nothing_else() {
    let store: Arc<dyn CacheStore> = Arc::new(MemoryStore::default());
    let (one, two) = (Cache::with_store("one", Arc::clone(&store)), Cache::with_store("two", store));
    keep(&one, &tools(None), "", Receipt::new("1").ttl_ms(10_000).scope(CacheScope::Public)).await;
    assert_eq!(found(&two, &tools(None), "").await, None);
    two.changed(&Change::Everything).await;
    assert!(found(&one, &tools(None), "").await.is_some());
}

/// A store that fails when told to.
#[derive(Default)]
struct Broken {
    inner: MemoryStore,
    fails: AtomicBool,
}

impl Broken {
    fn or_fail<'a, T: Send + 'a>(&self, future: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        if self.fails.load(Ordering::Relaxed) {
            return Box::pin(std::future::ready(Err(io::Error::other("out of order"))));
        }
        future
    }
}

impl CacheStore for Broken {
    fn get<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<Entry>> {
        self.or_fail(self.inner.get(key))
    }

    fn put(&self, key: StoreKey, entry: Entry) -> StoreFuture<'_, ()> {
        self.inner.put(key, entry)
    }

    fn remove<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, ()> {
        self.inner.remove(key)
    }

    fn sweep<'a>(&'a self, covers: Box<dyn Fn(&StoreKey) -> bool + Send + 'a>) -> StoreFuture<'a, ()> {
        if self.fails.load(Ordering::Relaxed) {
            return self.or_fail(Box::pin(std::future::ready(Ok(()))));
        }
        self.inner.sweep(covers)
    }
}

// M26-461
#[tokio::test]
async fn a_store_that_fails_to_forget_is_not_believed() {
    let (_, hand) = cache();
    let store = Arc::new(Broken::default());
    let cache = Cache::with_store("server", Arc::clone(&store) as Arc<dyn CacheStore>).clock(hand.clock());
    keep(&cache, &tools(None), "", Receipt::new("old").ttl_ms(100)).await;
    store.fails.store(true, Ordering::Relaxed);
    assert_eq!(found(&cache, &tools(None), "").await, None);
    cache.changed(&Change::List(Topic::Tools)).await;
    store.fails.store(false, Ordering::Relaxed);
    assert_eq!(found(&cache, &tools(None), "").await, None);
    hand.forward(1);
    keep(&cache, &tools(None), "", Receipt::new("new").ttl_ms(100)).await;
    assert_eq!(found(&cache, &tools(None), "").await.as_deref(), Some("new"));
}

#[test]
fn nothing_shows_for_whom_a_result_is() {
    let (cache, _) = cache();
    assert_eq!(format!("{cache:?}"), "Cache { server: \"server\", .. }");
}
