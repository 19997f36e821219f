//! One SSE stream of a session. Its events are numbered and stored, so that the client can resume it.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_transport::sse::Event;

use super::event_id::{EventId, StreamId, StreamKind};
use super::events::{EventReplay, EventStore, StreamKey};
use crate::http::byte_budget::Reservation;
use crate::http::event_buffer::EventBuffer;

/// The place of a stream in the event store.
#[derive(Clone)]
pub(super) struct StreamStore {
    store: Arc<dyn EventStore>,
    session: Arc<str>,
    pub(super) stream: StreamId,
}

impl StreamStore {
    /// Returns the place of a stream of `session`, or `None` without an event store.
    pub(super) fn new(store: Option<&Arc<dyn EventStore>>, session: &Arc<str>, stream: StreamId) -> Option<Self> {
        Some(Self { store: Arc::clone(store?), session: Arc::clone(session), stream })
    }

    fn key(&self) -> StreamKey<'_> {
        StreamKey { session: &self.session, stream: self.stream.number }
    }

    fn id(&self, number: u64) -> String {
        EventId { stream: self.stream, number }.to_string()
    }

    /// Writes the stored events after number `after` to `buffer`. Returns the number of the last one and whether the
    /// stream has ended, or `None` if events were lost.
    pub(super) async fn replay(&self, after: u64, buffer: &EventBuffer) -> Option<(u64, bool)> {
        match self.store.replay(self.key(), after).await {
            Ok(EventReplay::Events { events, ended }) => {
                let last = events.last().map_or(after, |(number, _)| *number);
                for (number, message) in &events {
                    buffer.event(Event::new(message).id(&self.id(*number)));
                }
                Some((last, ended))
            }
            Ok(EventReplay::Lost) => None,
            Err(error) => {
                tracing::warn!(%error, "cannot replay events from the event store");
                None
            }
        }
    }
}

/// A stream of events, with or without a connection that reads it.
pub(super) struct EventStream {
    store: Option<StreamStore>,
    /// The number of the last event. Locked while an event is sent or a connection takes over.
    last: tokio::sync::Mutex<u64>,
    connection: Mutex<Option<Arc<EventBuffer>>>,
    /// No more events follow. Set while `last` is locked.
    ended: AtomicBool,
}

impl EventStream {
    /// Creates a stream without a connection, whose last event has the number `last`. It can be resumed if it has a
    /// `store`.
    pub(super) fn new(store: Option<StreamStore>, last: u64) -> Self {
        let last = tokio::sync::Mutex::new(last);
        Self { store, last, connection: Mutex::default(), ended: AtomicBool::new(false) }
    }

    /// Returns the place of the stream in the event store, if it is stored.
    pub(super) fn store(&self) -> Option<&StreamStore> {
        self.store.as_ref()
    }

    /// Sends events to `buffer` from now on, and closes the previous connection.
    pub(super) fn connect(&self, buffer: Arc<EventBuffer>) {
        let previous = self.lock().replace(buffer);
        if let Some(previous) = previous {
            previous.close();
        }
    }

    /// Sends the events after number `after` to `buffer`, and closes the previous connection. Returns false if events
    /// were lost.
    pub(super) async fn resume(&self, buffer: Arc<EventBuffer>, after: u64) -> bool {
        let last = self.last.lock().await;
        let Some(store) = &self.store else { return false };
        if *last != after && store.replay(after, &buffer).await.is_none() {
            return false;
        }
        if self.ended.load(Ordering::Acquire) {
            buffer.close(); // the stream ended after the caller looked it up
        } else {
            self.connect(buffer);
        }
        true
    }

    /// Sends a priming event, whose id lets the client resume before the first message.
    pub(super) async fn prime(&self, retry: Duration) {
        let last = self.last.lock().await;
        if let (Some(buffer), Some(store)) = (self.connection(), &self.store) {
            buffer.event(Event::priming(&store.id(*last)).retry(retry));
        }
    }

    /// Sends a message, whose memory may be counted in `reservation`. Stores it first, so that every event a client has
    /// received can be replayed.
    pub(super) async fn send(&self, message: &Bytes, reservation: Option<Reservation>) {
        let mut last = self.last.lock().await;
        let number = *last + 1;
        let mut id = None;
        if let Some(store) = &self.store {
            match store.store.append(store.key(), number, message.clone()).await {
                Ok(()) => id = Some(store.id(number)),
                Err(error) => tracing::warn!(%error, "cannot append an event to the event store"),
            }
        }
        *last = number;
        if let Some(buffer) = self.connection() {
            let event = Event::new(message);
            buffer.event_with(id.as_deref().map_or(event, |id| event.id(id)), reservation);
        }
    }

    /// Ends the stream, in the event store and on its connection.
    pub(super) async fn end(&self) {
        let _last = self.last.lock().await;
        self.ended.store(true, Ordering::Release);
        if let Some(store) = &self.store {
            if let Err(error) = store.store.end(store.key()).await {
                tracing::warn!(%error, "cannot mark a stream as ended in the event store");
            }
        }
        self.close_connection();
    }

    /// Closes the connection and asks the client to reconnect after `retry`. Does nothing if the stream cannot be
    /// resumed.
    pub(super) fn disconnect(&self, retry: Duration) {
        if self.store.is_some() {
            if let Some(buffer) = self.connection() {
                buffer.retry(retry);
            }
            self.close_connection();
        }
    }

    /// Closes the connection.
    pub(super) fn close_connection(&self) {
        let buffer = self.lock().take();
        if let Some(buffer) = buffer {
            buffer.close();
        }
    }

    /// Returns whether it is a GET stream without a connection.
    pub(super) fn is_disconnected_get(&self) -> bool {
        let is_get = self.store.as_ref().is_none_or(|store| store.stream.kind == StreamKind::Get);
        is_get && self.connection().is_none_or(|buffer| buffer.is_closed())
    }

    fn connection(&self) -> Option<Arc<EventBuffer>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<EventBuffer>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::super::events::MemoryEventStore;
    use super::*;

    #[tokio::test]
    async fn resume_replays_the_rest_and_closes_when_the_stream_has_just_ended() {
        // S-167, S-171
        let stream = StreamId::nth(1, StreamKind::Response);
        let store = StreamStore { store: Arc::new(MemoryEventStore::new()), session: "s".into(), stream };
        let stream = EventStream::new(Some(store), 0);
        stream.send(&Bytes::from_static(b"{}"), None).await;
        stream.end().await;
        for (after, rest) in [(0, true), (1, false)] {
            let buffer = Arc::new(EventBuffer::default());
            assert!(stream.resume(Arc::clone(&buffer), after).await);
            assert!(buffer.is_closed(), "the buffer stays open");
            assert_eq!(poll_fn(|cx| buffer.poll_take(cx)).await.is_some(), rest);
        }
    }
}
