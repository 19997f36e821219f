//! [`Broadcaster`]: delivers each change to the mailboxes of its subscribers.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ferromcp_core::Error;

use super::change::{Change, ListKinds};
use super::subscriber::Subscriber;
use super::uri_ancestors::uri_ancestors;
use crate::forks::{Fork, Forks};
use crate::limits::{MAX_SUBSCRIPTION_BYTES, ServerLimits};
use crate::uri_key::uri_key;

/// Maximum number of pending URL elicitations tracked per session.
const MAX_PENDING_ELICITATIONS: usize = 256;

/// The subscribers of a server, by key and by URI.
#[derive(Default)]
pub(crate) struct Broadcaster {
    listeners: RwLock<Listeners>,
    /// The broadcasters of servers that were built from a clone of this one or that it is mounted in, each with the
    /// namespaces on the way.
    forks: Forks<Broadcaster, Arc<str>>,
}

#[derive(Default)]
struct Listeners {
    all: HashMap<u64, Listener>,
    /// Subscribers by the key of their URI, so that an update needs only a few lookups.
    by_uri: HashMap<Arc<str>, HashMap<u64, UriSubscriber>>,
    /// The session waiting for each URL elicitation, by elicitation id.
    elicitations: HashMap<Arc<str>, u64>,
    /// The key of the most recent listener.
    last_key: u64,
}

struct Listener {
    subscriber: Arc<Subscriber>,
    /// The subscribed URIs, by key.
    uris: HashMap<Arc<str>, Arc<str>>,
    /// Total size of `uris` in bytes.
    uri_bytes: usize,
    /// Pending URL elicitations, the oldest first.
    elicitations: VecDeque<Arc<str>>,
}

/// A subscriber of one URI.
struct UriSubscriber {
    subscriber: Arc<Subscriber>,
    /// The URI as the client wrote it.
    uri: Arc<str>,
}

impl Broadcaster {
    /// Registers a subscriber of the lists in `kinds`; returns its key.
    pub(super) fn register(&self, kinds: ListKinds) -> (u64, Arc<Subscriber>) {
        let subscriber = Arc::new(Subscriber::new(kinds));
        let mut listeners = self.write();
        listeners.last_key += 1;
        let key = listeners.last_key;
        listeners.all.insert(
            key,
            Listener {
                subscriber: Arc::clone(&subscriber),
                uris: HashMap::new(),
                uri_bytes: 0,
                elicitations: VecDeque::new(),
            },
        );
        (key, subscriber)
    }

    /// Creates the broadcaster of a server that is built from a clone. A [`ChangeNotifier`](super::ChangeNotifier) of
    /// `self` reaches its subscribers too.
    pub(crate) fn fork(&self) -> Arc<Self> {
        let fork = Arc::new(Self { listeners: RwLock::default(), forks: self.forks.of_copy() });
        fork.forks.register(&fork);
        fork
    }

    /// Makes the subscribers of `self` receive the changes of `inner`, which belongs to a server that is mounted under
    /// a namespace.
    pub(crate) fn mount(self: &Arc<Self>, inner: &Self, namespace: &Arc<str>) {
        inner.forks.mount(self, &self.forks, namespace);
    }

    /// Returns this broadcaster and its forks, each with the namespaces under which its server has the resources of this
    /// one.
    pub(super) fn family(self: &Arc<Self>) -> Vec<Fork<Arc<Self>, Arc<str>>> {
        let mut family = vec![(Arc::clone(self), Vec::new())];
        family.extend(self.forks.live());
        family
    }

    /// Delivers a change to its subscribers.
    #[allow(clippy::needless_pass_by_value, reason = "callers do not need the change afterwards")]
    pub(crate) fn notify(&self, change: Change) {
        // Wake without holding the lock, because a waker can run arbitrary code.
        for subscriber in self.enqueue(&change) {
            subscriber.wake();
        }
    }

    /// Adds a change to the mailboxes of its subscribers and returns those that were empty.
    fn enqueue(&self, change: &Change) -> Vec<Arc<Subscriber>> {
        let listeners = self.read();
        let Some(list) = change.list() else {
            return match change {
                Change::Resource(uri) => listeners.enqueue_resource(uri),
                _ => Vec::new(),
            };
        };
        let subscribers = listeners.all.values().map(|listener| &listener.subscriber);
        subscribers.filter(|subscriber| subscriber.enqueue_list(change, list)).cloned().collect()
    }

    /// Returns whether there is a subscriber of `uri` or of one of its parents.
    pub(crate) fn has_subscribers(&self, uri: &str) -> bool {
        let listeners = self.read();
        !listeners.by_uri.is_empty()
            && uri_ancestors(&uri_key(uri)).any(|ancestor| listeners.by_uri.contains_key(ancestor))
    }

