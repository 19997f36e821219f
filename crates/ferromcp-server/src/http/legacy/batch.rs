//! JSON-RPC batches, which only 2025-03-26 defines.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-03-26/basic/transports#sending-messages-to-the-server>.

use std::collections::HashSet;
use std::sync::Arc;

use ferromcp_core::wire::{DecodeError, FromClient, Message};
use ferromcp_core::{ClientRequest, Error, Identity, RequestId, Revision};
use http::request::Parts;
use http::{Response, StatusCode};

use super::batch_calls::{Batch, BatchItem};
use super::messages::apply_notification;
use super::questions::QuestionChannel;
use super::scope::{LegacyScope, find_scope};
use crate::call::{Call, Extensions, Reply};
use crate::dispatch::start;
use crate::era;
use crate::http::accept::Accepts;
use crate::http::body::Body;
use crate::http::endpoint::{Endpoint, Limit};
use crate::http::in_flight::{CallSet, InFlightRequest, Leases};
use crate::http::reply;
use crate::http::respond::{new_sink, request_sink, respond};
use crate::maybe_ready::MaybeReady;
use crate::request_sink::RequestSink;

type Messages = Vec<Result<Message<FromClient>, DecodeError>>;

/// Responds to a batch.
pub(crate) async fn batch(
    endpoint: &Arc<Endpoint>,
    parts: &Parts,
    accepts: Accepts,
    messages: Messages,
) -> Response<Body> {
    let scope = match find_scope(endpoint, parts) {
        Ok(scope) => scope,
        Err(response) => return *response,
    };
    let revision = scope.revision();
    if revision != Revision::V2025_03_26 {
        return reply::error(StatusCode::BAD_REQUEST, era::no_batches(), None, revision);
    }
    let Some(permit) = endpoint.acquire(Limit::InFlight) else {
        return reply::limit_exceeded(endpoint, Limit::InFlight);
    };
    let session = scope.session().map(|session| Arc::clone(&session.id));
    let questions = QuestionChannel::new(&endpoint.legacy.questions, session, endpoint.inner.limits.questions);
    let sink = new_sink(endpoint, false, Some(questions));
    let context = BatchContext {
        endpoint,
        scope: &scope,
        identity: parts.extensions.get(),
        sink: request_sink(&sink, accepts),
        extensions: endpoint.request_extensions(parts),
    };
    let (items, ids) = context.start(messages);
    if items.is_empty() {
        return reply::accepted();
    }
    let calls = CallSet::Batch(Batch::new(&endpoint.inner, items, revision));
    let request = InFlightRequest { endpoint: Arc::clone(endpoint), calls, sink, leases: Leases::new(permit) };
    respond(request, ids, scope.response_mode(accepts, Extensions::default())).await
}

/// Shared by the messages of a batch.
struct BatchContext<'a> {
    endpoint: &'a Endpoint,
    scope: &'a LegacyScope,
    identity: Option<&'a Identity>,
    sink: RequestSink,
    extensions: Extensions,
}

impl BatchContext<'_> {
    /// Starts the requests, and applies the notifications and responses. Returns the items that need a reply, and the
    /// ids by which the client can cancel them.
    fn start(&self, messages: Messages) -> (Vec<BatchItem>, Vec<RequestId>) {
        let (mut items, mut ids, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for message in messages {
            match message {
                Ok(Message::Request { id, request }) => {
                    let is_unused = seen.insert(id.clone()) && !self.scope.is_in_flight(&id);
                    let started = self.start_one(&id, request, is_unused, ids.len());
                    if is_unused {
                        ids.push(id.clone());
                    }
                    items.push(BatchItem { id: Some(id), started });
                }
                Ok(Message::Notification(notification)) => apply_notification(self.scope, &notification),
                Ok(Message::Response { id, outcome }) => {
                    self.scope.deliver_response(self.endpoint, self.identity, id.as_ref(), outcome);
                }
                Err(DecodeError { suppress_response: true, .. }) => {}
                Err(DecodeError { id, error, .. }) => {
                    items.push(BatchItem { id, started: MaybeReady::Ready(Reply::Failed(error)) });
                }
            }
        }
        (items, ids)
    }

    fn start_one(&self, id: &RequestId, request: ClientRequest, is_unused: bool, starting: usize) -> MaybeReady {
        let peer = if !is_unused {
            Err(era::id_in_use(id))
        } else if matches!(request, ClientRequest::Initialize(_)) {
            Err(Error::invalid_request("Invalid request: `initialize` must not be part of a batch"))
        } else {
            let checked = self.scope.check_in_flight(self.endpoint, starting);
            checked.and_then(|()| self.scope.peer(&request, self.identity))
        };
        match peer {
            Ok(peer) => {
                let mut call = Call::new(request, peer).id(id.clone()).sink(self.sink.clone());
                call.extensions = self.extensions.clone();
                start(&self.endpoint.inner, call)
            }
            Err(error) => MaybeReady::Ready(Reply::Failed(error)),
        }
    }
}
