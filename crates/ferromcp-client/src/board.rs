//! Where everything a server says of its own accord finds its listener: progress its call, changes their
//! subscriptions, logs the application.
//!
//! One board serves a client for its whole life, however often its connection is made anew: tokens and subscription
//! ids are never used twice, so what comes late finds nobody.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::meta::key;
use ferromcp_core::model::ProgressParams;
use ferromcp_core::{Meta, RequestId, ServerNotification};
use tokio::sync::{Notify, watch};

use crate::handler::Handlers;
use crate::results::Results;
use crate::subscription::change::Change;
use crate::subscription::mailbox::Mailbox;

/// How far a call has come.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// How far.
    pub progress: f64,
    /// How far it will go, where known.
    pub total: Option<f64>,
    /// Text for people.
    pub message: Option<String>,
}

/// Hears of a call's progress; called where messages are read, so it must not block.
pub(crate) type ProgressListener = Arc<dyn Fn(Progress) + Send + Sync>;

/// The signs of life of one call.
#[derive(Default)]
pub(crate) struct Pulse {
    /// Something was heard.
    pub(crate) beat: Notify,
    listener: Option<ProgressListener>,
}

impl Pulse {
    pub(crate) fn new(listener: Option<ProgressListener>) -> Self {
        Self { beat: Notify::new(), listener }
    }
}

/// The board.
pub(crate) struct Board {
    lists: Mutex<Lists>,
    pub(crate) handlers: Handlers,
    pub(crate) results: Option<Arc<dyn Results>>,
    /// Changes that were told of, so that a result which crossed one is known to be old.
    changes: AtomicU64,
    /// Those of the list of tools alone.
    edition: AtomicU64,
    /// How many questions of the server are being answered; meanwhile no call is late.
    pub(crate) asking: watch::Sender<usize>,
}

#[derive(Default)]
struct Lists {
    pulses: HashMap<RequestId, Arc<Pulse>>,
    /// Modern subscriptions by their id.
    listens: HashMap<RequestId, Arc<Mailbox>>,
    /// Legacy ones, which hear of everything.
    hearers: Vec<Arc<Mailbox>>,
    /// Who waits for the end of an elicitation by URL.
    completions: Vec<(String, Arc<Notify>)>,
}

