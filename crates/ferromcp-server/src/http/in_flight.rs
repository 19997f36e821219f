//! A request in flight: its calls, the messages they send, and the resources it holds.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use ferromcp_core::{RequestId, Revision};
use ferromcp_transport::sse::Event;
use http::StatusCode;
use tokio::task::coop::consume_budget;

use super::endpoint::{Endpoint, Permit};
use super::event_body::spawn_until;
use super::event_buffer::EventBuffer;
use super::legacy::SessionCalls;
use super::reply::{EncodedReply, REPLY_CAPACITY, status_of};
use super::sink::{HttpSink, Outgoing};
use crate::call::Reply;
use crate::dispatch::poll_caught;
use crate::inner::Inner;
use crate::latch::Latch;
use crate::maybe_ready::BoxFuture;

/// A request in flight, with everything it holds.
pub(crate) struct InFlightRequest {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) calls: CallSet,
    pub(crate) sink: Arc<HttpSink>,
    pub(crate) leases: Leases,
}

/// The resources that a request holds while it is in flight.
pub(crate) struct Leases {
    _permit: Permit,
    /// The session of the request, and the ids by which the client can cancel it.
    pub(crate) session: Option<SessionCalls>,
}

impl Leases {
    pub(crate) fn new(permit: Permit) -> Self {
        Self { _permit: permit, session: None }
    }
}

/// The result of polling a request once: messages to send, and how it ended.
pub(crate) struct Progressed {
    pub(crate) outgoing: Outgoing,
    pub(crate) end: Option<End>,
}

/// How a request ended.
pub(crate) enum End {
    Answered(EncodedReply),
    Cancelled,
}

impl InFlightRequest {
    /// Registers the ids of its requests with the session, so that the client can cancel them.
    pub(crate) fn register(&mut self, ids: Vec<RequestId>) {
        if let Some(session) = &mut self.leases.session {
            session.register(ids, &self.sink);
        }
    }

    /// Polls the calls. Ready when there is a message to send or the request has ended.
    pub(crate) fn poll_progress(&mut self, cx: &mut Context<'_>) -> Poll<Progressed> {
        let end = loop {
            for id in self.sink.take_withdrawn() {
                if !self.calls.withdraw(&id) {
                    self.sink.cancel();
                }
            }
            match self.calls.poll(&self.endpoint.inner, cx) {
                Poll::Ready(answer) => break Some(answer.map_or(End::Cancelled, End::Answered)),
                Poll::Pending if self.sink.poll_ready(cx).is_pending() => return Poll::Pending,
                Poll::Pending if !self.sink.has_withdrawn() => break None,
                Poll::Pending => {}
            }
        };
        let outgoing = self.sink.take();
        let end = if outgoing.cancelled { Some(End::Cancelled) } else { end };
        Poll::Ready(Progressed { outgoing, end })
    }

    /// Writes all messages and the reply to `buffer`, then closes it. Starts with `progress` if there is one.
    pub(crate) async fn drive(mut self, buffer: Arc<EventBuffer>, mut progress: Option<Progressed>) {
        loop {
            let Progressed { outgoing, end } = match progress.take() {
                Some(progress) => progress,
                None => poll_fn(|cx| self.poll_progress(cx)).await,
            };
            for message in &outgoing.messages {
                buffer.event(Event::new(message));
                // Yields regularly, so that the body writes the buffer and a slow reader applies backpressure, even if
                // the handler never waits.
                consume_budget().await;
            }
            match end {
                Some(End::Answered(answer)) => {
                    buffer.event(Event::new(&answer.body));
                    break;
                }
                Some(End::Cancelled) => break,
                None => {}
            }
        }
        buffer.close();
    }
}

/// A request without response headers yet. If dropped with `detach_on_disconnect`, the request continues in a task.
pub(crate) struct PendingResponse {
    pub(crate) request: Option<InFlightRequest>,
    pub(crate) detach_on_disconnect: bool,
}

impl PendingResponse {
    pub(crate) fn poll_progress(&mut self, cx: &mut Context<'_>) -> Poll<Progressed> {
        match &mut self.request {
            Some(request) => request.poll_progress(cx),
            None => Poll::Pending, // taken only after the last poll
        }
    }
}

impl Drop for PendingResponse {
    fn drop(&mut self) {
        if let (true, Some(request)) = (self.detach_on_disconnect, self.request.take()) {
            let discarded = Arc::new(EventBuffer::default());
            discarded.close();
            let aborted = Arc::clone(&request.endpoint.aborted);
            spawn_until(Box::pin(request.drive(discarded, None)), aborted);
        }
    }
}

/// One pending call.
pub(crate) struct OneCall {
    pub(crate) id: RequestId,
    pub(crate) revision: Revision,
    pub(crate) future: BoxFuture<Reply>,
}

/// The calls of one POST: a single one, or those of a batch.
pub(crate) enum CallSet {
    Call(OneCall),
    /// The latches that cancel the calls, and the array of responses, or `None` if every call was cancelled.
    Batch {
        latches: HashMap<RequestId, Arc<Latch>>,
        responses: BoxFuture<Option<Bytes>>,
    },
    /// The client cancelled the only call, and it was dropped.
    Withdrawn,
}

impl CallSet {
    /// Ready with the reply, or with `None` if every call was cancelled.
    fn poll(&mut self, inner: &Inner, cx: &mut Context<'_>) -> Poll<Option<EncodedReply>> {
        match self {
            Self::Call(call) => {
                poll_caught(&mut call.future, cx).map(|reply| Some(encode_reply(inner, &call.id, reply, call.revision)))
            }
            Self::Batch { responses, .. } => {
                responses.as_mut().poll(cx).map(|body| body.map(|body| EncodedReply { status: StatusCode::OK, body }))
            }
            Self::Withdrawn => Poll::Pending,
        }
    }

    /// Drops the call that the client cancelled, which also cancels its questions. Returns whether `poll` can still
    /// complete.
    fn withdraw(&mut self, id: &RequestId) -> bool {
        match self {
            Self::Batch { latches, .. } => {
                if let Some(cancelled) = latches.get(id) {
                    cancelled.set();
                }
                true
            }
            Self::Call(_) | Self::Withdrawn => {
                *self = Self::Withdrawn;
                false
            }
        }
    }
}

/// Encodes a reply and selects its status.
pub(crate) fn encode_reply(inner: &Inner, id: &RequestId, reply: Reply, revision: Revision) -> EncodedReply {
    let status = status_of(&reply, revision);
    let mut body = BytesMut::with_capacity(REPLY_CAPACITY);
    reply.write(&mut body, id, revision, inner.info_json());
    EncodedReply { status, body: body.freeze() }
}
