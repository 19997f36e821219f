//! The one place that lists_wanted of every change, and knows who listens to what.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ferromcp_core::Error;

use super::change::{Change, ListKinds};
use super::uri_ancestors::uri_ancestors;
use super::subscriber::Subscriber;
use crate::limits::Limits;

/// The most elicitations to URLs whose end one session awaits.
const MAX_PENDING_ELICITATIONS: usize = 256;

/// All listeners of a server.
#[derive(Default)]
pub(crate) struct Broadcaster {
    listeners: RwLock<Listeners>,
}

#[derive(Default)]
struct Listeners {
    all: HashMap<u64, Listener>,
    /// Those who watch a URI, so that an update is a few look-ups however many listen.
    by_uri: HashMap<Arc<str>, HashMap<u64, Arc<Subscriber>>>,
    /// Who awaits the end of a visit, by its id.
    elicitations: HashMap<Arc<str>, u64>,
    /// The key of the last one.
    last: u64,
}

struct Listener {
    subscriber: Arc<Subscriber>,
    watched: HashSet<Arc<str>>,
    /// Of all the URIs watched.
    bytes: usize,
    /// The elicitations whose end it awaits, the oldest first.
    elicitations: VecDeque<Arc<str>>,
}

impl Broadcaster {
    /// Makes a place for a listener of `kinds`, known by the key.
    pub(super) fn enter(&self, kinds: ListKinds) -> (u64, Arc<Subscriber>) {
        let subscriber = Arc::new(Subscriber::new(kinds));
        let mut listeners = self.write();
        listeners.last += 1;
        let key = listeners.last;
        listeners.all.insert(
            key,
            Listener { subscriber: Arc::clone(&subscriber), watched: HashSet::new(), bytes: 0, elicitations: VecDeque::new() },
        );
        (key, subscriber)
    }

    /// Tells all whom it concerns of a change.
    #[allow(clippy::needless_pass_by_value, reason = "who tells of a change is done with it")]
    pub(crate) fn notify(&self, change: Change) {
        // They are woken without the lock: what a waker does is not ours to know.
        for subscriber in self.put(&change) {
            subscriber.wake();
        }
    }

    /// Puts a change into every mailbox it concerns, and returns those that were empty.
    fn put(&self, change: &Change) -> Vec<Arc<Subscriber>> {
        let listeners = self.read();
        let Some(list) = change.list() else {
            return match change {
                Change::Resource(uri) => listeners.put_resource(uri),
                _ => Vec::new(),
            };
        };
        let subscribers = listeners.all.values().map(|listener| &listener.subscriber);
        subscribers.filter(|subscriber| subscriber.put_list(change, list)).cloned().collect()
    }

    /// Whether anybody watches `uri` or something it is a part of.
    pub(crate) fn is_watched(&self, uri: &str) -> bool {
        let listeners = self.read();
        !listeners.by_uri.is_empty() && uri_ancestors(uri).any(|part| listeners.by_uri.contains_key(part))
    }

    pub(super) fn watch(&self, key: u64, uri: &str, limits: &Limits) -> Result<(), Error> {
        let mut listeners = self.write();
        let Listeners { all, by_uri, .. } = &mut *listeners;
        let Some(listener) = all.get_mut(&key) else { return Ok(()) }; // it left, and lists_wanted nothing anyway
        if listener.watched.contains(uri) {
            return Ok(());
        }
        if listener.watched.len() >= limits.subscriptions {
            let most = limits.subscriptions;
            return Err(Error::invalid_params(format!("Too many resources are watched; at most {most}")));
        }
        if listener.bytes.saturating_add(uri.len()) > limits.subscription_bytes {
            let most = limits.subscription_bytes;
            return Err(Error::invalid_params(format!("The URIs watched are too long; at most {most} bytes in all")));
        }
        let uri = by_uri.get_key_value(uri).map_or_else(|| Arc::from(uri), |(known, _)| Arc::clone(known));
        listener.bytes += uri.len();
        listener.watched.insert(Arc::clone(&uri));
        by_uri.entry(uri).or_default().insert(key, Arc::clone(&listener.subscriber));
        Ok(())
    }

    pub(super) fn unwatch(&self, key: u64, uri: &str) {
        let mut listeners = self.write();
        let Listeners { all, by_uri, .. } = &mut *listeners;
        let Some(listener) = all.get_mut(&key) else { return };
        if listener.watched.remove(uri) {
            listener.bytes -= uri.len();
            forget(by_uri, uri, key);
            // What waits already is not to come after the answer.
            listener.subscriber.keep(|waiting| uri_ancestors(waiting).any(|part| listener.watched.contains(part)));
        }
    }

    /// The listener is to hear when the visit known by `id` is over. It awaits only so many; the oldest are forgotten.
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

    /// Tells who awaits it, and nobody else, that the visit known by `id` is over. Says whether anybody did.
    pub(super) fn complete_elicitation(&self, id: &str) -> bool {
        let mut listeners = self.write();
        let Listeners { all, elicitations, .. } = &mut *listeners;
        let Some((id, key)) = elicitations.remove_entry(id) else { return false };
        let Some(listener) = all.get_mut(&key) else { return false };
        listener.elicitations.retain(|visit| *visit != id);
        let subscriber = Arc::clone(&listener.subscriber);
        drop(listeners);
        if subscriber.put_elicitation(&id) {
            subscriber.wake();
        }
        true
    }

    pub(super) fn leave(&self, key: u64) {
        let mut listeners = self.write();
        let Listeners { all, by_uri, elicitations, .. } = &mut *listeners;
        let Some(listener) = all.remove(&key) else { return };
        for visit in &listener.elicitations {
            elicitations.remove(visit);
        }
        for uri in &listener.watched {
            forget(by_uri, uri, key);
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
    fn put_resource(&self, uri: &Arc<str>) -> Vec<Arc<Subscriber>> {
        if self.by_uri.is_empty() {
            return Vec::new();
        }
        // One who watches both a folder and something in it is told once.
        let mut told = HashSet::new();
        let mut woken = Vec::new();
        for (watched, watchers) in uri_ancestors(uri).filter_map(|part| self.by_uri.get_key_value(part)) {
            for (key, subscriber) in watchers {
                if told.insert(*key) && subscriber.put_resource(uri, watched) {
                    woken.push(Arc::clone(subscriber));
                }
            }
        }
        woken
    }
}

fn forget(by_uri: &mut HashMap<Arc<str>, HashMap<u64, Arc<Subscriber>>>, uri: &str, key: u64) {
    if let Some(watchers) = by_uri.get_mut(uri) {
        watchers.remove(&key);
        if watchers.is_empty() {
            by_uri.remove(uri);
        }
    }
}

#[cfg(test)]
impl Broadcaster {
    /// How many listen, and how many URIs are watched.
    pub(super) fn size(&self) -> (usize, usize) {
        let listeners = self.read();
        (listeners.all.len(), listeners.by_uri.len())
    }
}
