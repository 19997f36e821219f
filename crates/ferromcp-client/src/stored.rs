//! A cache at the seam where the engine asks for results.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::model::CacheHint;
use ferromcp_core::{ClientRequest, RawJson};
use tokio::sync::Mutex as Turn;

use crate::cache::{self, Cache, Found, Key, Receipt, Topic};
use crate::channel::BoxFuture;
use crate::connect::Connector;
use crate::results::Results;
use crate::subscription::change::Change;

/// The most changes that wait to be taken in; more of them are a change of everything.
const WAITING: usize = 64;

/// The results of one server, kept apart by who asked.
pub(crate) struct Stored {
    cache: Cache,
    /// Knows as whom requests are sent.
    connector: Arc<dyn Connector>,
    /// Told and not taken in yet: telling may not wait, and a store may have to.
    waiting: Mutex<Waiting>,
    /// Whoever looks takes the changes in first, and others wait until that is done.
    taking: Turn<()>,
}

#[derive(Default)]
struct Waiting {
    told: u64,
    changes: Vec<(u64, cache::Change)>,
}

impl Stored {
    pub(crate) fn new(cache: Cache, connector: Arc<dyn Connector>) -> Self {
        Self { cache, connector, waiting: Mutex::default(), taking: Turn::new(()) }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take_in(&self) {
        let _turn = self.taking.lock().await;
        loop {
            // One at a time, and off the list only when it is done: this may be dropped on the way.
            let next = self.waiting().changes.first().cloned();
            let Some((told, change)) = next else { return };
            self.cache.changed(&change).await;
            self.waiting().changes.retain(|(other, _)| *other != told);
        }
    }

    async fn look(&self, request: &ClientRequest) -> Found {
        let Some(key) = Key::of(request) else { return Found::Nothing };
        self.take_in().await;
        self.cache.find(&key, &self.connector.authorization()).await
    }
}

impl Results for Stored {
    fn find<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, Option<RawJson>> {
        Box::pin(async move {
            match self.look(request).await {
                Found::Fresh(result) => read(&result),
                Found::Stale(_) | Found::Nothing => None,
            }
        })
    }

    fn find_stale<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, Option<RawJson>> {
        Box::pin(async move {
            match self.look(request).await {
                Found::Fresh(result) | Found::Stale(result) => read(&result),
                Found::Nothing => None,
            }
        })
    }

    fn keep<'a>(&'a self, request: &'a ClientRequest, result: &'a RawJson, hint: CacheHint) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Some(key) = Key::of(request) else { return };
            self.take_in().await;
            let ticket = self.cache.ticket(&key);
            let receipt = Receipt::new(result.as_str()).ttl_ms(hint.ttl_ms).scope(hint.scope);
            self.cache.keep(ticket, &key, &self.connector.authorization(), receipt).await;
        })
    }

    fn changed(&self, change: &Change) {
        let change = match change {
            Change::Tools => cache::Change::List(Topic::Tools),
            Change::Prompts => cache::Change::List(Topic::Prompts),
            Change::Resources => cache::Change::List(Topic::Resources),
            Change::Resource(uri) => cache::Change::Resource(uri.clone()),
            Change::Gap => cache::Change::Everything,
        };
        let mut waiting = self.waiting();
        waiting.told += 1;
        let told = waiting.told;
        if waiting.changes.len() >= WAITING {
            waiting.changes = vec![(told, cache::Change::Everything)];
        } else {
            waiting.changes.push((told, change));
        }
    }

    fn refused<'a>(&'a self, request: &'a ClientRequest) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Some(key) = Key::of(request) {
                self.cache.cursor_refused(&key).await;
            }
        })
    }
}

fn read(result: &str) -> Option<RawJson> {
    RawJson::parse(result).ok() // a store of somebody's own may give back anything
}
