//! Subscriptions on legacy revisions: list changes are sent to every client, resource updates after
//! `resources/subscribe`.

use std::sync::{Arc, PoisonError};

use ferromcp_core::ClientRequest;
use ferromcp_core::model::{ResourceUriParams, ServerCapabilities, SubscriptionFilter};
use tokio::runtime::Handle;

use super::change::ChangeFilter;
use super::listen::Ended;
use super::mailbox::Mailbox;
use crate::engine::connection::Connection;
use crate::engine::{Engine, Options};
use crate::error::{ClientError, ErrorKind};

/// Receives changes until the connection is lost.
pub(super) async fn run(engine: &Arc<Engine>, connection: &Arc<Connection>, mailbox: &Arc<Mailbox>) -> Ended {
    let _registration = engine.router.register_listener(Arc::clone(mailbox));
    let filter = mailbox.filter();
    let mut watched = Vec::with_capacity(filter.uris.len());
    for uri in &filter.uris {
        match Watched::begin(engine, connection, uri).await {
            Ok(watch) => watched.push(watch),
            Err(_) if !connection.is_live() => {
                return Ended::Lost(ClientError::closed("the connection was lost while subscribing"));
            }
            Err(error) => return Ended::Failed(error),
        }
    }
    mailbox.acknowledge(acknowledged_filter(filter, &connection.server_info.capabilities));
    connection.closed().await;
    Ended::Lost(ClientError::new(ErrorKind::ConnectionLost, "connection lost; the subscription ended"))
}

/// Restricts a filter to the notifications that the server declares.
fn acknowledged_filter(filter: &ChangeFilter, capabilities: &ServerCapabilities) -> SubscriptionFilter {
    let is_declared = |list: Option<bool>| list == Some(true);
    let lists = |list: &Option<ferromcp_core::model::ListChanged>| {
        is_declared(list.as_ref().and_then(|list| list.list_changed))
    };
    let resources = is_declared(capabilities.resources.as_ref().and_then(|resources| resources.list_changed));
    let mut acknowledged = filter.to_subscription_filter();
    acknowledged.tools_list_changed = acknowledged.tools_list_changed.filter(|_| lists(&capabilities.tools));
    acknowledged.prompts_list_changed = acknowledged.prompts_list_changed.filter(|_| lists(&capabilities.prompts));
    acknowledged.resources_list_changed = acknowledged.resources_list_changed.filter(|_| resources);
    acknowledged
}

/// A reference-counted `resources/subscribe` of one session; the last drop unsubscribes.
struct Watched {
    engine: Arc<Engine>,
    connection: Arc<Connection>,
    uri: String,
}

impl Watched {
    async fn begin(engine: &Arc<Engine>, connection: &Arc<Connection>, uri: &str) -> Result<Self, ClientError> {
        let before = {
            let mut watched = connection.watched.lock().unwrap_or_else(PoisonError::into_inner);
            let count = watched.entry(uri.to_owned()).or_insert(0);
            *count += 1;
            *count - 1
        };
        let watch = Self { engine: Arc::clone(engine), connection: Arc::clone(connection), uri: uri.to_owned() };
        if before == 0 {
            let request = ClientRequest::Subscribe(ResourceUriParams::new(uri));
            engine.send(&request, &Options::default()).await?;
        }
        Ok(watch)
    }

    /// Decrements the reference count. Returns whether it was the last reference.
    fn release(&self) -> bool {
        let mut watched = self.connection.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = watched.get_mut(&self.uri) else { return false };
        *count = count.saturating_sub(1);
        if *count > 0 {
            return false;
        }
        watched.remove(&self.uri);
        true
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let last = self.release();
        if !last || !self.connection.is_live() || self.engine.is_closed() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let (engine, uri) = (Arc::clone(&self.engine), std::mem::take(&mut self.uri));
        runtime.spawn(async move {
            let request = ClientRequest::Unsubscribe(ResourceUriParams::new(uri));
            if let Err(error) = engine.send(&request, &Options::default()).await {
                tracing::debug!(%error, "cannot unsubscribe from a resource");
            }
        });
    }
}
