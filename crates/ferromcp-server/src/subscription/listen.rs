//! `subscriptions/listen`: a call that sends change notifications until either side ends it.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.

use std::sync::Arc;

use ferromcp_core::meta::key;
use ferromcp_core::model::{AcknowledgedParams, ListenParams, ListenResult, SubscriptionFilter};
use ferromcp_core::{Error, Meta, Revision, ServerNotification, ServerResult};

use super::{Broadcaster, ListKinds, Mailbox, UriFilter};
use crate::call::{Call, Reply};
use crate::limits::ServerLimits;
use crate::maybe_ready::MaybeReady;
use crate::principal::{Principal, access_end};
use crate::request_sink::{QueueFull, RequestSink};

/// Starts a subscription. The returned future completes when the server shuts down or the client loses its access.
///
/// `offered` are the lists that the server has. The reply is an error if the request has no id, the sink is closed, or
/// a subscription limit is exceeded.
pub(crate) fn start(
    broadcaster: &Arc<Broadcaster>,
    offered: ListKinds,
    limits: &ServerLimits,
    filter: Option<UriFilter>,
    call: &Call,
    params: &ListenParams,
) -> MaybeReady {
    match prepare(broadcaster, offered, limits, call, params) {
        Ok(subscription) => {
            subscription.mailbox.filter_resources(filter);
            MaybeReady::Pending(Box::pin(subscription.run()))
        }
        Err(error) => MaybeReady::Ready(Reply::Failed(error)),
    }
}

/// A registered subscription that is not yet acknowledged. Changes are already queued, so none is lost.
struct Subscription {
    mailbox: Mailbox,
    sink: RequestSink,
    revision: Revision,
    acknowledged: AcknowledgedParams,
    /// The principal of the client, which may lose its access.
    principal: Option<Principal>,
}

/// Registers the subscription and prepares its acknowledgment.
fn prepare(
    broadcaster: &Arc<Broadcaster>,
    offered: ListKinds,
    limits: &ServerLimits,
    call: &Call,
    params: &ListenParams,
) -> Result<Subscription, Error> {
    let id = call.id.as_ref().filter(|_| call.sink.is_open()).ok_or_else(|| {
        Error::invalid_request("Invalid request: a subscription requires a request id and a sink for notifications")
    })?;
    let mut meta = Meta::new();
    meta.set(key::SUBSCRIPTION_ID, id).map_err(|error| Error::internal(error.to_string()))?;
    let filter = acknowledged_filter(offered, &params.notifications);
    let mailbox = broadcaster.listen(list_kinds(&filter), meta.clone());
    for uri in filter.resource_subscriptions.iter().flatten() {
        mailbox.subscribe(uri, limits)?;
    }
    let acknowledged = AcknowledgedParams::new(filter).meta(meta);
    let (sink, principal) = (call.sink.clone(), call.peer.principal().cloned());
    Ok(Subscription { mailbox, sink, revision: call.peer.revision(), acknowledged, principal })
}

/// Returns the part of the `requested` filter that concerns the `offered` lists.
fn acknowledged_filter(offered: ListKinds, requested: &SubscriptionFilter) -> SubscriptionFilter {
    let list = |requested: Option<bool>, kind| requested.filter(|requested| *requested && offered.has(kind));
    let mut filter = SubscriptionFilter::default();
    filter.tools_list_changed = list(requested.tools_list_changed, ListKinds::TOOLS);
    filter.prompts_list_changed = list(requested.prompts_list_changed, ListKinds::PROMPTS);
    filter.resources_list_changed = list(requested.resources_list_changed, ListKinds::RESOURCES);
    let uris = requested.resource_subscriptions.as_ref();
    filter.resource_subscriptions = uris.filter(|uris| !uris.is_empty() && offered.has(ListKinds::RESOURCES)).cloned();
    filter
}

/// Returns the lists that `filter` selects.
fn list_kinds(filter: &SubscriptionFilter) -> ListKinds {
    ListKinds::TOOLS
        .only_if(filter.tools_list_changed == Some(true))
        .and(ListKinds::PROMPTS.only_if(filter.prompts_list_changed == Some(true)))
        .and(ListKinds::RESOURCES.only_if(filter.resources_list_changed == Some(true)))
}

impl Subscription {
    /// Sends the acknowledgment and then changes until the server shuts down or the client loses its access.
    ///
    /// If the client cancels the request, the future is dropped.
    async fn run(self) -> Reply {
        let Self { mailbox, sink, revision, acknowledged, principal } = self;
        let result = ListenResult::default().meta(acknowledged.meta.clone());
        let notifications = async {
            send(&sink, ServerNotification::Acknowledged(acknowledged), revision).await;
            loop {
                send(&sink, mailbox.next().await, revision).await;
            }
        };
        tokio::select! {
            biased; // queued changes are sent before the end
            () = notifications => {}
            () = sink.closing() => {}
            reason = access_end(principal.as_ref()) => tracing::debug!("a subscription ended: {reason}"),
        }
        Reply::Done(ServerResult::Listen(result))
    }
}

/// Sends a notification; waits while the outbound queue is full.
async fn send(sink: &RequestSink, mut notification: ServerNotification, revision: Revision) {
    while let Err(QueueFull(back)) = sink.try_send(notification, revision) {
        notification = *back;
        sink.ready().await;
    }
}
