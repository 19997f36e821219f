//! One SSE stream of a session. Its events are numbered and stored, so that the client can resume it.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery>.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_transport::sse::Event;

use super::event_id::{EventId, StreamId, StreamKind};
use super::events::{EventReplay, EventStore, StreamKey};
use super::session::HttpSession;
use crate::http::endpoint::Endpoint;
use crate::http::event_buffer::EventBuffer;
use crate::http::in_flight::{End, InFlightRequest, Progressed};
use crate::started::BoxFuture;

/// The place of a stream in the event store.
#[derive(Clone)]
pub(super) struct StreamStore {
    store: Arc<dyn EventStore>,
    session: Arc<str>,
    pub(super) stream: StreamId,
}

impl StreamStore {
    /// Returns the place of a stream of `session`, or `None` if the endpoint does not store events.
    pub(super) fn new(endpoint: &Endpoint, session: &HttpSession, stream: StreamId) -> Option<Self> {
        let store = Arc::clone(endpoint.options.events.as_ref()?);
        Some(Self { store, session: Arc::clone(&session.id), stream })
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

    /// Sends a message. Stores it first, so that every event a client has received can be replayed.
    pub(super) async fn send(&self, message: &Bytes) {
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
            buffer.event(id.as_deref().map_or(event, |id| event.id(id)));
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

/// Returns a future that sends all messages of a request, and its reply, on a resumable stream connected to `buffer`.
pub(crate) fn drive(
    request: InFlightRequest,
    supports_reconnect: bool,
    progress: Option<Progressed>,
    buffer: Arc<EventBuffer>,
) -> BoxFuture<()> {
    let is_cancelled = matches!(progress, Some(Progressed { end: Some(End::Cancelled), .. }));
    let session = request.leases.session.as_ref().filter(|_| !is_cancelled);
    let store = session
        .and_then(|session| StreamStore::new(&request.endpoint, session, session.new_stream_id(StreamKind::Response)));
    let supports_reconnect = supports_reconnect && store.is_some();
    let stream = Arc::new(EventStream::new(store, 0));
    stream.connect(buffer);
    if let (Some(session), Some(store)) = (session, stream.store()) {
        session.add_stream(store.stream, &stream);
    }
    Box::pin(send_all(request, stream, supports_reconnect, progress))
}

/// Sends everything on `stream`. A client that `supports_reconnect` gets a priming event first, and the handler may
/// close its connection.
async fn send_all(
    mut request: InFlightRequest,
    stream: Arc<EventStream>,
    supports_reconnect: bool,
    mut progress: Option<Progressed>,
) {
    if supports_reconnect {
        stream.prime(request.endpoint.options.retry).await;
    }
    loop {
        let Progressed { outgoing, end } = match progress.take() {
            Some(progress) => progress,
            None => poll_fn(|cx| request.poll_progress(cx)).await,
        };
        for message in &outgoing.messages {
            stream.send(message).await;
        }
        match end {
            Some(End::Answered(answer)) => {
                stream.send(&answer.body).await;
                break;
            }
            Some(End::Cancelled) => break,
            None => {}
        }
        if let Some(retry) = outgoing.disconnect.filter(|_| supports_reconnect) {
            stream.disconnect(retry);
        }
    }
    match (&request.leases.session, stream.store()) {
        (Some(session), _) if session.ended.is_set() => {
            stream.close_connection();
            // Purged again: the session may have ended while an event was being stored.
            request.endpoint.purge_events([Arc::clone(session)]).await;
        }
        (Some(session), Some(store)) => {
            stream.end().await;
            session.remove_stream(store.stream, &stream);
        }
        _ => stream.end().await,
    }
}

#[cfg(test)]
mod tests {
    use super::super::events::MemoryEventStore;
    use super::*;

    #[tokio::test]
    async fn resume_replays_the_rest_and_closes_when_the_stream_has_just_ended() {
        // S-167, S-171
        let stream = StreamId::nth(1, StreamKind::Response);
        let store = StreamStore { store: Arc::new(MemoryEventStore::new()), session: "s".into(), stream };
        let stream = EventStream::new(Some(store), 0);
        stream.send(&Bytes::from_static(b"{}")).await;
        stream.end().await;
        for (after, rest) in [(0, true), (1, false)] {
            let buffer = Arc::new(EventBuffer::default());
            assert!(stream.resume(Arc::clone(&buffer), after).await);
            assert!(buffer.is_closed(), "the buffer stays open");
            assert_eq!(poll_fn(|cx| buffer.poll_take(cx)).await.is_some(), rest);
        }
    }
}
