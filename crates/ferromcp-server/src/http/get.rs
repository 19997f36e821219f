//! A GET: a stream for what the server says by itself, or the rest of a stream that was cut (legacy era).
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server>.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use ferromcp_core::Revision;
use ferromcp_core::wire::encode;
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};

use super::accept::Accepts;
use super::body::Body;
use super::endpoint::{Endpoint, Permit, Place};
use super::event_body::EventBody;
use super::event_id::{EventId, Purpose, StreamName};
use super::event_stream::{EventStream, Kept};
use super::legacy::{Belongs, belongs};
use super::out::Out;
use super::session::Busy;
use super::{modern, reply};
use crate::started::BoxFuture;

/// The header that names the last event a client has seen.
const LAST_EVENT_ID: &str = "last-event-id";

/// Answers a GET.
pub(crate) async fn answer(endpoint: &Arc<Endpoint>, parts: &Parts) -> Response<Body> {
    if endpoint.options.stateless || modern::is_meant(&parts.headers) {
        return reply::method_not_allowed("POST");
    }
    if !Accepts::of(&parts.headers).events {
        return reply::only_events();
    }
    let session = match belongs(endpoint, parts) {
        Ok(Belongs::Session(session)) => session,
        Ok(Belongs::Nothing(..)) => return reply::method_not_allowed("POST"),
        Err(response) => return *response,
    };
    let Ok(last) = last_event(&parts.headers) else { return lost() };
    let Some(permit) = endpoint.permit(Place::Stream) else { return reply::full(endpoint, Place::Stream) };
    let out = match last {
        Some(EventId { stream: StreamName { purpose: Purpose::Answer, .. }, .. }) => {
            Out::bounded(endpoint.options.limits.stream_bytes) // the request itself writes, at its own pace
        }
        _ => Out::default(),
    };
    let connection = Connection { endpoint: Arc::clone(endpoint), session, _permit: permit, out: Arc::new(out) };
    match last {
        None => connection.news(None).await,
        Some(last) if last.stream.purpose == Purpose::News => connection.news(Some(last)).await,
        Some(last) => connection.rest(last).await,
    }
}

/// The id of the last event the client has seen, if it says one.
fn last_event(headers: &HeaderMap) -> Result<Option<EventId>, ()> {
    let Some(id) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let id = id.to_str().map_err(|_| ())?;
    if id.is_empty() { Ok(None) } else { id.parse().map(Some).map_err(|_| ()) }
}

fn lost() -> Response<Body> {
    reply::refuse(StatusCode::BAD_REQUEST, "Bad request: Last-Event-ID names no event that can be gone on from here")
}

/// A GET being answered.
struct Connection {
    endpoint: Arc<Endpoint>,
    session: Busy,
    _permit: Permit,
    out: Arc<Out>,
}

/// Counts one GET stream of a session, until dropped.
struct Reading(Connection);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.session.close_news();
    }
}

impl Connection {
    fn kept(&self, stream: StreamName) -> Option<Kept> {
        let store = Arc::clone(self.endpoint.options.events.as_ref()?);
        Some(Kept { store, session: Arc::clone(&self.session.id), stream })
    }

    /// A stream of what the server says by itself, after event `last` if it is an earlier one that goes on.
    async fn news(self, last: Option<EventId>) -> Response<Body> {
        if !self.session.open_news(self.endpoint.options.limits.streams_per_session) {
            let why = "Too many streams of one session; `HttpLimits::streams_per_session` sets how many";
            return reply::refuse(StatusCode::TOO_MANY_REQUESTS, why);
        }
        let reading = Reading(self);
        let connection = &reading.0;
        let name = last.map_or_else(|| connection.session.name(Purpose::News), |last| last.stream);
        let stream = match last {
            None => {
                let stream = Arc::new(EventStream::new(connection.kept(name), 0));
                stream.connect(Arc::clone(&connection.out));
                stream
            }
            Some(last) => match connection.take_over(last).await {
                Some(stream) => stream,
                None => return lost(),
            },
        };
        connection.session.keep_news(name, &stream, connection.endpoint.options.limits.streams_per_session);
        if last.is_none() && connection.session.revision() == Revision::V2025_11_25 {
            stream.prime(connection.endpoint.options.retry).await;
        }
        let (out, keep_alive) = (Arc::clone(&connection.out), connection.endpoint.options.keep_alive);
        let body = EventBody::new(Box::pin(reading.tell(stream)), out, keep_alive);
        reply::events(body)
    }

