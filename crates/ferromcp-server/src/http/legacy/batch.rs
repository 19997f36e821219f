//! JSON-RPC batches, which only 2025-03-26 defines.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-03-26/basic/transports#sending-messages-to-the-server>.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ferromcp_core::wire::{DecodeError, FromClient, Message};
use ferromcp_core::{ClientNotification, ClientRequest, Error, RequestId};
use http::{Response, StatusCode};

use super::messages::apply_notification;
use super::questions::QuestionChannel;
use super::scope::{LegacyScope, find_scope};
use crate::batch::Batch;
use crate::call::{Call, Extensions};
use crate::era;
use crate::era::features::has_batches;
use crate::http::accept::Accepts;
use crate::http::authorization::caller;
use crate::http::body::Body;
use crate::http::endpoint::{Endpoint, Limit};
use crate::http::in_flight::{CallSet, InFlightRequest};
use crate::http::received::Received;
use crate::http::reply;
use crate::http::respond::{new_sink, request_sink, respond};
use crate::latch::Latch;
use crate::peer::Caller;
use crate::request_sink::RequestSink;
use crate::shutdown_cut::{ShutdownCut, shut_down_error};

type Messages = Vec<Result<Message<FromClient>, DecodeError>>;

/// Responds to a batch.
pub(crate) async fn batch(received: &mut Received<'_>, accepts: Accepts, messages: Messages) -> Response<Body> {
    let Received { endpoint, parts, client, .. } = *received;
    let scope = match find_scope(endpoint, parts) {
        Ok(scope) => scope,
        Err(response) => return *response,
    };
    let revision = scope.revision();
    if !has_batches(revision) {
        return reply::error(StatusCode::BAD_REQUEST, era::no_batches(), None, revision);
    }
    let permit = match endpoint.acquire(Limit::InFlight, client) {
        Ok(permit) => permit,
        Err(reason) => return reply::refused(reason),
    };
    scope.record_scopes(endpoint, parts.extensions.get());
    let session = scope.session().map(|session| Arc::clone(&session.id));
    let questions = QuestionChannel::new(&endpoint.legacy.questions, session, endpoint.inner.limits.questions);
    let sink = new_sink(endpoint, false, Some(questions));
    let context = BatchContext {
        endpoint,
        scope: &scope,
        caller: caller(parts),
        sink: request_sink(&sink, accepts),
        extensions: endpoint.request_extensions(parts),
    };
    let (batch, latches) = context.read(messages);
    if batch.is_empty() {
        return reply::accepted();
    }
    let ids = latches.keys().cloned().collect();
    let cut = ShutdownCut {
        latch: Arc::clone(&endpoint.cut),
        error: shut_down_error("HttpServerLimits", endpoint.options.limits.shutdown_grace),
    };
    let calls = CallSet::Batch { latches, responses: Box::pin(batch.run(Arc::clone(&endpoint.inner), cut)) };
    let request = InFlightRequest::new(endpoint, calls, sink, (permit, received.lease.take()), client);
    respond(request, ids, scope.response_mode(accepts, Extensions::default())).await
}

/// Shared by the messages of a batch.
struct BatchContext<'a> {
    endpoint: &'a Endpoint,
    scope: &'a LegacyScope,
    caller: Caller,
    sink: RequestSink,
    extensions: Extensions,
}

impl BatchContext<'_> {
    /// Collects the requests, and applies the notifications and responses. Returns the latches that cancel the calls.
    fn read(&self, messages: Messages) -> (Batch, HashMap<RequestId, Arc<Latch>>) {
        let mut latches: HashMap<RequestId, Arc<Latch>> = HashMap::new();
        let (mut batch, mut seen) = (Batch::default(), HashSet::new());
        let revision = self.scope.revision();
        for message in messages {
            match message {
                Ok(Message::Request { id, request }) => {
                    let is_unused = seen.insert(id.clone()) && !self.scope.is_in_flight(&id);
                    match self.admit(&id, request, is_unused, latches.len()) {
                        Ok(call) => {
                            latches.insert(id.clone(), batch.push(id, call));
                        }
                        Err(error) => batch.push_rejected(Some(id), error, revision),
                    }
                }
                Ok(Message::Notification(notification)) => {
                    // The calls of this batch are not registered with the session yet.
                    if let ClientNotification::Cancelled(params) = &notification {
                        if let Some(cancelled) = params.request_id.as_ref().and_then(|id| latches.get(id)) {
                            cancelled.set();
                        }
                    }
                    apply_notification(self.scope, &notification);
                }
                Ok(Message::Response { id, outcome }) => {
                    self.scope.deliver_response(self.endpoint, self.caller.identity(), id.as_ref(), outcome);
                }
                Err(DecodeError { suppress_response: true, .. }) => {}
                Err(DecodeError { id, error, .. }) => batch.push_rejected(id, error, revision),
            }
        }
        (batch, latches)
    }

    fn admit(&self, id: &RequestId, request: ClientRequest, is_unused: bool, starting: usize) -> Result<Call, Error> {
        if !is_unused {
            return Err(era::id_in_use(id));
        }
        if matches!(request, ClientRequest::Initialize(_)) {
            return Err(Error::invalid_request("Invalid request: `initialize` must not be part of a batch"));
        }
        self.scope.check_in_flight(self.endpoint, starting)?;
        let peer = self.scope.peer(&request, &self.caller)?;
        let mut call = Call::new(request, peer).id(id.clone()).sink(self.sink.clone());
        call.extensions = self.extensions.clone();
        Ok(call)
    }
}
