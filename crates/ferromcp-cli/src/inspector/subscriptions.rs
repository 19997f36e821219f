//! Reports changes of lists and resources to the page.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_client::{Change, ChangeFilter, Client, ClientError, Subscription};
use tokio::task::AbortHandle;

use crate::bridge::list_filter;
use crate::record::hub::Hub;

/// Maximum number of subscribed resources of a connection.
const MAX_RESOURCES: usize = 60;

/// The subscriptions of one connection. Dropping it ends them.
pub(super) struct Subscriptions {
    hub: Arc<Hub>,
    connection: &'static str,
    client: Client,
    resources: Mutex<HashMap<String, AbortHandle>>,
    lists: Mutex<Option<AbortHandle>>,
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        self.lock().values().for_each(AbortHandle::abort);
        if let Some(lists) = &*self.lists.lock().unwrap_or_else(PoisonError::into_inner) {
            lists.abort();
        }
    }
}

impl Subscriptions {
    /// Creates the subscriptions of a connection.
    pub(super) fn new(hub: &Arc<Hub>, connection: &'static str, client: &Client) -> Self {
        let (resources, lists) = (Mutex::default(), Mutex::default());
        Self { hub: Arc::clone(hub), connection, client: client.clone(), resources, lists }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, AbortHandle>> {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports changes of the lists that the server declares.
    pub(super) fn watch_lists(&self) {
        let filter = list_filter(&self.client);
        if filter.is_empty() {
            return;
        }
        let (client, hub, connection) = (self.client.clone(), Arc::clone(&self.hub), self.connection);
        let task = tokio::spawn(async move {
            match client.subscribe(filter).await {
                Ok(subscription) => report(&hub, connection, subscription).await,
                Err(error) => hub.log("dev", Some(connection), "warning", None, error.to_string().into()),
            }
        });
        *self.lists.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
    }

    /// Subscribes to a resource, unless it is subscribed already.
    ///
    /// # Errors
    /// Fails if the server rejects the subscription, or too many resources are subscribed.
    pub(super) async fn subscribe(&self, uri: &str) -> Result<(), String> {
        {
            let resources = self.lock();
            if resources.contains_key(uri) {
                return Ok(());
            }
            if resources.len() >= MAX_RESOURCES {
                return Err(format!("{MAX_RESOURCES} resources are subscribed already; unsubscribe first"));
            }
        }
        let subscribing = self.client.subscribe(ChangeFilter::new().resource(uri)).await;
        let subscription = subscribing.map_err(|error: ClientError| error.to_string())?;
        let (hub, connection) = (Arc::clone(&self.hub), self.connection);
        let task = tokio::spawn(async move { report(&hub, connection, subscription).await });
        self.lock().insert(uri.to_owned(), task.abort_handle());
        Ok(())
    }

    /// Ends the subscription to a resource.
    pub(super) fn unsubscribe(&self, uri: &str) {
        if let Some(task) = self.lock().remove(uri) {
            task.abort();
        }
    }

    /// Returns the subscribed resources.
    pub(super) fn uris(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }
}

async fn report(hub: &Hub, connection: &str, mut subscription: Subscription) {
    while let Some(Ok(change)) = subscription.next().await {
        match change {
            Change::Tools => hub.change(connection, "tools", None),
            Change::Prompts => hub.change(connection, "prompts", None),
            Change::Resources => hub.change(connection, "resources", None),
            Change::Resource(uri) => hub.change(connection, "resource", Some(&uri)),
            Change::Gap => ["tools", "prompts", "resources"].iter().for_each(|what| hub.change(connection, what, None)),
            _ => {}
        }
    }
}
