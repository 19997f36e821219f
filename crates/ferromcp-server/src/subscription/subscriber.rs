//! [`Subscriber`]: the queue of changes for one mailbox.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::change::{Change, ListKinds};

/// Maximum number of descendants queued under their own URIs. Further changes are reported with the subscribed URI, so
/// that the queue stays bounded for large directories.
const MAX_DESCENDANTS: usize = 256;

/// Maximum number of queued completions of URL elicitations; further ones are dropped. A session whose client never
/// opens its stream would otherwise collect them.
const MAX_ELICITATIONS: usize = 256;

/// Queues with a larger capacity are deallocated once they are empty.
const MAX_RETAINED_CAPACITY: usize = 64;

/// The queue of a mailbox, as used by the broadcaster.
pub(super) struct Subscriber {
    pending: Mutex<PendingChanges>,
    wake: Notify,
}

struct PendingChanges {
    /// The subscribed lists.
    subscribed_lists: ListKinds,
    queue: VecDeque<Change>,
    /// The lists in the queue.
    queued_lists: ListKinds,
    /// The URIs in the queue.
    queued_uris: HashSet<Arc<str>>,
    /// The number of completed URL elicitations in the queue.
    queued_elicitations: usize,
}

impl Subscriber {
    pub(super) fn new(subscribed_lists: ListKinds) -> Self {
        let pending = PendingChanges {
            subscribed_lists,
            queue: VecDeque::new(),
            queued_lists: ListKinds::NONE,
            queued_uris: HashSet::new(),
            queued_elicitations: 0,
        };
        Self { pending: Mutex::new(pending), wake: Notify::new() }
    }

    /// Queues a list change. Returns whether a waiter must be woken.
    ///
    /// If the queue was not empty, no wakeup is needed: a reader that takes a change wakes the next one.
    pub(super) fn enqueue_list(&self, change: &Change, list: ListKinds) -> bool {
        let mut pending = self.lock();
        if !pending.subscribed_lists.has(list) || pending.queued_lists.has(list) {
            return false;
        }
        pending.queued_lists = pending.queued_lists.and(list);
        pending.push(change.clone())
    }

    /// Queues an update of `uri`, which is `subscribed` or its descendant. Returns whether a waiter must be woken.
    pub(super) fn enqueue_resource(&self, uri: &Arc<str>, subscribed: &Arc<str>) -> bool {
        let mut pending = self.lock();
        let uri = if pending.queued_uris.len() < MAX_DESCENDANTS { uri } else { subscribed };
        pending.queued_uris.insert(Arc::clone(uri)) && pending.push(Change::Resource(Arc::clone(uri)))
    }

    /// Queues the completion of a URL elicitation. Returns whether a waiter must be woken.
    pub(super) fn enqueue_elicitation(&self, id: &Arc<str>) -> bool {
        let mut pending = self.lock();
        if pending.queued_elicitations >= MAX_ELICITATIONS {
            tracing::debug!(limit = MAX_ELICITATIONS, "dropped the completion of a URL elicitation");
            return false;
        }
        pending.queued_elicitations += 1;
        pending.push(Change::ElicitationComplete(Arc::clone(id)))
    }

    /// Wakes all waiters, or the next one to arrive.
    ///
    /// Waking only one is not enough: it may belong to a connection whose client does not read, and would then never
    /// take the change.
    pub(super) fn wake(&self) {
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    /// Waits for a wakeup.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Removes queued resource updates that are not `wanted`.
    pub(super) fn retain_resources(&self, wanted: impl Fn(&str) -> bool) {
        self.lock().retain(|change| !matches!(change, Change::Resource(uri) if !wanted(uri)));
    }

    /// Restricts list notifications to `kinds` and removes the others from the queue.
    pub(super) fn restrict_to(&self, kinds: ListKinds) {
        let mut pending = self.lock();
        pending.subscribed_lists = kinds;
        pending.retain(|change| change.list().is_none_or(|list| kinds.has(list)));
    }

    /// Removes the first change. If more are queued, passes the wakeup on.
    pub(super) fn take(&self) -> Option<Change> {
        let (change, more) = self.lock().pop()?;
        if more {
            self.wake();
        }
        Some(change)
    }

    fn lock(&self) -> MutexGuard<'_, PendingChanges> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PendingChanges {
    /// Appends a change; returns whether it is the first.
    fn push(&mut self, change: Change) -> bool {
        self.queue.push_back(change);
        self.queue.len() == 1
    }

    /// Removes the first change; returns it and whether more are queued.
    fn pop(&mut self) -> Option<(Change, bool)> {
        let change = self.queue.pop_front()?;
        self.unmark(&change);
        let more = !self.queue.is_empty();
        if !more && self.queue.capacity() > MAX_RETAINED_CAPACITY {
            (self.queue, self.queued_uris) = (VecDeque::new(), HashSet::new());
        }
        Some((change, more))
    }

    /// Keeps only the changes that are `wanted`.
    fn retain(&mut self, wanted: impl Fn(&Change) -> bool) {
        let (retained, removed) = std::mem::take(&mut self.queue).into_iter().partition(wanted);
        self.queue = retained;
        let removed: VecDeque<Change> = removed;
        for change in &removed {
            self.unmark(change);
        }
    }

    /// Removes a change from the sets of queued lists and URIs.
    fn unmark(&mut self, change: &Change) {
        match change {
            Change::Resource(uri) => drop(self.queued_uris.remove(uri)),
            Change::ElicitationComplete(_) => self.queued_elicitations -= 1,
            list => self.queued_lists = self.queued_lists.without(list.list().unwrap_or_default()),
        }
    }
}
