//! One stream of events: numbered and kept, so that it can be resumed, where there is a session to keep it for.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_transport::sse::Event;

use super::event_id::{EventId, Purpose, StreamName};
use super::events::{EventStore, Replay, StreamKey};
use super::out::Out;

/// Where a stream's events are kept.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) session: Arc<str>,
    pub(crate) stream: StreamName,
}

impl Kept {
    fn key(&self) -> StreamKey<'_> {
        StreamKey { session: &self.session, stream: self.stream.number }
    }

    fn id(&self, number: u64) -> String {
        EventId { stream: self.stream, number }.to_string()
    }

    /// Writes to `out` what the store has after event `number`; gives the number of the last one and whether the
    /// stream has ended. `None` if something is lost.
    pub(crate) async fn replay(&self, after: u64, out: &Out) -> Option<(u64, bool)> {
        match self.store.replay(self.key(), after).await {
            Ok(Replay::Events { events, ended }) => {
                let last = events.last().map_or(after, |(number, _)| *number);
                for (number, message) in &events {
                    out.event(Event::new(message).id(&self.id(*number)));
                }
                Some((last, ended))
            }
            Ok(Replay::Lost) => None,
            Err(error) => {
                tracing::warn!(%error, "the event store cannot replay");
                None
            }
        }
    }
}

/// A stream of events, with or without a connection that reads it.
pub(crate) struct EventStream {
    kept: Option<Kept>,
    /// The number of the last event. Whoever says something or takes the stream over has the turn.
    turn: tokio::sync::Mutex<u64>,
    connection: Mutex<Option<Arc<Out>>>,
    /// Nothing more is said. Set by who has the turn.
    ended: AtomicBool,
}

impl EventStream {
    /// A stream that nobody reads yet, and that can be resumed if it is `kept`. Its last event was number `said`.
    pub(crate) fn new(kept: Option<Kept>, said: u64) -> Self {
        Self { kept, turn: tokio::sync::Mutex::new(said), connection: Mutex::default(), ended: AtomicBool::new(false) }
    }

    /// Where it is kept, if it is.
    pub(crate) fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

    /// Lets `out` read it from here on, and nobody else.
    pub(crate) fn connect(&self, out: Arc<Out>) {
        let earlier = self.lock().replace(out);
        if let Some(earlier) = earlier {
            earlier.close();
        }
    }

    /// Lets `out` read it from event `after` on, and nobody else. Says whether nothing was lost.
    pub(crate) async fn resume(&self, out: Arc<Out>, after: u64) -> bool {
        let said = self.turn.lock().await;
        let Some(kept) = &self.kept else { return false };
        if *said != after && kept.replay(after, &out).await.is_none() {
            return false;
        }
        if self.ended.load(Ordering::Acquire) {
            out.close(); // it was found before it ended
        } else {
            self.connect(out);
        }
        true
    }

    /// Gives the client an id to come back with before anything was said.
    pub(crate) async fn prime(&self, retry: Duration) {
        let said = self.turn.lock().await;
        if let (Some(out), Some(kept)) = (self.connection(), &self.kept) {
            out.event(Event::priming(&kept.id(*said)).retry(retry));
        }
    }

    /// Says something: to the store first, so that no client has seen what cannot be replayed.
    pub(crate) async fn say(&self, message: &Bytes) {
        let mut said = self.turn.lock().await;
        let number = *said + 1;
        let mut id = None;
        if let Some(kept) = &self.kept {
            match kept.store.append(kept.key(), number, message.clone()).await {
                Ok(()) => id = Some(kept.id(number)),
                Err(error) => tracing::warn!(%error, "the event store cannot keep an event"),
            }
        }
        *said = number;
        if let Some(out) = self.connection() {
            let event = Event::new(message);
            out.event(id.as_deref().map_or(event, |id| event.id(id)));
        }
    }

    /// Nothing more is said, ever.
    pub(crate) async fn end(&self) {
        let _turn = self.turn.lock().await;
        self.ended.store(true, Ordering::Release);
        if let Some(kept) = &self.kept {
            if let Err(error) = kept.store.end(kept.key()).await {
                tracing::warn!(%error, "the event store cannot end a stream");
            }
        }
        self.release();
    }

    /// Lets the connection go, if the client can come back for the rest, which it is to do after `retry`.
    pub(crate) fn disconnect(&self, retry: Duration) {
        if self.kept.is_some() {
            if let Some(out) = self.connection() {
                out.retry(retry);
            }
            self.release();
        }
    }

    /// Closes the connection.
    pub(crate) fn release(&self) {
        let out = self.lock().take();
        if let Some(out) = out {
            out.close();
        }
    }

    /// Whether it is a GET stream that nobody reads.
    pub(crate) fn is_idle_news(&self) -> bool {
        let is_news = self.kept.as_ref().is_none_or(|kept| kept.stream.purpose == Purpose::News);
        is_news && self.connection().is_none_or(|out| out.is_closed())
    }

    fn connection(&self) -> Option<Arc<Out>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Out>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::super::events::MemoryEvents;
    use super::*;

    #[tokio::test]
    async fn who_resumes_what_has_just_ended_gets_the_rest_and_the_end() {
        // S-167, S-171
        let stream = StreamName::nth(1, Purpose::Answer);
        let stream =
            EventStream::new(Some(Kept { store: Arc::new(MemoryEvents::new()), session: "s".into(), stream }), 0);
        stream.say(&Bytes::from_static(b"{}")).await;
        stream.end().await;
        for (after, rest) in [(0, true), (1, false)] {
            let out = Arc::new(Out::default());
            assert!(stream.resume(Arc::clone(&out), after).await);
            assert!(out.is_closed(), "nobody is left to close it");
            assert_eq!(poll_fn(|cx| out.poll_take(cx)).await.is_some(), rest);
        }
    }
}
