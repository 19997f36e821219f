//! A listener's end of the hub.

use std::sync::Arc;

use ferromcp_core::{Error, Meta, ServerNotification};

use super::change::Kinds;
use super::hub::Hub;
use super::slot::Slot;
use crate::limits::Limits;

/// A listener's end. Dropping the last handle ends the listening.
pub(crate) struct Mailbox {
    hub: Arc<Hub>,
    key: u64,
    slot: Arc<Slot>,
    /// What each notification carries.
    meta: Meta,
}

impl Hub {
    /// A listener of all lists: a legacy session.
    pub(crate) fn join(self: &Arc<Self>) -> Arc<Mailbox> {
        Arc::new(self.listen(Kinds::ALL, Meta::new()))
    }

    /// A listener of `kinds` whose notifications carry `meta`.
    pub(crate) fn listen(self: &Arc<Self>, kinds: Kinds, meta: Meta) -> Mailbox {
        let (key, slot) = self.enter(kinds);
        Mailbox { hub: Arc::clone(self), key, slot, meta }
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
            self.slot.woken().await;
        }
    }

    /// The next change, if there is one already.
    pub(crate) fn try_next(&self) -> Option<ServerNotification> {
        self.slot.take().map(|change| change.told(self.meta.clone()))
    }

    /// Watches `uri`, and what lies below it, from now on; doing so again changes nothing.
    ///
    /// # Errors
    /// -32602 when it would be more than the limits allow.
    pub(crate) fn subscribe(&self, uri: &str, limits: &Limits) -> Result<(), Error> {
        self.hub.watch(self.key, uri, limits)
    }

    /// Watches `uri` no longer.
    pub(crate) fn unsubscribe(&self, uri: &str) {
        self.hub.unwatch(self.key, uri);
    }

    /// Is to hear when the visit known by `id` is over.
    pub(crate) fn awaits(&self, id: &str) {
        self.hub.await_visit(self.key, id);
    }

    /// Hears of no lists but `kinds` from now on.
    pub(crate) fn hear_only(&self, kinds: Kinds) {
        self.slot.hear_only(kinds);
    }

    /// Hears nothing more, whoever else has a handle.
    pub(crate) fn leave(&self) {
        self.hub.leave(self.key);
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.leave();
    }
}
