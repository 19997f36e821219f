//! A request being answered: its calls, what they say, and what it holds meanwhile.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use ferromcp_core::RequestId;

use super::endpoint::{Endpoint, Permit};
use super::event_body::go_on;
use super::event_id::Purpose;
use super::event_stream::{EventStream, Kept};
use super::reply::Answer;
use super::session::Busy;
use super::sink::{HttpSink, Said};
use super::work::Work;

/// A request under way, with all it holds.
pub(crate) struct Exchange {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) work: Work,
    pub(crate) sink: Arc<HttpSink>,
    pub(crate) held: Held,
}

/// What a request keeps while it is under way.
pub(crate) struct Held {
    _permit: Permit,
    pub(crate) session: Option<Busy>,
    /// By which ids the client may cancel it, and what hears of that.
    cancellable: Vec<(RequestId, Arc<HttpSink>)>,
}

impl Held {
    pub(crate) fn new(permit: Permit) -> Self {
        Self { _permit: permit, session: None, cancellable: Vec::new() }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(session) = &self.session {
            for (id, sink) in &self.cancellable {
                session.finish(id, sink);
            }
        }
    }
}

/// What came of one turn of an exchange.
pub(crate) struct Turn {
    pub(crate) said: Said,
    pub(crate) end: Option<End>,
}

pub(crate) enum End {
    Answered(Answer),
    Cancelled,
}

impl Exchange {
    /// Lets the client cancel it from now on, by the ids of its requests.
    pub(crate) fn register(&mut self, ids: Vec<RequestId>) {
        if let Some(session) = &self.held.session {
            let begun = ids.into_iter().filter(|id| session.begin(id, &self.sink));
            self.held.cancellable = begun.map(|id| (id, Arc::clone(&self.sink))).collect();
        }
    }

    /// Lets the calls go on, and gives what they said or answered.
    pub(crate) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        let end = loop {
            for id in self.sink.withdrawn() {
                if !self.work.withdraw(&id) {
                    self.sink.cancel();
                }
            }
            match self.work.poll(&self.endpoint.inner, cx) {
                Poll::Ready(answer) => break Some(End::Answered(answer)),
                Poll::Pending if self.sink.poll_any(cx).is_pending() => return Poll::Pending,
                Poll::Pending if !self.sink.has_withdrawn() => break None,
                Poll::Pending => {}
            }
        };
        let said = self.sink.take();
        let end = if said.cancelled { Some(End::Cancelled) } else { end };
        Poll::Ready(Turn { said, end })
    }

    /// Where a stream of this exchange is kept, so that it can be resumed.
    pub(crate) fn kept(&self) -> Option<Kept> {
        let session = self.held.session.as_deref()?;
        let store = Arc::clone(self.endpoint.options.events.as_ref()?);
        Some(Kept { store, session: Arc::clone(&session.id), stream: session.name(Purpose::Answer) })
    }

    /// Says everything on `stream`, to the end. A client that `polls` gets an id first, and comes back when the
    /// connection is let go.
    pub(crate) async fn drive(mut self, stream: Arc<EventStream>, polls: bool, mut turn: Option<Turn>) {
        if polls {
            stream.prime(self.endpoint.options.retry).await;
        }
        loop {
            let Turn { said, end } = match turn.take() {
                Some(turn) => turn,
                None => poll_fn(|cx| self.poll_turn(cx)).await,
            };
            for message in &said.messages {
                stream.say(message).await;
            }
            match end {
                Some(End::Answered(answer)) => {
                    stream.say(&answer.body).await;
                    break;
                }
                Some(End::Cancelled) => break,
                None => {}
            }
            if let Some(retry) = said.disconnect.filter(|_| polls) {
                stream.disconnect(retry);
            }
        }
        match (&self.held.session, stream.kept()) {
            (Some(session), _) if session.ended.is_set() => {
                stream.release();
                // Once more: it may have ended while something was being kept.
                self.endpoint.forget([Arc::clone(session)]).await;
            }
            (Some(session), Some(kept)) => {
                stream.end().await;
                session.forget(kept.stream, &stream);
            }
            _ => stream.end().await,
        }
    }
}

/// An exchange whose response has not begun. Dropped, it goes on alone if it survives.
pub(crate) struct Unanswered {
    pub(crate) exchange: Option<Exchange>,
    pub(crate) survives: bool,
}

impl Unanswered {
    pub(crate) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        match &mut self.exchange {
            Some(exchange) => exchange.poll_turn(cx),
            None => Poll::Pending, // it is taken when nobody polls any more
        }
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let (true, Some(exchange)) = (self.survives, self.exchange.take()) {
            let unheard = Arc::new(EventStream::new(None, 0));
            let over = Arc::clone(&exchange.endpoint.over);
            go_on(Box::pin(exchange.drive(unheard, false, None)), over);
        }
    }
}
