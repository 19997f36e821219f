//! The legacy way: changed lists are told to everybody, resources to whoever subscribed to them.

use std::sync::{Arc, PoisonError};

use ferromcp_core::ClientRequest;
use ferromcp_core::model::{ResourceUriParams, ServerCapabilities, SubscriptionFilter};
use tokio::runtime::Handle;

use super::change::Interest;
use super::ended::Ended;
use super::mailbox::Mailbox;
use crate::engine::connection::Connection;
use crate::engine::{Engine, Options};
use crate::error::{ClientError, ErrorKind};

/// Hears of changes until the connection ends.
pub(super) async fn run(engine: &Arc<Engine>, connection: &Arc<Connection>, mailbox: &Arc<Mailbox>) -> Ended {
    let _pinned = engine.board.hear(Arc::clone(mailbox));
    let interest = mailbox.interest();
    let mut watched = Vec::with_capacity(interest.uris.len());
    for uri in &interest.uris {
        match Watched::begin(engine, connection, uri).await {
            Ok(watch) => watched.push(watch),
            Err(_) if !connection.is_live() => {
                return Ended::Lost(ClientError::closed("the connection was lost while subscribing"));
            }
            Err(error) => return Ended::Failed(error),
        }
    }
    mailbox.acknowledge(honoured(interest, &connection.about.capabilities));
    connection.gone().await;
    Ended::Lost(ClientError::new(ErrorKind::Lost, "the connection was lost, and the subscription with it"))
}

/// What of a wish the server says it tells.
fn honoured(interest: &Interest, capabilities: &ServerCapabilities) -> SubscriptionFilter {
    let tells = |list: Option<bool>| list == Some(true);
    let lists =
        |list: &Option<ferromcp_core::model::ListChanged>| tells(list.as_ref().and_then(|list| list.list_changed));
    let resources = tells(capabilities.resources.as_ref().and_then(|resources| resources.list_changed));
    let mut honoured = interest.filter();
    honoured.tools_list_changed = honoured.tools_list_changed.filter(|_| lists(&capabilities.tools));
    honoured.prompts_list_changed = honoured.prompts_list_changed.filter(|_| lists(&capabilities.prompts));
    honoured.resources_list_changed = honoured.resources_list_changed.filter(|_| resources);
    honoured
}

/// A resource the session is subscribed to, for as long as somebody wants it.
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

    /// One less wants it; whether nobody does now.
    fn leave(&self) -> bool {
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
        let last = self.leave();
        if !last || !self.connection.is_live() || self.engine.is_closed() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        let (engine, uri) = (Arc::clone(&self.engine), std::mem::take(&mut self.uri));
        runtime.spawn(async move {
            let request = ClientRequest::Unsubscribe(ResourceUriParams::new(uri));
            if let Err(error) = engine.send(&request, &Options::default()).await {
                tracing::debug!(%error, "unsubscribing failed");
            }
        });
    }
}
