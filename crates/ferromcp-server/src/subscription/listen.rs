//! `subscriptions/listen`: a call that goes on until either side ends it, and tells of changes meanwhile.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.

use std::sync::Arc;

use ferromcp_core::meta::key;
use ferromcp_core::model::{AcknowledgedParams, ListenParams, ListenResult, SubscriptionFilter};
use ferromcp_core::{Error, Meta, Revision, ServerNotification, ServerResult};

use super::{Broadcaster, ListKinds, Mailbox};
use crate::call::{Call, Reply};
use crate::limits::Limits;
use crate::request_sink::{QueueFull, RequestSink};
use crate::registry::Tables;
use crate::maybe_ready::MaybeReady;

/// Begins to listen.
pub(crate) fn start(broadcaster: &Arc<Broadcaster>, tables: &Tables, limits: &Limits, call: &Call, params: &ListenParams) -> MaybeReady {
    match prepare(broadcaster, tables, limits, call, params) {
        Ok(listening) => MaybeReady::Pending(Box::pin(listening.run())),
        Err(error) => MaybeReady::Ready(Reply::Failed(error)),
    }
}

/// A listener that is in the broadcaster already, so that nothing is missed, but has not been told so yet.
struct Listening {
    mailbox: Mailbox,
    sink: RequestSink,
    revision: Revision,
    acknowledged: AcknowledgedParams,
}

fn prepare(
    broadcaster: &Arc<Broadcaster>,
    tables: &Tables,
    limits: &Limits,
    call: &Call,
    params: &ListenParams,
) -> Result<Listening, Error> {
    let id = call.id.as_ref().filter(|_| call.sink.is_open()).ok_or_else(|| {
        Error::invalid_request("Invalid request: a subscription needs an id, which names it, and an sink")
    })?;
    let mut meta = Meta::new();
    meta.set(key::SUBSCRIPTION_ID, id).map_err(|error| Error::internal(error.to_string()))?;
    let acknowledged_filter = acknowledged_filter(tables, &params.notifications);
    let mailbox = broadcaster.listen(kinds(&acknowledged_filter), meta.clone());
    for uri in acknowledged_filter.resource_subscriptions.iter().flatten() {
        mailbox.subscribe(uri, limits)?;
    }
    let mut acknowledged = AcknowledgedParams::default();
    (acknowledged.notifications, acknowledged.meta) = (acknowledged_filter, meta);
    Ok(Listening { mailbox, sink: call.sink.clone(), revision: call.peer.revision(), acknowledged })
}

/// What of a wish can come true, with what the server offers now.
fn acknowledged_filter(tables: &Tables, wish: &SubscriptionFilter) -> SubscriptionFilter {
    let list = |wanted: Option<bool>, offered: bool| wanted.filter(|wanted| *wanted && offered);
    let mut acknowledged_filter = SubscriptionFilter::default();
    acknowledged_filter.tools_list_changed = list(wish.tools_list_changed, tables.has_tools());
    acknowledged_filter.prompts_list_changed = list(wish.prompts_list_changed, tables.has_prompts());
    acknowledged_filter.resources_list_changed = list(wish.resources_list_changed, tables.has_resources());
    let uris = wish.resource_subscriptions.as_ref();
    acknowledged_filter.resource_subscriptions = uris.filter(|uris| !uris.is_empty() && tables.has_resources()).cloned();
    acknowledged_filter
}

fn kinds(filter: &SubscriptionFilter) -> ListKinds {
    ListKinds::TOOLS
        .only_if(filter.tools_list_changed == Some(true))
        .and(ListKinds::PROMPTS.only_if(filter.prompts_list_changed == Some(true)))
        .and(ListKinds::RESOURCES.only_if(filter.resources_list_changed == Some(true)))
}

impl Listening {
    /// Tells of changes until the server closes the call. One that the client ends is dropped.
    async fn run(self) -> Reply {
        let Self { mailbox, sink, revision, acknowledged } = self;
        let mut result = ListenResult::default();
        result.meta = acknowledged.meta.clone();
        let telling = async {
            send(&sink, ServerNotification::Acknowledged(acknowledged), revision).await;
            loop {
                send(&sink, mailbox.next().await, revision).await;
            }
        };
        tokio::select! {
            biased; // what waits is told before the end
            () = telling => {}
            () = sink.closing() => {}
        }
        Reply::Done(ServerResult::Listen(result))
    }
}

async fn send(sink: &RequestSink, mut notification: ServerNotification, revision: Revision) {
    while let Err(QueueFull(back)) = sink.try_send(notification, revision) {
        notification = *back;
        sink.ready().await;
    }
}