impl Board {
    pub(crate) fn new(handlers: Handlers, results: Option<Arc<dyn Results>>) -> Self {
        let asking = watch::Sender::new(0);
        let (changes, edition) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { lists: Mutex::default(), handlers, results, changes, edition, asking }
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens to the progress of the request `id`, whose token is its id, until the guard is dropped.
    pub(crate) fn pulse(self: &Arc<Self>, id: &RequestId, pulse: Arc<Pulse>) -> Pinned {
        self.lists().pulses.insert(id.clone(), pulse);
        Pinned { board: Arc::clone(self), what: What::Pulse(id.clone()) }
    }

    /// The request `id` is answered; its progress is over.
    pub(crate) fn done(&self, id: &RequestId) {
        self.lists().pulses.remove(id);
    }

    /// Delivers what comes under the subscription `id`, until the guard is dropped.
    pub(crate) fn listen(self: &Arc<Self>, id: &RequestId, mailbox: Arc<Mailbox>) -> Pinned {
        self.lists().listens.insert(id.clone(), mailbox);
        Pinned { board: Arc::clone(self), what: What::Listen(id.clone()) }
    }

    /// Delivers all changes, until the guard is dropped.
    pub(crate) fn hear(self: &Arc<Self>, mailbox: Arc<Mailbox>) -> Pinned {
        self.lists().hearers.push(Arc::clone(&mailbox));
        Pinned { board: Arc::clone(self), what: What::Hear(mailbox) }
    }

    /// Hears that the elicitation `id` is over, until the guard is dropped.
    pub(crate) fn completion(self: &Arc<Self>, id: &str) -> Completion {
        let over = Arc::new(Notify::new());
        self.lists().completions.push((id.to_owned(), Arc::clone(&over)));
        let pinned = Pinned { board: Arc::clone(self), what: What::Completion(Arc::clone(&over)) };
        Completion { over, _pinned: pinned }
    }

    /// Delivers a notification.
    pub(crate) fn notification(&self, notification: ServerNotification) {
        match notification {
            ServerNotification::Progress(params) => self.progress(params),
            ServerNotification::Message(params) => {
                if let Some(log) = &self.handlers.log {
                    log(params);
                }
            }
            ServerNotification::ToolListChanged(params) => self.changed(Change::Tools, &params.meta),
            ServerNotification::PromptListChanged(params) => self.changed(Change::Prompts, &params.meta),
            ServerNotification::ResourceListChanged(params) => self.changed(Change::Resources, &params.meta),
            ServerNotification::ResourceUpdated(params) => self.changed(Change::Resource(params.uri), &params.meta),
            ServerNotification::Acknowledged(params) => {
                if let Some(mailbox) = self.listener(&params.meta) {
                    mailbox.acknowledge(params.notifications);
                }
            }
            ServerNotification::Cancelled(params) => {
                // The server ends a subscription; it has nothing else to cancel here.
                let mailbox = params.request_id.and_then(|id| self.lists().listens.get(&id).cloned());
                mailbox.inspect(|mailbox| mailbox.hang_up());
            }
            ServerNotification::ElicitationComplete(params) => {
                let lists = self.lists();
                lists
                    .completions
                    .iter()
                    .filter(|(id, _)| *id == params.elicitation_id)
                    .for_each(|(_, over)| over.notify_one());
                drop(lists);
                if let Some(complete) = &self.handlers.elicitation_complete {
                    complete(params.elicitation_id);
                }
            }
            other => tracing::debug!(method = other.method(), "a notification nobody listens to"),
        }
    }

    fn progress(&self, params: ProgressParams) {
        let Some(pulse) = self.lists().pulses.get(&params.progress_token).cloned() else { return };
        pulse.beat.notify_one();
        if let Some(listener) = &pulse.listener {
            listener(Progress { progress: params.progress, total: params.total, message: params.message });
        }
    }

    /// How many changes were told of so far.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Which edition of the list of tools it is, as far as the server tells.
    pub(crate) fn edition(&self) -> u64 {
        self.edition.load(Ordering::Acquire)
    }

    /// The connection was made anew: whatever changed meanwhile was not told.
    pub(crate) fn missed(&self) {
        self.edition.fetch_add(1, Ordering::AcqRel);
        if let Some(results) = &self.results {
            results.changed(&Change::Gap);
        }
    }

    fn changed(&self, change: Change, meta: &Meta) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        if change == Change::Tools {
            self.edition.fetch_add(1, Ordering::AcqRel);
        }
        if let Some(results) = &self.results {
            results.changed(&change);
        }
        if let Some(mailbox) = self.listener(meta) {
            return mailbox.tell(change);
        }
        let hearers = self.lists().hearers.clone();
        for mailbox in hearers {
            mailbox.tell(change.clone());
        }
    }

    fn listener(&self, meta: &Meta) -> Option<Arc<Mailbox>> {
        let id: RequestId = meta.read(key::SUBSCRIPTION_ID)?;
        self.lists().listens.get(&id).cloned()
    }
}

/// Takes a listener off the board when dropped.
pub(crate) struct Pinned {
    board: Arc<Board>,
    what: What,
}

/// The end of an elicitation by URL, to be waited for.
pub(crate) struct Completion {
    over: Arc<Notify>,
    _pinned: Pinned,
}

impl Completion {
    /// Waits for it; once only.
    pub(crate) async fn wait(&self) {
        self.over.notified().await;
    }
}

enum What {
    Pulse(RequestId),
    Listen(RequestId),
    Hear(Arc<Mailbox>),
    Completion(Arc<Notify>),
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let mut lists = self.board.lists();
        match &self.what {
            What::Pulse(id) => drop(lists.pulses.remove(id)),
            What::Listen(id) => drop(lists.listens.remove(id)),
            What::Completion(over) => lists.completions.retain(|(_, other)| !Arc::ptr_eq(other, over)),
            What::Hear(mailbox) => lists.hearers.retain(|hearer| !Arc::ptr_eq(hearer, mailbox)),
        }
    }
}