    /// Subscribes a listener to `uri` and its descendants. Has no effect if it is already subscribed.
    ///
    /// # Errors
    /// Returns -32602 if the subscription exceeds [`ServerLimits::subscriptions`] or [`MAX_SUBSCRIPTION_BYTES`].
    pub(super) fn subscribe(&self, key: u64, uri: &str, limits: &ServerLimits) -> Result<(), Error> {
        let mut listeners = self.write();
        let Listeners { all, by_uri, .. } = &mut *listeners;
        let Some(listener) = all.get_mut(&key) else { return Ok(()) }; // already unregistered
        let key_of_uri = uri_key(uri);
        if listener.uris.contains_key(&*key_of_uri) {
            return Ok(());
        }
        if listener.uris.len() >= limits.subscriptions {
            let limit = limits.subscriptions;
            return Err(Error::invalid_params(format!(
                "Too many resource subscriptions; at most {limit} (`ServerLimits::subscriptions`)"
            )));
        }
        if listener.uri_bytes.saturating_add(size(&key_of_uri, uri)) > MAX_SUBSCRIPTION_BYTES {
            return Err(Error::invalid_params(format!(
                "The subscribed URIs are too long; at most {MAX_SUBSCRIPTION_BYTES} bytes in total"
            )));
        }
        let existing = by_uri.get_key_value(&*key_of_uri).map(|(existing, _)| Arc::clone(existing));
        let key_of_uri = existing.unwrap_or_else(|| Arc::from(&*key_of_uri));
        let uri = if *key_of_uri == *uri { Arc::clone(&key_of_uri) } else { Arc::from(uri) };
        listener.uri_bytes += size(&key_of_uri, &uri);
        listener.uris.insert(Arc::clone(&key_of_uri), Arc::clone(&uri));
        let subscriber = UriSubscriber { subscriber: Arc::clone(&listener.subscriber), uri };
        by_uri.entry(key_of_uri).or_default().insert(key, subscriber);
        Ok(())
    }

    /// Unsubscribes a listener from `uri` and removes its queued updates.
    pub(super) fn unsubscribe(&self, key: u64, uri: &str) {
        let mut listeners = self.write();
        let Listeners { all, by_uri, .. } = &mut *listeners;
        let Some(listener) = all.get_mut(&key) else { return };
        let key_of_uri = uri_key(uri);
        if let Some(uri) = listener.uris.remove(&*key_of_uri) {
            listener.uri_bytes -= size(&key_of_uri, &uri);
            remove_subscriber(by_uri, &key_of_uri, key);
            // Discards queued updates, so that none is sent after the response.
            let is_subscribed =
                |uri: &str| uri_ancestors(&uri_key(uri)).any(|ancestor| listener.uris.contains_key(ancestor));
            listener.subscriber.retain_resources(is_subscribed);
        }
    }

    /// Records that the session waits for a URL elicitation. The oldest entry is evicted at the limit.
    pub(super) fn expect_elicitation(&self, key: u64, id: &str) {
        let mut listeners = self.write();
        let Listeners { all, elicitations, .. } = &mut *listeners;
        let Some(listener) = all.get_mut(&key).filter(|_| !elicitations.contains_key(id)) else { return };
        if listener.elicitations.len() >= MAX_PENDING_ELICITATIONS {
            listener.elicitations.pop_front().map(|oldest| elicitations.remove(&oldest));
        }
        let id: Arc<str> = id.into();
        listener.elicitations.push_back(Arc::clone(&id));
        elicitations.insert(id, key);
    }

    /// Notifies the session that waits for the URL elicitation `id`. Returns whether there is one.
    pub(super) fn complete_elicitation(&self, id: &str) -> bool {
        let mut listeners = self.write();
        let Listeners { all, elicitations, .. } = &mut *listeners;
        let Some((id, key)) = elicitations.remove_entry(id) else { return false };
        let Some(listener) = all.get_mut(&key) else { return false };
        listener.elicitations.retain(|pending| *pending != id);
        let subscriber = Arc::clone(&listener.subscriber);
        drop(listeners);
        if subscriber.enqueue_elicitation(&id) {
            subscriber.wake();
        }
        true
    }

    /// Removes a listener and all its subscriptions.
    pub(super) fn unregister(&self, key: u64) {
        let mut listeners = self.write();
        let Listeners { all, by_uri, elicitations, .. } = &mut *listeners;
        let Some(listener) = all.remove(&key) else { return };
        for id in &listener.elicitations {
            elicitations.remove(id);
        }
        for uri in listener.uris.keys() {
            remove_subscriber(by_uri, uri, key);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Listeners> {
        self.listeners.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Listeners> {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listeners {
    /// Queues an update of `uri` for the subscribers of `uri` and its ancestors; returns those to wake.
    fn enqueue_resource(&self, uri: &Arc<str>) -> Vec<Arc<Subscriber>> {
        if self.by_uri.is_empty() {
            return Vec::new();
        }
        // A subscriber of both a parent and a child is notified once.
        let mut notified = HashSet::new();
        let mut to_wake = Vec::new();
        let key_of_uri = uri_key(uri);
        for ancestor in uri_ancestors(&key_of_uri) {
            for (key, UriSubscriber { subscriber, uri: subscribed }) in self.by_uri.get(ancestor).into_iter().flatten()
            {
                // The client compares the URI with the one that it subscribed to.
                let uri = if *ancestor == *key_of_uri { subscribed } else { uri };
                if notified.insert(*key) && subscriber.enqueue_resource(uri, subscribed) {
                    to_wake.push(Arc::clone(subscriber));
                }
            }
        }
        to_wake
    }
}

/// Returns the bytes that a subscribed URI occupies.
fn size(key: &str, uri: &str) -> usize {
    if key == uri { uri.len() } else { key.len() + uri.len() }
}

/// Removes a subscriber of `uri`, and the entry of `uri` if it was the last one.
fn remove_subscriber(by_uri: &mut HashMap<Arc<str>, HashMap<u64, UriSubscriber>>, uri: &str, key: u64) {
    if let Some(subscribers) = by_uri.get_mut(uri) {
        subscribers.remove(&key);
        if subscribers.is_empty() {
            by_uri.remove(uri);
        }
    }
}

#[cfg(test)]
impl Broadcaster {
    /// Returns the number of subscribers and of subscribed URIs.
    pub(super) fn size(&self) -> (usize, usize) {
        let listeners = self.read();
        (listeners.all.len(), listeners.by_uri.len())
    }
}