    /// The stream of `last`, read by this connection from there on.
    async fn take_over(&self, last: EventId) -> Option<Arc<EventStream>> {
        if let Some(stream) = self.session.stream(last.stream) {
            return stream.resume(Arc::clone(&self.out), last.number).await.then_some(stream);
        }
        let kept = self.kept(last.stream)?;
        let (number, _) = kept.replay(last.number, &self.out).await?;
        let stream = Arc::new(EventStream::new(Some(kept), number));
        stream.connect(Arc::clone(&self.out));
        Some(stream)
    }

    /// The rest of the answer to a POST, after event `last`.
    async fn rest(self, last: EventId) -> Response<Body> {
        let (out, keep_alive) = (Arc::clone(&self.out), self.endpoint.options.keep_alive);
        if let Some(stream) = self.session.stream(last.stream) {
            if !stream.resume(Arc::clone(&out), last.number).await {
                return lost();
            }
            if self.session.ended.is_set() {
                stream.release(); // the end may have come before this connection
            }
            // The request itself says the rest and ends it; this connection holds what keeps the session alive.
            let read = async move { self.out.closed().await };
            return reply::events(EventBody::new(Box::pin(read), out, keep_alive));
        }
        // It goes on nowhere here: what is kept is all, or the client asks again.
        let Some(kept) = self.kept(last.stream) else { return lost() };
        let Some((_, ended)) = kept.replay(last.number, &out).await else { return lost() };
        if !ended {
            out.retry(self.endpoint.options.retry);
        }
        out.close();
        reply::events(EventBody::new(Box::pin(std::future::ready(())) as BoxFuture<()>, out, keep_alive))
    }
}

impl Reading {
    /// Tells what happens until the session or the server ends.
    async fn tell(self, stream: Arc<EventStream>) {
        let Connection { endpoint, session, .. } = &self.0;
        let mailbox = session.agreed().mailbox().cloned();
        let Some(mailbox) = mailbox else { return };
        let revision = session.revision();
        loop {
            let news = tokio::select! {
                biased;
                () = endpoint.closing.wait() => return,
                () = session.ended.wait() => return,
                news = async {
                    session.ready.wait().await; // nothing is said before the client is ready for it
                    mailbox.next().await
                } => news,
            };
            let mut message = BytesMut::new();
            match encode::server_notification(&mut message, news, revision) {
                Ok(()) => self.say(&stream, message.freeze()).await,
                Err(error) => tracing::error!(%error, "a notification cannot be JSON"),
            }
        }
    }

    /// Says something to the end, whether or not the connection holds so long: it is in no mailbox any more.
    async fn say(&self, stream: &Arc<EventStream>, message: Bytes) {
        let Connection { endpoint, session, .. } = &self.0;
        let (endpoint, session, stream) = (Arc::clone(endpoint), Arc::clone(session), Arc::clone(stream));
        let mut saying: BoxFuture<()> = Box::pin(async move {
            stream.say(&message).await;
            if session.ended.is_set() {
                endpoint.forget([session]).await; // it may have ended while this was being kept
            }
        });
        // Only a store that takes its time needs a task.
        if poll_fn(|cx| Poll::Ready(saying.as_mut().poll(cx))).await.is_pending() {
            let _ = tokio::spawn(saying).await; // a store that panics loses this one alone
        }
    }
}
