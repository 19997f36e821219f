//! Routes notifications of the server: progress to calls, changes to subscriptions, logs to the application.
//!
//! A client has one router, which outlives its connections. Progress tokens and subscription IDs are never reused, so
//! notifications that arrive late are discarded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::meta::key;
use ferromcp_core::model::ProgressParams;
use ferromcp_core::text::excerpt;
use ferromcp_core::{Meta, RequestId, ServerNotification};
use tokio::sync::{Notify, watch};

use crate::cache::ResultCache;
use crate::decode::sent_id;
use crate::handler::Handlers;
use crate::subscription::change::Change;
use crate::subscription::mailbox::Mailbox;

/// Progress of a call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The current progress value.
    pub progress: f64,
    /// The value at completion, if known.
    pub total: Option<f64>,
    /// Text for display.
    pub message: Option<String>,
}

/// Callback for progress notifications. It is called from the task that reads, so it must not block.
pub(crate) type ProgressListener = Arc<dyn Fn(Progress) + Send + Sync>;

/// Progress state of one call.
#[derive(Default)]
pub(crate) struct CallProgress {
    /// Notified when a progress notification arrives.
    activity: Arc<Notify>,
    listener: Option<ProgressListener>,
}

impl CallProgress {
    pub(crate) fn new(listener: Option<ProgressListener>, activity: Arc<Notify>) -> Self {
        Self { activity, listener }
    }
}

/// Dispatches notifications to registered receivers.
pub(crate) struct NotificationRouter {
    routes: Mutex<Routes>,
    pub(crate) handlers: Handlers,
    pub(crate) cache: Option<ResultCache>,
    /// Number of changes of the list of tools.
    list_version: AtomicU64,
    /// Number of server requests being handled. No call times out in the meantime.
    pub(crate) active_handlers: watch::Sender<usize>,
}

#[derive(Default)]
struct Routes {
    calls: HashMap<RequestId, Arc<CallProgress>>,
    /// Streams of `subscriptions/listen`, by subscription ID.
    streams: HashMap<RequestId, Arc<Mailbox>>,
    /// Subscriptions of legacy revisions, which receive every change.
    listeners: Vec<Arc<Mailbox>>,
    /// Waiters for the completion of URL elicitations.
    completions: Vec<(String, Arc<Notify>)>,
}

impl NotificationRouter {
    pub(crate) fn new(handlers: Handlers, cache: Option<ResultCache>) -> Self {
        let active_handlers = watch::Sender::new(0);
        Self { routes: Mutex::default(), handlers, cache, list_version: AtomicU64::new(0), active_handlers }
    }

    fn routes(&self) -> MutexGuard<'_, Routes> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers the call `id` for progress notifications until the guard is dropped. The progress token is the ID.
    pub(crate) fn register_call(self: &Arc<Self>, id: &RequestId, progress: Arc<CallProgress>) -> Registration {
        self.routes().calls.insert(id.clone(), progress);
        Registration { router: Arc::clone(self), route: Route::Call(id.clone()) }
    }

    /// Removes the call `id`, whose response arrived.
    pub(crate) fn unregister_call(&self, id: &RequestId) {
        self.routes().calls.remove(id);
    }

    /// Delivers notifications of the subscription `id` to `mailbox` until the guard is dropped.
    pub(crate) fn register_stream(self: &Arc<Self>, id: &RequestId, mailbox: Arc<Mailbox>) -> Registration {
        self.routes().streams.insert(id.clone(), mailbox);
        Registration { router: Arc::clone(self), route: Route::Stream(id.clone()) }
    }

    /// Delivers all changes to `mailbox` until the guard is dropped.
    pub(crate) fn register_listener(self: &Arc<Self>, mailbox: Arc<Mailbox>) -> Registration {
        self.routes().listeners.push(Arc::clone(&mailbox));
        Registration { router: Arc::clone(self), route: Route::Listener(mailbox) }
    }

