//! `subscriptions/listen`: a call that goes on until either side ends it, and tells of changes meanwhile.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.

use std::sync::Arc;

use ferromcp_core::meta::key;
use ferromcp_core::model::{AcknowledgedParams, ListenParams, ListenResult, SubscriptionFilter};
use ferromcp_core::{Error, Meta, Revision, ServerNotification, ServerResult};

use super::{Hub, Kinds, Mailbox};
use crate::call::{Call, Reply};
use crate::limits::Limits;
use crate::outlet::{Full, Outlet};
use crate::registry::Tables;
use crate::started::Started;

/// Begins to listen.
pub(crate) fn start(hub: &Arc<Hub>, tables: &Tables, limits: &Limits, call: &Call, params: &ListenParams) -> Started {
    match prepare(hub, tables, limits, call, params) {
        Ok(listening) => Started::Pending(Box::pin(listening.run())),
        Err(error) => Started::Ready(Reply::Failed(error)),
    }
}

/// A listener that is in the hub already, so that nothing is missed, but has not been told so yet.
struct Listening {
    mailbox: Mailbox,
    outlet: Outlet,
    revision: Revision,
    acknowledged: AcknowledgedParams,
}

fn prepare(
    hub: &Arc<Hub>,
    tables: &Tables,
    limits: &Limits,
    call: &Call,
    params: &ListenParams,
) -> Result<Listening, Error> {
    let id = call.id.as_ref().filter(|_| call.outlet.is_open()).ok_or_else(|| {
        Error::invalid_request("Invalid request: a subscription needs an id, which names it, and an outlet")
    })?;
    let mut meta = Meta::new();
    meta.set(key::SUBSCRIPTION_ID, id).map_err(|error| Error::internal(error.to_string()))?;
    let honoured = honoured(tables, &params.notifications);
    let mailbox = hub.listen(kinds(&honoured), meta.clone());
    for uri in honoured.resource_subscriptions.iter().flatten() {
        mailbox.subscribe(uri, limits)?;
    }
    let mut acknowledged = AcknowledgedParams::default();
    (acknowledged.notifications, acknowledged.meta) = (honoured, meta);
    Ok(Listening { mailbox, outlet: call.outlet.clone(), revision: call.peer.revision(), acknowledged })
}

/// What of a wish can come true, with what the server offers now.
fn honoured(tables: &Tables, wish: &SubscriptionFilter) -> SubscriptionFilter {
    let list = |wanted: Option<bool>, offered: bool| wanted.filter(|wanted| *wanted && offered);
    let mut honoured = SubscriptionFilter::default();
    honoured.tools_list_changed = list(wish.tools_list_changed, tables.has_tools());
    honoured.prompts_list_changed = list(wish.prompts_list_changed, tables.has_prompts());
    honoured.resources_list_changed = list(wish.resources_list_changed, tables.has_resources());
    let uris = wish.resource_subscriptions.as_ref();
    honoured.resource_subscriptions = uris.filter(|uris| !uris.is_empty() && tables.has_resources()).cloned();
    honoured
}

fn kinds(filter: &SubscriptionFilter) -> Kinds {
    Kinds::TOOLS
        .only_if(filter.tools_list_changed == Some(true))
        .and(Kinds::PROMPTS.only_if(filter.prompts_list_changed == Some(true)))
        .and(Kinds::RESOURCES.only_if(filter.resources_list_changed == Some(true)))
}

impl Listening {
    /// Tells of changes until the server closes the call. One that the client ends is dropped.
    async fn run(self) -> Reply {
        let Self { mailbox, outlet, revision, acknowledged } = self;
        let mut result = ListenResult::default();
        result.meta = acknowledged.meta.clone();
        let telling = async {
            send(&outlet, ServerNotification::Acknowledged(acknowledged), revision).await;
            loop {
                send(&outlet, mailbox.next().await, revision).await;
            }
        };
        tokio::select! {
            biased; // what waits is told before the end
            () = telling => {}
            () = outlet.closing() => {}
        }
        Reply::Done(ServerResult::Listen(result))
    }
}

async fn send(outlet: &Outlet, mut notification: ServerNotification, revision: Revision) {
    while let Err(Full(back)) = outlet.try_send(notification, revision) {
        notification = *back;
        outlet.ready().await;
    }
}
