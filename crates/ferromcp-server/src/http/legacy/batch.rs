//! JSON-RPC batches, which only 2025-03-26 defines.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-03-26/basic/transports#sending-messages-to-the-server>.

use std::collections::HashSet;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use ferromcp_core::message::{DecodeError, FromClient, Message};
use ferromcp_core::wire::encode;
use ferromcp_core::{ClientRequest, Error, Identity, RequestId, Revision};
use http::request::Parts;
use http::{Response, StatusCode};

use super::messages::apply_notification;
use super::questions::QuestionChannel;
use super::scope::{LegacyScope, find_scope};
use crate::answer;
use crate::call::{Call, Extensions, Reply};
use crate::dispatch::{poll_caught, start};
use crate::era;
use crate::http::accept::Accepts;
use crate::http::body::Body;
use crate::http::endpoint::{Endpoint, Limit};
use crate::http::in_flight::{CallSet, InFlightRequest, Leases, REPLY_CAPACITY};
use crate::http::reply;
use crate::http::respond::{new_sink, outlet, respond};
use crate::inner::Inner;
use crate::outlet::Outlet;
use crate::started::{BoxFuture, Started};

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
    let sink = new_sink(endpoint, false, Some(QuestionChannel::new(endpoint, session)));
    let context = BatchContext {
        endpoint,
        scope: &scope,
        identity: parts.extensions.get(),
        outlet: outlet(&sink, accepts),
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
    outlet: Outlet,
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
                    items.push(BatchItem { id, started: Started::Ready(Reply::Failed(error)) });
                }
            }
        }
        (items, ids)
    }

    fn start_one(&self, id: &RequestId, request: ClientRequest, is_unused: bool, starting: usize) -> Started {
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
                let mut call = Call::new(request, peer).id(id.clone()).outlet(self.outlet.clone());
                call.extensions = self.extensions.clone();
                start(&self.endpoint.inner, call)
            }
            Err(error) => Started::Ready(Reply::Failed(error)),
        }
    }
}

/// A request of a batch: started, or rejected.
struct BatchItem {
    id: Option<RequestId>,
    started: Started,
}

/// The calls of a batch, which run concurrently.
pub(crate) struct Batch {
    revision: Revision,
    pending: Vec<(RequestId, BoxFuture<Reply>)>,
    /// The replies so far, as the beginning of a JSON array.
    replies: BytesMut,
}

impl Batch {
    fn new(inner: &Inner, items: Vec<BatchItem>, revision: Revision) -> Self {
        let mut batch = Self { revision, pending: Vec::new(), replies: BytesMut::with_capacity(REPLY_CAPACITY) };
        for BatchItem { id, started } in items {
            match (id, started) {
                (id, Started::Ready(reply)) => batch.write(inner, id.as_ref(), reply),
                (Some(id), Started::Pending(future)) => batch.pending.push((id, future)),
                (None, Started::Pending(_)) => {} // unreachable: no request starts without an id
            }
        }
        batch
    }

    fn write(&mut self, inner: &Inner, id: Option<&RequestId>, reply: Reply) {
        self.replies.put_u8(if self.replies.is_empty() { b'[' } else { b',' });
        match (id, reply) {
            (Some(id), reply) => answer::write(&mut self.replies, inner, id, reply, self.revision),
            (None, Reply::Failed(error)) => encode::error(&mut self.replies, None, error, self.revision),
            (None, _) => {}
        }
    }

    /// Polls the calls. Ready with all replies in one array when every call has finished.
    pub(crate) fn poll(&mut self, inner: &Inner, cx: &mut Context<'_>) -> Poll<Bytes> {
        let mut index = 0;
        while let Some((_, future)) = self.pending.get_mut(index) {
            match poll_caught(future, cx) {
                Poll::Pending => index += 1,
                Poll::Ready(reply) => {
                    let (id, _) = self.pending.remove(index);
                    self.write(inner, Some(&id), reply);
                }
            }
        }
        if !self.pending.is_empty() {
            return Poll::Pending;
        }
        self.replies.put_u8(b']');
        Poll::Ready(self.replies.split().freeze())
    }

    /// Drops a call that the client cancelled. Returns whether any reply is left to send.
    pub(crate) fn withdraw(&mut self, id: &RequestId) -> bool {
        self.pending.retain(|(pending, _)| pending != id);
        !self.pending.is_empty() || !self.replies.is_empty()
    }
}