    /// Registers for the completion of the elicitation `id` until the guard is dropped.
    pub(crate) fn register_completion(self: &Arc<Self>, id: &str) -> ElicitationCompletion {
        let completed = Arc::new(Notify::new());
        self.routes().completions.push((id.to_owned(), Arc::clone(&completed)));
        let registration = Registration { router: Arc::clone(self), route: Route::Completion(Arc::clone(&completed)) };
        ElicitationCompletion { completed, _registration: registration }
    }

    /// Dispatches a notification to its receiver.
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
                if let Some(mailbox) = self.stream_mailbox(&params.meta) {
                    mailbox.acknowledge(params.notifications);
                }
            }
            ServerNotification::Cancelled(params) => {
                // The server ends a subscription; nothing else can be cancelled here.
                let mailbox = params.request_id.and_then(|id| self.routes().streams.get(&sent_id(id)).cloned());
                mailbox.inspect(|mailbox| mailbox.mark_closed());
            }
            ServerNotification::ElicitationComplete(params) => {
                let routes = self.routes();
                routes
                    .completions
                    .iter()
                    .filter(|(id, _)| *id == params.elicitation_id)
                    .for_each(|(_, completed)| completed.notify_one());
                drop(routes);
                if let Some(complete) = &self.handlers.elicitation_complete {
                    complete(params.elicitation_id);
                }
            }
            other => tracing::debug!(method = %excerpt(other.method()), "ignored a notification without a receiver"),
        }
    }

    fn progress(&self, params: ProgressParams) {
        let Some(progress) = self.routes().calls.get(&sent_id(params.progress_token)).cloned() else { return };
        progress.activity.notify_one();
        if let Some(listener) = &progress.listener {
            listener(Progress { progress: params.progress, total: params.total, message: params.message });
        }
    }

    /// Returns the version of the list of tools, which each change notification increments.
    pub(crate) fn list_version(&self) -> u64 {
        self.list_version.load(Ordering::Acquire)
    }

    /// Invalidates caches after a reconnect, because changes in between were not notified.
    pub(crate) fn invalidate_after_reconnect(&self) {
        self.list_version.fetch_add(1, Ordering::AcqRel);
        if let Some(cache) = &self.cache {
            cache.invalidate(&Change::Gap);
        }
    }

    fn changed(&self, change: Change, meta: &Meta) {
        if change == Change::Tools {
            self.list_version.fetch_add(1, Ordering::AcqRel);
        }
        if let Some(cache) = &self.cache {
            cache.invalidate(&change);
        }
        if let Some(mailbox) = self.stream_mailbox(meta) {
            return mailbox.push(change);
        }
        let listeners = self.routes().listeners.clone();
        for mailbox in listeners {
            mailbox.push(change.clone());
        }
    }

    fn stream_mailbox(&self, meta: &Meta) -> Option<Arc<Mailbox>> {
        let id: RequestId = meta.read(key::SUBSCRIPTION_ID)?;
        self.routes().streams.get(&sent_id(id)).cloned()
    }
}

/// Removes a receiver from the router when dropped.
pub(crate) struct Registration {
    router: Arc<NotificationRouter>,
    route: Route,
}

/// A pending completion of a URL elicitation.
pub(crate) struct ElicitationCompletion {
    completed: Arc<Notify>,
    _registration: Registration,
}

impl ElicitationCompletion {
    /// Waits for the completion. Returns at most once.
    pub(crate) async fn wait(&self) {
        self.completed.notified().await;
    }
}

enum Route {
    Call(RequestId),
    Stream(RequestId),
    Listener(Arc<Mailbox>),
    Completion(Arc<Notify>),
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut routes = self.router.routes();
        match &self.route {
            Route::Call(id) => drop(routes.calls.remove(id)),
            Route::Stream(id) => drop(routes.streams.remove(id)),
            Route::Completion(completed) => routes.completions.retain(|(_, other)| !Arc::ptr_eq(other, completed)),
            Route::Listener(mailbox) => routes.listeners.retain(|hearer| !Arc::ptr_eq(hearer, mailbox)),
        }
    }
}
