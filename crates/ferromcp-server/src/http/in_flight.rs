//! A request in flight: its calls, the messages they send, and the resources it holds.

use std::collections::HashMap;
use std::future::{pending, poll_fn, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use ferromcp_core::{RequestId, Revision};
use ferromcp_transport::sse::Event;
use tokio::task::coop::consume_budget;

use super::body_budget::BodyLease;
use super::byte_budget::ByteBudget;
use super::connection::Client;
use super::detached::Detachment;
use super::endpoint::{Endpoint, Permit};
use super::event_buffer::EventBuffer;
use super::legacy::SessionCalls;
use super::reply::EncodedReply;
use super::sink::{HttpSink, Outgoing};
use crate::box_future::BoxFuture;
use crate::call::Reply;
use crate::latch::Latch;
use crate::panics::{drop_caught, poll_caught};
use crate::shutdown_cut::shut_down_error;

/// A request in flight, with everything it holds.
pub(crate) struct InFlightRequest {
    pub(crate) endpoint: Arc<Endpoint>,
    calls: CallSet,
    pub(crate) sink: Arc<HttpSink>,
    #[expect(dead_code, reason = "held for its drop")]
    permit: Permit,
    /// The session of the request, and the ids by which the client can cancel it.
    pub(crate) session: Option<SessionCalls>,
    /// The permits of the request body, whose bytes the calls refer to.
    #[expect(dead_code, reason = "held for its drop")]
    body: BodyLease,
    /// The budget for the bytes of the response.
    pub(crate) responses: Arc<ByteBudget>,
    /// The body of the response ends only after it is written.
    pub(crate) ends_when_written: bool,
    /// Ready when the calls must end, because the shutdown timeout has expired.
    cut: BoxFuture<()>,
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
    pub(crate) fn new(
        endpoint: &Arc<Endpoint>,
        calls: CallSet,
        sink: Arc<HttpSink>,
        (permit, body): (Permit, BodyLease),
        client: &Client<'_>,
    ) -> Self {
        let cut = Arc::clone(&endpoint.cut);
        Self {
            endpoint: Arc::clone(endpoint),
            calls,
            sink,
            permit,
            session: None,
            body,
            responses: Arc::clone(client.responses(&endpoint.sending.responses)),
            ends_when_written: client.ends_when_written(),
            cut: Box::pin(async move { cut.wait().await }),
        }
    }

    /// Registers the ids of its requests with the session, so that the client can cancel them.
    pub(crate) fn register(&mut self, ids: Vec<RequestId>) {
        if let Some(session) = &mut self.session {
            session.register(ids, &self.sink);
        }
    }

    /// Returns what the request needs to continue when its client disconnects.
    pub(crate) fn detachment(&self) -> Detachment {
        Detachment::new(&self.endpoint, &self.sink, self.session.as_deref())
    }

    /// Polls the calls. Ready when there is a message to send or the request has ended.
    pub(crate) fn poll_progress(&mut self, cx: &mut Context<'_>) -> Poll<Progressed> {
        let end = loop {
            for id in self.sink.take_withdrawn() {
                if !self.calls.withdraw(&id) {
                    self.sink.cancel();
                }
            }
            match self.calls.poll(&self.endpoint, &self.responses, cx) {
                Poll::Ready(answer) => break Some(answer.map_or(End::Cancelled, End::Answered)),
                Poll::Pending if self.poll_cut(cx) => {}
                Poll::Pending if self.sink.poll_ready(cx).is_pending() => return Poll::Pending,
                Poll::Pending if !self.sink.has_withdrawn() => break None,
                Poll::Pending => {}
            }
        };
        let outgoing = self.sink.take();
        let end = if outgoing.cancelled { Some(End::Cancelled) } else { end };
        Poll::Ready(Progressed { outgoing, end })
    }

    /// Ends the calls if the shutdown timeout has expired. Returns whether that has just happened.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> bool {
        let is_ready = self.cut.as_mut().poll(cx).is_ready();
        if is_ready {
            self.cut = Box::pin(pending());
            self.calls.cut(&self.endpoint);
        }
        is_ready
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
                    buffer.event_with(Event::new(&answer.body), answer.reservation);
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
            request.detachment().spawn(Box::pin(request.drive(discarded, None)));
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
    fn poll(
        &mut self,
        endpoint: &Endpoint,
        responses: &Arc<ByteBudget>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<EncodedReply>> {
        match self {
            Self::Call(call) => poll_caught(&mut call.future, cx)
                .map(|reply| Some(EncodedReply::new(endpoint, responses, &call.id, reply, call.revision))),
            Self::Batch { responses: batch, .. } => {
                batch.as_mut().poll(cx).map(|body| body.map(|body| EncodedReply::batch(responses, body)))
            }
            Self::Withdrawn => Poll::Pending,
        }
    }

    /// Drops the call that the client cancelled, which also cancels its questions. Returns whether `poll` can still
    /// complete.
    fn withdraw(&mut self, id: &RequestId) -> bool {
        match std::mem::replace(self, Self::Withdrawn) {
            Self::Batch { latches, responses } => {
                if let Some(cancelled) = latches.get(id) {
                    cancelled.set();
                }
                *self = Self::Batch { latches, responses };
                true
            }
            Self::Call(call) => {
                drop_caught(call.future);
                false
            }
            Self::Withdrawn => false,
        }
    }

    /// Replaces the call with an error, because the server shuts down. The calls of a batch end on the same signal.
    fn cut(&mut self, endpoint: &Endpoint) {
        if let Self::Call(call) = self {
            let error = shut_down_error("HttpServerLimits", endpoint.options.limits.shutdown_grace);
            let reply: BoxFuture<Reply> = Box::pin(ready(Reply::Failed(error)));
            drop_caught(std::mem::replace(&mut call.future, reply));
        }
    }
}
