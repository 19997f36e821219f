//! [`Mailbox`]: the receiving end of a subscriber.

use std::sync::{Arc, Mutex, PoisonError};

use ferromcp_core::{Error, Meta, ServerNotification};

use super::broadcaster::Broadcaster;
use super::change::{Change, ListKinds};
use super::subscriber::Subscriber;
use crate::limits::ServerLimits;

/// The receiving end of a subscriber. Dropping it unsubscribes.
pub(crate) struct Mailbox {
    broadcaster: Arc<Broadcaster>,
    key: u64,
    subscriber: Arc<Subscriber>,
    /// The `_meta` of each notification.
    meta: Meta,
    /// Selects the resources whose updates the client may receive. `None`: all.
    filter: Mutex<Option<UriFilter>>,
}

/// Returns whether a client may receive updates of a resource.
pub(crate) type UriFilter = Arc<dyn Fn(&str) -> bool + Send + Sync>;

impl Broadcaster {
    /// Creates the mailbox of a session, which is subscribed to all lists.
    pub(crate) fn open_session(self: &Arc<Self>) -> Arc<Mailbox> {
        Arc::new(self.listen(ListKinds::ALL, Meta::new()))
    }

    /// Creates a mailbox that is subscribed to the lists in `kinds`, with `meta` in each notification.
    pub(crate) fn listen(self: &Arc<Self>, kinds: ListKinds, meta: Meta) -> Mailbox {
        let (key, subscriber) = self.register(kinds);
        Mailbox { broadcaster: Arc::clone(self), key, subscriber, meta, filter: Mutex::default() }
    }
}

impl Mailbox {
    /// Waits for the next change. With several waiting tasks, each change is delivered to one of them.
    ///
    /// # Cancellation safety
    /// If the future is dropped before it completes, no change is lost.
    pub(crate) async fn next(&self) -> ServerNotification {
        loop {
            if let Some(notification) = self.try_next() {
                return notification;
            }
            self.subscriber.woken().await;
        }
    }

    /// Waits for the next change, for a stream whose filter replaces that of the mailbox. A change that the filter does not
    /// select is dropped.
    ///
    /// # Cancellation safety
    /// As for [`next`](Self::next).
    pub(crate) async fn next_of(&self, filter: &UriFilter) -> ServerNotification {
        loop {
            if let Some(notification) = self.take(|uri| filter(uri)) {
                return notification;
            }
            self.subscriber.woken().await;
        }
    }

    /// Returns the next change, if one is queued.
    pub(crate) fn try_next(&self) -> Option<ServerNotification> {
        self.take(|uri| {
            let filter = self.filter.lock().unwrap_or_else(PoisonError::into_inner).clone();
            filter.is_none_or(|filter| filter(uri))
        })
    }

    /// Returns the next change. Drops updates of resources that are not visible.
    fn take(&self, is_visible: impl Fn(&str) -> bool) -> Option<ServerNotification> {
        loop {
            let change = self.subscriber.take()?;
            if !matches!(&change, Change::Resource(uri) if !is_visible(uri)) {
                return Some(change.into_notification(self.meta.clone()));
            }
        }
    }

    /// Selects the resources whose updates the client may receive. A subscription to a URI includes its descendants, which
    /// may require other scopes.
    pub(crate) fn filter_resources(&self, filter: Option<UriFilter>) {
        *self.filter.lock().unwrap_or_else(PoisonError::into_inner) = filter;
    }

    /// Subscribes to `uri` and its descendants. Has no effect if already subscribed.
    ///
    /// # Errors
    /// Returns -32602 if the subscription exceeds `limits`.
    pub(crate) fn subscribe(&self, uri: &str, limits: &ServerLimits) -> Result<(), Error> {
        self.broadcaster.subscribe(self.key, uri, limits)
    }

    /// Unsubscribes from `uri` and removes its queued updates.
    pub(crate) fn unsubscribe(&self, uri: &str) {
        self.broadcaster.unsubscribe(self.key, uri);
    }

    /// Registers for the completion of the URL elicitation `id`.
    pub(crate) fn expect_elicitation(&self, id: &str) {
        self.broadcaster.expect_elicitation(self.key, id);
    }

    /// Restricts list notifications to `kinds`.
    pub(crate) fn restrict_to(&self, kinds: ListKinds) {
        self.subscriber.restrict_to(kinds);
    }

    /// Ends all subscriptions, even if other references to the mailbox exist.
    pub(crate) fn close(&self) {
        self.broadcaster.unregister(self.key);
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.close();
    }
}
