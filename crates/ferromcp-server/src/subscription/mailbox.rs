//! A listener's end of the broadcaster.

use std::sync::Arc;

use ferromcp_core::{Error, Meta, ServerNotification};

use super::change::ListKinds;
use super::broadcaster::Broadcaster;
use super::subscriber::Subscriber;
use crate::limits::Limits;

/// A listener's end. Dropping the last handle ends the listening.
pub(crate) struct Mailbox {
    broadcaster: Arc<Broadcaster>,
    key: u64,
    subscriber: Arc<Subscriber>,
    /// What each notification carries.
    meta: Meta,
}

impl Broadcaster {
    /// A listener of all lists: a legacy session.
    pub(crate) fn join(self: &Arc<Self>) -> Arc<Mailbox> {
        Arc::new(self.listen(ListKinds::ALL, Meta::new()))
    }

    /// A listener of `kinds` whose notifications carry `meta`.
    pub(crate) fn listen(self: &Arc<Self>, kinds: ListKinds, meta: Meta) -> Mailbox {
        let (key, subscriber) = self.enter(kinds);
        Mailbox { broadcaster: Arc::clone(self), key, subscriber, meta }
    }
}

impl Mailbox {
    /// Waits for the next change. When several wait, each change goes to one of them; one that stops
    /// waiting loses nothing.
    pub(crate) async fn next(&self) -> ServerNotification {
        loop {
            if let Some(notification) = self.try_next() {
                return notification;
            }
            self.subscriber.woken().await;
        }
    }

    /// The next change, if there is one already.
    pub(crate) fn try_next(&self) -> Option<ServerNotification> {
        self.subscriber.take().map(|change| change.into_notification(self.meta.clone()))
    }

    /// Watches `uri`, and what lies below it, from now on; doing so again changes nothing.
    ///
    /// # Errors
    /// -32602 when it would be more than the limits allow.
    pub(crate) fn subscribe(&self, uri: &str, limits: &Limits) -> Result<(), Error> {
        self.broadcaster.watch(self.key, uri, limits)
    }

    /// Watches `uri` no longer.
    pub(crate) fn unsubscribe(&self, uri: &str) {
        self.broadcaster.unwatch(self.key, uri);
    }

    /// Is to hear when the visit known by `id` is over.
    pub(crate) fn expect_elicitation(&self, id: &str) {
        self.broadcaster.expect_elicitation(self.key, id);
    }

    /// Hears of no lists but `kinds` from now on.
    pub(crate) fn restrict_to(&self, kinds: ListKinds) {
        self.subscriber.restrict_to(kinds);
    }

    /// Hears nothing more, whoever else has a handle.
    pub(crate) fn leave(&self) {
        self.broadcaster.leave(self.key);
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.leave();
    }
}
