//! Where the changes that one listener is to hear of wait for it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::change::{Change, ListKinds};

/// How many parts of watched resources wait under their own URIs. What more of them change is told
/// by the watched URI itself, of which there are only so many: a listener may watch a folder of millions.
const MAX_DESCENDANTS: usize = 256;

/// Queues of more places than this are given back once they are read.
const MAX_RETAINED_CAPACITY: usize = 64;

/// What waits in a mailbox, as the broadcaster sees it.
pub(super) struct Subscriber {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

struct Waiting {
    lists_wanted: ListKinds,
    queue: VecDeque<Change>,
    /// The lists in the queue.
    lists: ListKinds,
    /// The URIs in the queue.
    uris: HashSet<Arc<str>>,
}

impl Subscriber {
    pub(super) fn new(lists_wanted: ListKinds) -> Self {
        let waiting = Waiting { lists_wanted, queue: VecDeque::new(), lists: ListKinds::NONE, uris: HashSet::new() };
        Self { waiting: Mutex::new(waiting), wake: Notify::new() }
    }

    /// Puts in that a list changed. Says whether somebody must be woken: not where something waits
    /// already, for whoever takes that passes the waking on.
    pub(super) fn put_list(&self, change: &Change, list: ListKinds) -> bool {
        let mut waiting = self.lock();
        if !waiting.lists_wanted.has(list) || waiting.lists.has(list) {
            return false;
        }
        waiting.lists = waiting.lists.and(list);
        waiting.push(change.clone())
    }

    /// Puts in that `uri`, `watched` or a part of it, changed. Says whether somebody must be woken.
    pub(super) fn put_resource(&self, uri: &Arc<str>, watched: &Arc<str>) -> bool {
        let mut waiting = self.lock();
        let uri = if waiting.uris.len() < MAX_DESCENDANTS { uri } else { watched };
        waiting.uris.insert(Arc::clone(uri)) && waiting.push(Change::Resource(Arc::clone(uri)))
    }

    /// Puts in that a visit is over. Says whether somebody must be woken.
    pub(super) fn put_elicitation(&self, id: &Arc<str>) -> bool {
        self.lock().push(Change::ElicitationComplete(Arc::clone(id)))
    }

    /// Wakes all who wait, or the next to come. Were it only one, it could be the connection of a client that
    /// reads nothing, which does not come to take anything, and the others would sleep on.
    pub(super) fn wake(&self) {
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    /// Waits to be woken.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Takes out the updates of resources that are not `wanted` any more.
    pub(super) fn keep(&self, wanted: impl Fn(&str) -> bool) {
        self.lock().retain(|change| !matches!(change, Change::Resource(uri) if !wanted(uri)));
    }

    /// Hears of no lists but `kinds` from now on, and forgets the others.
    pub(super) fn restrict_to(&self, kinds: ListKinds) {
        let mut waiting = self.lock();
        waiting.lists_wanted = kinds;
        waiting.retain(|change| change.list().is_none_or(|list| kinds.has(list)));
    }

    /// Takes the first change out. Where there are more, the waking is passed on.
    pub(super) fn take(&self) -> Option<Change> {
        let (change, more) = self.lock().pop()?;
        if more {
            self.wake();
        }
        Some(change)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Puts a change behind the others; says whether it is the first.
    fn push(&mut self, change: Change) -> bool {
        self.queue.push_back(change);
        self.queue.len() == 1
    }

    /// The first change, and whether there are more.
    fn pop(&mut self) -> Option<(Change, bool)> {
        let change = self.queue.pop_front()?;
        self.forget(&change);
        let more = !self.queue.is_empty();
        if !more && self.queue.capacity() > MAX_RETAINED_CAPACITY {
            (self.queue, self.uris) = (VecDeque::new(), HashSet::new());
        }
        Some((change, more))
    }

    fn retain(&mut self, wanted: impl Fn(&Change) -> bool) {
        let (kept, gone) = std::mem::take(&mut self.queue).into_iter().partition(wanted);
        self.queue = kept;
        let gone: VecDeque<Change> = gone;
        for change in &gone {
            self.forget(change);
        }
    }

    fn forget(&mut self, change: &Change) {
        match change {
            Change::Resource(uri) => drop(self.uris.remove(uri)),
            Change::ElicitationComplete(_) => {}
            list => self.lists = self.lists.without(list.list().unwrap_or_default()),
        }
    }
}
