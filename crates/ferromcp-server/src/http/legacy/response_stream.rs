//! The resumable response stream of a request in a session.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server>.

use std::future::poll_fn;
use std::sync::Arc;

use super::event_id::StreamKind;
use super::event_stream::{EventStream, StreamStore};
use crate::box_future::BoxFuture;
use crate::http::event_buffer::EventBuffer;
use crate::http::in_flight::{End, InFlightRequest, Progressed};

/// Returns a future that sends all messages of a request, and its reply, on a resumable stream connected to `buffer`.
pub(crate) fn drive(
    request: InFlightRequest,
    supports_reconnect: bool,
    progress: Option<Progressed>,
    buffer: Arc<EventBuffer>,
) -> BoxFuture<()> {
    let is_cancelled = matches!(progress, Some(Progressed { end: Some(End::Cancelled), .. }));
    let session = request.session.as_ref().filter(|_| !is_cancelled);
    let store = session.and_then(|session| {
        let events = request.endpoint.options.events.as_ref();
        StreamStore::new(events, &session.id, session.new_stream_id(StreamKind::Response))
    });
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
            stream.send(message, None).await;
        }
        match end {
            Some(End::Answered(answer)) => {
                stream.send(&answer.body, answer.reservation).await;
                break;
            }
            Some(End::Cancelled) => break,
            None => {}
        }
        if let Some(retry) = outgoing.disconnect.filter(|_| supports_reconnect) {
            stream.disconnect(retry);
        }
    }
    match (&request.session, stream.store()) {
        (Some(session), _) if session.ended.is_set() => {
            stream.close_connection();
            // Purged again: the session may have ended while an event was being stored.
            request.endpoint.legacy.purge_events([Arc::clone(session)]).await;
        }
        (Some(session), Some(store)) => {
            stream.end().await;
            session.remove_stream(store.stream, &stream);
        }
        _ => stream.end().await,
    }
}
