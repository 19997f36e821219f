//! The response to a request: JSON if the handler only returns a result, an SSE stream if it sends a message first.
//!
//! The handler runs inside the future of the connection. When the client disconnects, a modern request is dropped,
//! which cancels it. A legacy request continues in a separate task, because there a disconnect is not a cancellation.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http>.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use ferromcp_core::{ClientRequest, RequestId};
use http::{Response, StatusCode};
use tokio::time::sleep;

use super::accept::Accepts;
use super::body::Body;
use super::endpoint::{Endpoint, Limit};
use super::event_body::EventBody;
use super::event_buffer::EventBuffer;
use super::in_flight::{CallSet, End, InFlightRequest, OneCall, PendingResponse, Progressed};
use super::legacy::{QuestionChannel, SessionCalls, drive};
use super::limits::STREAM_BUFFER_BYTES;
use super::received::Received;
use super::reply::{self, EncodedReply};
use super::sink::HttpSink;
use crate::call::{Call, Extensions, Peer};
use crate::dispatch::start;
use crate::maybe_ready::MaybeReady;
use crate::panics::poll_caught;
use crate::request_sink::RequestSink;

/// How to respond to a request.
pub(crate) struct ResponseMode {
    pub(crate) accepts: Accepts,
    /// The session of the request, if it has one.
    pub(crate) session: Option<SessionCalls>,
    /// The extensions of the request that handlers can extract.
    pub(crate) extensions: Extensions,
    /// The request continues in a task when the client disconnects.
    pub(crate) detach_on_disconnect: bool,
    /// The client supports priming events, and reconnects to a stream that the server closed.
    pub(crate) supports_reconnect: bool,
}

impl ResponseMode {
    /// The mode of a modern request: no session, and a disconnect cancels it.
    pub(crate) fn modern(accepts: Accepts, extensions: Extensions) -> Self {
        Self { accepts, session: None, extensions, detach_on_disconnect: false, supports_reconnect: false }
    }

    /// Returns the channel for server requests, or `None` for a modern client.
    fn questions(&self, endpoint: &Endpoint) -> Option<QuestionChannel> {
        let session = self.session.as_ref().map(|session| Arc::clone(&session.id));
        let max_open = endpoint.inner.limits.questions;
        self.detach_on_disconnect.then(|| QuestionChannel::new(&endpoint.legacy.questions, session, max_open))
    }
}

/// Runs one request of a validated peer and responds to it.
pub(crate) async fn call(
    received: &mut Received<'_>,
    id: RequestId,
    request: ClientRequest,
    peer: Peer,
    mut mode: ResponseMode,
) -> Response<Body> {
    let Received { endpoint, client, .. } = *received;
    let is_subscription = matches!(request, ClientRequest::Listen(_));
    if is_subscription && !mode.accepts.events {
        let why = "Not acceptable: a subscription requires `Accept: text/event-stream`";
        return reply::reject(StatusCode::NOT_ACCEPTABLE, why);
    }
    let limit = if is_subscription { Limit::Streams } else { Limit::InFlight };
    let permit = match endpoint.acquire(limit, client) {
        Ok(permit) => permit,
        Err(reason) => return reply::refused(reason),
    };
    let revision = peer.revision();
    let sink = new_sink(endpoint, mode.supports_reconnect, mode.questions(endpoint));
    let mut call = Call::new(request, peer).id(id.clone()).sink(request_sink(&sink, mode.accepts));
    call.extensions = std::mem::take(&mut mode.extensions);
    let mut started = start(&endpoint.inner, call);
    if let MaybeReady::Pending(future) = &mut started {
        // Most calls finish on the first poll; only the others pay for the state of a pending request.
        if let Poll::Ready(reply) = poll_fn(|cx| Poll::Ready(poll_caught(future, cx))).await {
            started = MaybeReady::Ready(reply);
        }
    }
    match started {
        MaybeReady::Ready(reply) if mode.accepts.json && sink.is_empty() => {
            let reply =
                EncodedReply::new(endpoint, client.responses(&endpoint.sending.responses), &id, reply, revision);
            reply::json(reply, client.ends_when_written())
        }
        started => {
            let calls = CallSet::Call(OneCall { id: id.clone(), revision, future: started.boxed() });
            let request = InFlightRequest::new(endpoint, calls, sink, (permit, received.lease.take()), client);
            Box::pin(respond(request, vec![id], mode)).await // boxed, because every connection holds this future
        }
    }
}

