//! The `response_cache` middleware.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ferromcp_core::model::CacheScope;
use ferromcp_core::{ClientRequest, Revision};

use crate::call::{Call, Peer, Reply};
use crate::middleware::{Middleware, Next};

/// Caches up to `entries` results of `resources/read` until their caching hint expires
/// (see [`Resource::ttl_ms`](crate::Resource::ttl_ms)), at most one day.
///
/// Results without a hint are not cached. Private results are cached per authenticated principal and its scopes, and not
/// for unauthenticated peers. A result that depends on other claims of the access token must have no hint. Lists do not
/// need this cache, because they are serialized once.
///
/// ```
/// use ferromcp_server::{Server, middleware::response_cache};
/// let server = Server::new("demo", "1.0.0").wrap(response_cache(1_000));
/// ```
pub fn response_cache(entries: usize) -> impl Middleware {
    Cache { store: Arc::new(Mutex::new(HashMap::new())), entries: entries.max(1) }
}

struct Cache {
    store: Arc<Mutex<HashMap<Key, Entry>>>,
    entries: usize,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    uri: String,
    revision: Revision,
    /// `None` for public results.
    audience: Option<Audience>,
}

/// The callers that may receive a private result. A handler may return more to a principal with more scopes.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Audience {
    identity: String,
    /// Sorted, without repetitions. `None` without an access token.
    scopes: Option<Vec<String>>,
}

impl Audience {
    /// Returns the audience of the private results of a peer, if it is authenticated.
    fn of(peer: &Peer) -> Option<Self> {
        let scopes = peer.principal().map(|principal| {
            let mut scopes = principal.scopes().to_vec();
            scopes.sort_unstable();
            scopes.dedup();
            scopes
        });
        Some(Self { identity: peer.identity()?.to_owned(), scopes })
    }
}

struct Entry {
    reply: Reply,
    expires_at: Instant,
}

impl Middleware for Cache {
    fn handle(&self, call: Call, next: Next) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        let (store, entries) = (Arc::clone(&self.store), self.entries);
        Box::pin(async move {
            let ClientRequest::ReadResource(read) = &call.request else { return next.run(call).await };
            if read.input_responses.is_some() || read.request_state.is_some() {
                return next.run(call).await; // the result depends on the answers of one client
            }
            let public = Key { uri: read.uri.to_string(), revision: call.peer.revision(), audience: None };
            let private = Audience::of(&call.peer).map(|audience| Key { audience: Some(audience), ..public.clone() });
            if let Some(reply) =
                [Some(&public), private.as_ref()].into_iter().flatten().find_map(|key| fresh(&store, key))
            {
                return reply;
            }
            let mut reply = next.run(call).await;
            let Some((ttl, scope)) = hint(&mut reply) else { return reply };
            let key = if scope == CacheScope::Public { Some(public) } else { private };
            if let Some(key) = key {
                insert(&store, key, Entry { reply: reply.clone(), expires_at: Instant::now() + ttl }, entries);
            }
            reply
        })
    }
}

fn fresh(store: &Mutex<HashMap<Key, Entry>>, key: &Key) -> Option<Reply> {
    let store = store.lock().unwrap_or_else(PoisonError::into_inner);
    store.get(key).filter(|entry| entry.expires_at > Instant::now()).map(|entry| entry.reply.clone())
}

/// Returns the time to live of a reply, at most one day, and its cache scope.
fn hint(reply: &mut Reply) -> Option<(Duration, CacheScope)> {
    let Reply::Done(result) = reply else { return None };
    let (ttl_ms, scope) = result.cache_mut()?;
    let ttl = Duration::from_millis((*ttl_ms).filter(|ttl| *ttl > 0)?.min(86_400_000));
    Some((ttl, scope.unwrap_or_default()))
}

fn insert(store: &Mutex<HashMap<Key, Entry>>, key: Key, entry: Entry, entries: usize) {
    let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
    if store.len() >= entries && !store.contains_key(&key) {
        let now = Instant::now();
        store.retain(|_, entry| entry.expires_at > now);
        if store.len() >= entries {
            let soonest = store.iter().min_by_key(|(_, entry)| entry.expires_at).map(|(key, _)| key.clone());
            soonest.and_then(|key| store.remove(&key));
        }
    }
    store.insert(key, entry);
}
