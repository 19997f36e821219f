//! Change notifications of the servers, and subscriptions to their resources.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ferromcp_client::{Change, ChangeFilter, Client, Subscription};
use ferromcp_core::Error;
use ferromcp_core::text::excerpt;
use ferromcp_server::ChangeNotifier;
use tokio::task::AbortHandle;
use tokio::time::timeout_at;

use super::members::{Members, to_error};

/// Maximum number of subscribed resources of all clients. A client has at most 64 subscriptions, also of lists.
const MAX_RESOURCES: usize = 60;

/// Grace period for a client to subscribe, after the subscription to the server has started.
const SUBSCRIBE_TIME: Duration = Duration::from_secs(2);

/// Forwards the changes of the servers.
pub(super) struct Changes {
    notifier: ChangeNotifier,
    resources: Resources,
    lists: Mutex<Vec<AbortHandle>>,
    /// Resources with subscribers that a server has rejected after it replaced another one.
    lost: Mutex<HashSet<String>>,
}

/// The subscribed resources, each with the task that forwards its changes.
#[derive(Default)]
struct Resources(Mutex<HashMap<String, Forwarding>>);

/// The task that forwards the changes of a resource.
struct Forwarding {
    task: AbortHandle,
    started: Instant,
}

impl Forwarding {
    /// Returns whether a client has subscribed, or may still do so.
    fn is_used(&self, uri: &str, notifier: &ChangeNotifier) -> bool {
        self.started.elapsed() < SUBSCRIBE_TIME || notifier.has_subscribers(uri)
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends the subscriptions of resources without subscribers when it is dropped.
pub(super) struct Interest<'a> {
    changes: &'a Changes,
    uris: Vec<String>,
}

impl Drop for Interest<'_> {
    fn drop(&mut self) {
        for uri in &self.uris {
            if !self.changes.notifier.has_subscribers(uri) {
                self.changes.resources.remove(uri);
            }
        }
    }
}

impl Resources {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Forwarding>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, uri: &str) {
        self.lock().remove(uri);
    }

    /// Ends the subscriptions without subscribers: a session that has ended does not unsubscribe.
    fn sweep(&self, notifier: &ChangeNotifier) {
        self.lock().retain(|uri, it| it.is_used(uri, notifier) && !it.task.is_finished());
    }
}

impl Changes {
    /// Starts to forward the changes of lists.
    pub(super) fn start(notifier: &ChangeNotifier, members: &Members) -> Self {
        let lists = Mutex::new(subscribe(notifier, members));
        Self { lists, notifier: notifier.clone(), resources: Resources::default(), lost: Mutex::default() }
    }

    /// Forwards the changes of other servers, and notifies all clients that the lists and resources may have changed. A resource
    /// that cannot be subscribed to before `deadline` is tried again with the next servers.
    pub(super) async fn restart(&self, members: &Members, deadline: tokio::time::Instant) {
        self.stop_lists();
        *self.lists.lock().unwrap_or_else(PoisonError::into_inner) = subscribe(&self.notifier, members);
        let watched = std::mem::take(&mut *self.resources.lock());
        let mut wanted = std::mem::take(&mut *self.lost.lock().unwrap_or_else(PoisonError::into_inner));
        wanted.retain(|uri| self.notifier.has_subscribers(uri));
        wanted.extend(watched.iter().filter(|(uri, it)| it.is_used(uri, &self.notifier)).map(|(uri, _)| uri.clone()));
        drop(watched);
        self.notifier.tools_changed();
        self.notifier.prompts_changed();
        self.notifier.resources_changed();
        for uri in wanted {
            let subscribing = async {
                let member = members.of_resource(&uri).await?;
                self.watch(&member.client, &uri).await
            };
            let subscribed = timeout_at(deadline, subscribing).await;
            match subscribed.unwrap_or_else(|_| Err(Error::internal("the server does not respond"))) {
                Ok(()) => self.notifier.resource_updated(uri),
                Err(error) => {
                    tracing::warn!(uri = %excerpt(&uri), %error, "cannot subscribe to a resource again");
                    self.lost.lock().unwrap_or_else(PoisonError::into_inner).insert(uri);
                }
            }
        }
    }