/// Returns the sink of the calls of a request. The handler may disconnect a client that `supports_reconnect` if events
/// are stored.
pub(crate) fn new_sink(
    endpoint: &Endpoint,
    supports_reconnect: bool,
    questions: Option<QuestionChannel>,
) -> Arc<HttpSink> {
    let can_disconnect = supports_reconnect && endpoint.options.events.is_some();
    let sink = HttpSink::new(STREAM_BUFFER_BYTES, Arc::clone(&endpoint.sending), can_disconnect);
    Arc::new(sink.with_questions(questions))
}

/// Returns the sink as calls see it. It is closed if the client does not accept a stream.
pub(crate) fn request_sink(sink: &Arc<HttpSink>, accepts: Accepts) -> RequestSink {
    if accepts.events { RequestSink::new(Arc::clone(sink) as _, 0) } else { RequestSink::closed() }
}

/// Responds to requests that have started. The client can cancel them by `ids`.
pub(crate) async fn respond(
    mut request: InFlightRequest,
    ids: Vec<RequestId>,
    mut mode: ResponseMode,
) -> Response<Body> {
    request.session = mode.session.take();
    let keep_alive = request.endpoint.options.keep_alive;
    let mut pending = PendingResponse { request: Some(request), detach_on_disconnect: mode.detach_on_disconnect };
    let mut progress = match poll_fn(|cx| Poll::Ready(pending.poll_progress(cx))).await {
        Poll::Ready(progress) => Some(progress),
        Poll::Pending => None,
    };
    let is_unfinished = progress.as_ref().is_none_or(|progress| progress.end.is_none());
    if let (Some(request), true) = (&mut pending.request, is_unfinished) {
        request.register(ids);
    }
    if progress.is_none() {
        progress = if mode.accepts.events {
            // A slow response becomes a stream, so that keep-alive comments prevent proxies from timing out.
            let mut timeout = pin!(sleep(keep_alive));
            poll_fn(|cx| match pending.poll_progress(cx) {
                Poll::Ready(progress) => Poll::Ready(Some(progress)),
                Poll::Pending => timeout.as_mut().poll(cx).map(|()| None),
            })
            .await
        } else {
            Some(poll_fn(|cx| pending.poll_progress(cx)).await)
        };
    }
    let Some(request) = pending.request.take() else { return reply::status(StatusCode::INTERNAL_SERVER_ERROR) };
    match progress {
        Some(Progressed { outgoing, end: Some(End::Answered(answer)) })
            if outgoing.messages.is_empty() && mode.accepts.json =>
        {
            reply::json(answer, request.ends_when_written)
        }
        // A cancelled request gets no JSON-RPC response.
        Some(Progressed { end: Some(End::Cancelled), .. }) if !mode.accepts.events => reply::accepted(),
        progress => stream(request, &mode, progress),
    }
}

/// Responds with a stream that begins with `progress`.
fn stream(request: InFlightRequest, mode: &ResponseMode, progress: Option<Progressed>) -> Response<Body> {
    let keep_alive = request.endpoint.options.keep_alive;
    let detachment = mode.detach_on_disconnect.then(|| request.detachment());
    let (responses, ends_when_written) = (Arc::clone(&request.responses), request.ends_when_written);
    let buffer = Arc::new(EventBuffer::default());
    let driver = if request.session.is_some() {
        drive(request, mode.supports_reconnect, progress, Arc::clone(&buffer))
    } else {
        Box::pin(request.drive(Arc::clone(&buffer), progress))
    };
    let body = EventBody::new(driver, buffer, keep_alive, &responses).ends_when_written(ends_when_written);
    reply::events(match detachment {
        Some(detachment) => body.detach_on_disconnect(detachment),
        None => body,
    })
}
