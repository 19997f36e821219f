//! The response to a request: JSON if its handler only answers, a stream of events from the moment it says something.
//!
//! The handler runs inside the connection's future. When the client hangs up, a modern request is dropped, which
//! cancels it; a legacy one goes on in a task of its own, since there hanging up says nothing.
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
use super::endpoint::{Endpoint, Place};
use super::event_body::EventBody;
use super::event_stream::EventStream;
use super::exchange::{End, Exchange, Held, Turn, Unanswered};
use super::out::Out;
use super::reply;
use super::session::Busy;
use super::sink::{Asks, HttpSink};
use super::work::{OneCall, Work, encoded};
use crate::call::{Call, Extensions, Peer};
use crate::dispatch::{poll_caught, start};
use crate::outlet::Outlet;
use crate::started::Started;

/// How a request is answered, beyond its calls.
pub(crate) struct Manner {
    pub(crate) accepts: Accepts,
    /// The session it belongs to, if any.
    pub(crate) session: Option<Busy>,
    /// What handlers find of the request.
    pub(crate) extensions: Extensions,
    /// Hanging up is no cancellation.
    pub(crate) survives: bool,
    /// The client knows priming events, and comes back for the rest of a stream that was closed.
    pub(crate) polls: bool,
}

impl Manner {
    /// How the client can be asked live; `None` if it is not asked that way.
    fn asks(&self, endpoint: &Endpoint) -> Option<Asks> {
        let session = self.session.as_ref().map(|session| Arc::clone(&session.id));
        self.survives.then(|| asks(endpoint, session))
    }
}

/// How a client, of a session or without, is asked live: it answers by a POST of its own.
pub(crate) fn asks(endpoint: &Endpoint, session: Option<Arc<str>>) -> Asks {
    Asks::new(Arc::clone(&endpoint.questions), session, endpoint.inner.limits.questions)
}

/// Answers one request of a known peer.
pub(crate) async fn one(
    endpoint: &Arc<Endpoint>,
    id: RequestId,
    request: ClientRequest,
    peer: Peer,
    mut manner: Manner,
) -> Response<Body> {
    let listens = matches!(request, ClientRequest::Listen(_));
    if listens && !manner.accepts.events {
        return reply::refuse(StatusCode::NOT_ACCEPTABLE, "Not acceptable: a subscription needs text/event-stream");
    }
    let place = if listens { Place::Stream } else { Place::Call };
    let Some(permit) = endpoint.permit(place) else { return reply::full(endpoint, place) };
    let revision = peer.revision();
    let sink = sink(endpoint, manner.polls, manner.asks(endpoint));
    let mut call = Call::new(request, peer).id(id.clone()).outlet(outlet(&sink, manner.accepts));
    call.extensions = std::mem::take(&mut manner.extensions);
    let mut started = start(&endpoint.inner, call);
    if let Started::Pending(future) = &mut started {
        // Most calls never wait; nothing is set up for waiting before one does.
        if let Poll::Ready(reply) = poll_fn(|cx| Poll::Ready(poll_caught(future, cx))).await {
            started = Started::Ready(reply);
        }
    }
    match started {
        Started::Ready(reply) if manner.accepts.json && sink.is_silent() => {
            reply::json(encoded(&endpoint.inner, &id, reply, revision))
        }
        started => {
            let work = Work::Call(OneCall { id: id.clone(), revision, future: started.boxed() });
            let held = Held::new(permit);
            let exchange = Exchange { endpoint: Arc::clone(endpoint), work, sink, held };
            Box::pin(respond(exchange, vec![id], manner)).await // it waits, and connections are many
        }
    }
}

/// What the calls of a request speak through. A client that `polls` may be let go where events are kept.
pub(crate) fn sink(endpoint: &Endpoint, polls: bool, asks: Option<Asks>) -> Arc<HttpSink> {
    let can_disconnect = polls && endpoint.options.events.is_some();
    let sink = HttpSink::new(endpoint.options.limits.stream_bytes, Arc::clone(&endpoint.closing), can_disconnect);
    Arc::new(sink.asking(asks))
}

/// The sink as calls see it; closed where the client takes no stream.
pub(crate) fn outlet(sink: &Arc<HttpSink>, accepts: Accepts) -> Outlet {
    if accepts.events { Outlet::new(Arc::clone(sink) as _, 0) } else { Outlet::closed() }
}

/// The response to requests that were begun, by whose ids the client may cancel them.
pub(crate) async fn respond(mut exchange: Exchange, ids: Vec<RequestId>, mut manner: Manner) -> Response<Body> {
    exchange.held.session = manner.session.take();
    let after = exchange.endpoint.options.keep_alive;
    let mut unanswered = Unanswered { exchange: Some(exchange), survives: manner.survives };
    let mut turn = match poll_fn(|cx| Poll::Ready(unanswered.poll_turn(cx))).await {
        Poll::Ready(turn) => Some(turn),
        Poll::Pending => None,
    };
    if let (Some(exchange), true) = (&mut unanswered.exchange, turn.as_ref().is_none_or(|turn| turn.end.is_none())) {
        exchange.register(ids);
    }
    if turn.is_none() {
        turn = if manner.accepts.events {
            // A response that is long in coming becomes a stream, so that nothing on the way takes it for dead.
            let mut late = pin!(sleep(after));
            poll_fn(|cx| match unanswered.poll_turn(cx) {
                Poll::Ready(turn) => Poll::Ready(Some(turn)),
                Poll::Pending => late.as_mut().poll(cx).map(|()| None),
            })
            .await
        } else {
            Some(poll_fn(|cx| unanswered.poll_turn(cx)).await)
        };
    }
    let Some(exchange) = unanswered.exchange.take() else { return reply::status(StatusCode::INTERNAL_SERVER_ERROR) };
    match turn {
        Some(Turn { said, end: Some(End::Answered(answer)) }) if said.messages.is_empty() && manner.accepts.json => {
            reply::json(answer)
        }
        // To a cancelled one there is nothing to say.
        Some(Turn { end: Some(End::Cancelled), .. }) if !manner.accepts.events => reply::accepted(),
        turn => stream(exchange, &manner, turn),
    }
}

/// The response as a stream, from `turn` on.
fn stream(exchange: Exchange, manner: &Manner, turn: Option<Turn>) -> Response<Body> {
    let keep_alive = exchange.endpoint.options.keep_alive;
    let over = manner.survives.then(|| Arc::clone(&exchange.endpoint.over));
    let out = Arc::new(Out::default());
    let cancelled = matches!(turn, Some(Turn { end: Some(End::Cancelled), .. }));
    let kept = exchange.kept().filter(|_| !cancelled);
    let polls = manner.polls && kept.is_some();
    let stream = Arc::new(EventStream::new(kept, 0));
    stream.connect(Arc::clone(&out));
    if let (Some(session), Some(kept)) = (&exchange.held.session, stream.kept()) {
        session.keep(kept.stream, &stream);
    }
    let body = EventBody::new(Box::pin(exchange.drive(stream, polls, turn)), out, keep_alive);
    reply::events(match over {
        Some(over) => body.surviving(over),
        None => body,
    })
}