    /// Ends the subscription to a resource.
    pub(super) fn forget(&self, uri: &str) {
        self.resources.remove(uri);
    }

    /// Stops to forward the changes of lists.
    pub(super) fn stop_lists(&self) {
        let lists = std::mem::take(&mut *self.lists.lock().unwrap_or_else(PoisonError::into_inner));
        lists.iter().for_each(AbortHandle::abort);
    }

    /// Subscribes to a resource, unless it is subscribed already.
    ///
    /// # Errors
    /// Fails if the server rejects the subscription, or too many resources are subscribed.
    pub(super) async fn watch(&self, client: &Client, uri: &str) -> Result<(), Error> {
        self.resources.sweep(&self.notifier);
        {
            let resources = self.resources.lock();
            if resources.contains_key(uri) {
                return Ok(());
            }
            if resources.len() >= MAX_RESOURCES {
                let message =
                    format!("cannot subscribe: {MAX_RESOURCES} resources are subscribed already; unsubscribe first");
                return Err(Error::internal(message));
            }
        }
        let mut subscription =
            client.subscribe(ChangeFilter::new().resource(uri)).await.map_err(|error| to_error(&error))?;
        let (notifier, watched) = (self.notifier.clone(), uri.to_owned());
        let task = tokio::spawn(async move {
            while let Some(Ok(change)) = subscription.next().await {
                match change {
                    Change::Resource(uri) => notifier.resource_updated(uri),
                    _ => notifier.resource_updated(&watched),
                }
            }
        });
        let forwarding = Forwarding { task: task.abort_handle(), started: Instant::now() };
        self.resources.lock().insert(uri.to_owned(), forwarding);
        Ok(())
    }

    /// Returns a guard that ends the subscriptions of these resources if they have no subscribers.
    pub(super) fn interest(&self, uris: Vec<String>) -> Interest<'_> {
        Interest { changes: self, uris }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.stop_lists();
    }
}

/// Starts a task for each server that sends changes of lists.
fn subscribe(notifier: &ChangeNotifier, members: &Members) -> Vec<AbortHandle> {
    let tasks = members.iter().filter_map(|member| {
        let filter = list_filter(&member.client);
        (!filter.is_empty()).then(|| {
            let (client, notifier, members) = (member.client.clone(), notifier.clone(), members.clone());
            let forward = async move {
                match client.subscribe(filter).await {
                    Ok(subscription) => forward_lists(subscription, &notifier, &members).await,
                    Err(error) => tracing::warn!(%error, "cannot subscribe to the lists of a server"),
                }
            };
            tokio::spawn(forward).abort_handle()
        })
    });
    tasks.collect()
}

/// Returns the filter of the lists whose changes a server sends.
pub(crate) fn list_filter(client: &Client) -> ChangeFilter {
    let capabilities = client.capabilities();
    let sends = |changes: Option<bool>| changes == Some(true);
    let mut filter = ChangeFilter::new();
    if capabilities.tools.is_some_and(|list| sends(list.list_changed)) {
        filter = filter.tools();
    }
    if capabilities.prompts.is_some_and(|list| sends(list.list_changed)) {
        filter = filter.prompts();
    }
    if capabilities.resources.is_some_and(|list| sends(list.list_changed)) {
        filter = filter.resources();
    }
    filter
}

/// Forwards changes until the subscription ends.
async fn forward_lists(mut subscription: Subscription, notifier: &ChangeNotifier, members: &Members) {
    while let Some(change) = subscription.next().await {
        match change {
            Ok(Change::Tools) => notifier.tools_changed(),
            Ok(Change::Prompts) => notifier.prompts_changed(),
            Ok(Change::Resources) => {
                members.forget_resources();
                notifier.resources_changed();
            }
            Ok(Change::Gap) => {
                // Notifications of lists without the capability are not sent.
                members.forget_resources();
                notifier.tools_changed();
                notifier.prompts_changed();
                notifier.resources_changed();
            }
            Ok(_) => {}
            Err(error) => return tracing::warn!(%error, "changes of a server are no longer forwarded"),
        }
    }
}
