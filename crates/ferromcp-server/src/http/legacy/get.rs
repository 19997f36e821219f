//! GET: opens a stream of server notifications, or resumes a stream after a disconnect.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server>.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use ferromcp_core::Revision;
use ferromcp_core::wire::encode;
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};

use super::event_id::{EventId, StreamId, StreamKind};
use super::event_stream::{EventStream, StreamStore};
use super::scope::{LegacyScope, find_scope};
use super::session::SessionGuard;
use crate::access::principal_filter;
use crate::box_future::BoxFuture;
use crate::http::accept::Accepts;
use crate::http::body::Body;
use crate::http::byte_budget::ByteBudget;
use crate::http::connection::Client;
use crate::http::endpoint::{Endpoint, Limit, Permit};
use crate::http::event_body::EventBody;
use crate::http::event_buffer::EventBuffer;
use crate::http::limits::{MAX_STREAMS_PER_SESSION, STREAM_BUFFER_BYTES};
use crate::http::{modern, reply};
use crate::principal::{Principal, access_end};

/// The header with the id of the last event that the client received.
const LAST_EVENT_ID: &str = "last-event-id";

/// Responds to a GET.
pub(crate) async fn get(endpoint: &Arc<Endpoint>, parts: &Parts, client: &Client<'_>) -> Response<Body> {
    if endpoint.options.stateless || modern::is_declared(&parts.headers) {
        return reply::method_not_allowed("POST");
    }
    if !Accepts::of(&parts.headers).events {
        return reply::events_not_accepted();
    }
    let scope = match find_scope(endpoint, parts) {
        Ok(scope) => scope,
        Err(response) => return *response,
    };
    let Ok(last) = last_event_id(&parts.headers) else { return cannot_resume() };
    let principal: Option<&Principal> = parts.extensions.get();
    if last.is_some() && scope.session().is_some_and(|session| !session.scopes.are_granted_to(principal)) {
        let why = "Cannot resume: the access token has fewer scopes than those of earlier requests of the session";
        return reply::reject(StatusCode::FORBIDDEN, why);
    }
    scope.record_scopes(endpoint, principal);
    let LegacyScope::Session(session) = scope else { return reply::method_not_allowed("POST") };
    let permit = match endpoint.acquire(Limit::Streams, client) {
        Ok(permit) => permit,
        Err(reason) => return reply::refused(reason),
    };
    let buffer = match last {
        Some(EventId { stream: StreamId { kind: StreamKind::Response, .. }, .. }) => {
            // The driver of the request writes to it, without waiting for this connection to read.
            EventBuffer::bounded(STREAM_BUFFER_BYTES)
        }
        _ => EventBuffer::default(),
    };
    let buffer = Arc::new(buffer);
    let connection = Connection {
        responses: Arc::clone(client.responses(&endpoint.sending.responses)),
        ends_when_written: client.ends_when_written(),
        principal: principal.cloned(),
        endpoint: Arc::clone(endpoint),
        session,
        _permit: permit,
        buffer,
    };
    match last {
        None => connection.notifications(None).await,
        Some(last) if last.stream.kind == StreamKind::Get => connection.notifications(Some(last)).await,
        Some(last) => connection.resume_response(last).await,
    }
}

/// Parses the `Last-Event-ID` header, if there is one.
fn last_event_id(headers: &HeaderMap) -> Result<Option<EventId>, ()> {
    let Some(id) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let id = id.to_str().map_err(|_| ())?;
    if id.is_empty() { Ok(None) } else { id.parse().map(Some).map_err(|_| ()) }
}

fn cannot_resume() -> Response<Body> {
    reply::reject(StatusCode::BAD_REQUEST, "Cannot resume: unknown or expired Last-Event-ID")
}

/// The connection of a GET.
struct Connection {
    endpoint: Arc<Endpoint>,
    session: SessionGuard,
    _permit: Permit,
    buffer: Arc<EventBuffer>,
    responses: Arc<ByteBudget>,
    ends_when_written: bool,
    /// The principal of the client, which may lose its access.
    principal: Option<Principal>,
}

/// A connected GET stream, counted in its session until dropped.
struct GetStream(Connection);

impl Drop for GetStream {
    fn drop(&mut self) {
        self.0.session.release_get_stream();
    }
}

impl Connection {
    fn store(&self, stream: StreamId) -> Option<StreamStore> {
        StreamStore::new(self.endpoint.options.events.as_ref(), &self.session.id, stream)
    }

    /// Returns a function that responds with a stream of the events that a driver writes to the buffer.
    fn events(&self) -> impl FnOnce(BoxFuture<()>) -> Response<Body> + use<> {
        let (buffer, keep_alive) = (Arc::clone(&self.buffer), self.endpoint.options.keep_alive);
        let (responses, ends_when_written) = (Arc::clone(&self.responses), self.ends_when_written);
        move |driver| {
            let body = EventBody::new(driver, buffer, keep_alive, &responses);
            reply::events(body.ends_when_written(ends_when_written))
        }
    }

    /// Responds with a stream of server notifications. Resumes an earlier stream after event `last`, if given.
    async fn notifications(self, last: Option<EventId>) -> Response<Body> {
        if !self.session.acquire_get_stream() {
            let why = format!("Too many GET streams in this session; at most {MAX_STREAMS_PER_SESSION}");
            return reply::reject(StatusCode::TOO_MANY_REQUESTS, why);
        }
        let get_stream = GetStream(self);
        let connection = &get_stream.0;
        let id = last.map_or_else(|| connection.session.new_stream_id(StreamKind::Get), |last| last.stream);
        let stream = match last {
            None => {
                let stream = Arc::new(EventStream::new(connection.store(id), 0));
                stream.connect(Arc::clone(&connection.buffer));
                stream
            }
            Some(last) => match connection.take_over(last).await {
                Some(stream) => stream,
                None => return cannot_resume(),
            },
        };
        connection.session.add_get_stream(id, &stream);
        if last.is_none() && connection.session.revision() == Revision::V2025_11_25 {
            stream.prime(connection.endpoint.options.retry).await;
        }
        let events = connection.events();
        events(Box::pin(get_stream.forward(stream)))
    }

    /// Returns the stream of `last`, now read by this connection. `None` if it cannot be resumed.
    async fn take_over(&self, last: EventId) -> Option<Arc<EventStream>> {
        if let Some(stream) = self.session.stream(last.stream) {
            return stream.resume(Arc::clone(&self.buffer), last.number).await.then_some(stream);
        }
        let store = self.store(last.stream)?;
        let (number, _) = store.replay(last.number, &self.buffer).await?;
        let stream = Arc::new(EventStream::new(Some(store), number));
        stream.connect(Arc::clone(&self.buffer));
        Some(stream)
    }

    /// Responds with the rest of the response to a POST, after event `last`.
    async fn resume_response(self, last: EventId) -> Response<Body> {
        let (buffer, events) = (Arc::clone(&self.buffer), self.events());
        if let Some(stream) = self.session.stream(last.stream) {
            if !stream.resume(Arc::clone(&buffer), last.number).await {
                return cannot_resume();
            }
            if self.session.ended.is_set() {
                stream.close_connection(); // the session may have ended before this connection took over
            }
            // The driver of the request sends the rest and ends the stream; this future keeps the session alive.
            let closed = async move {
                tokio::select! {
                    () = self.buffer.closed() => {}
                    reason = access_end(self.principal.as_ref()) => {
                        tracing::debug!("a resumed stream was closed: {reason}");
                        self.buffer.close();
                    }
                }
            };
            return events(Box::pin(closed));
        }
        // No driver runs in this process: send the stored events, and let the client reconnect.
        let Some(store) = self.store(last.stream) else { return cannot_resume() };
        let Some((_, ended)) = store.replay(last.number, &buffer).await else { return cannot_resume() };
        if !ended {
            buffer.retry(self.endpoint.options.retry);
        }
        buffer.close();
        events(Box::pin(std::future::ready(())))
    }
}

impl GetStream {
    /// Forwards notifications until the session ends, the client loses its access, or the server shuts down.
    async fn forward(self, stream: Arc<EventStream>) {
        let Connection { endpoint, session, principal, .. } = &self.0;
        let mut access_end = pin!(access_end(principal.as_ref()));
        // The token of this request may grant less than that of the request that subscribed.
        let filter = principal_filter(&endpoint.inner.registry, principal.as_ref());
        let mailbox = session.negotiated().mailbox().cloned();
        let Some(mailbox) = mailbox else { return };
        let revision = session.revision();
        loop {
            let notification = tokio::select! {
                biased;
                () = endpoint.sending.closing.wait() => return,
                () = session.ended.wait() => return,
                reason = &mut access_end => return tracing::debug!("a GET stream ended: {reason}"),
                notification = async {
                    session.initialized.wait().await; // no notification may precede `notifications/initialized`
                    mailbox.next_of(&filter).await
                } => notification,
            };
            let mut message = BytesMut::new();
            match encode::server_notification(&mut message, notification, revision) {
                Ok(()) => self.send(&stream, message.freeze()).await,
                Err(error) => tracing::error!(%error, "cannot serialize a notification"),
            }
        }
    }

    /// Sends a message even if this connection closes meanwhile, because the message has left the mailbox.
    async fn send(&self, stream: &Arc<EventStream>, message: Bytes) {
        let Connection { endpoint, session, .. } = &self.0;
        let (endpoint, session, stream) = (Arc::clone(endpoint), Arc::clone(session), Arc::clone(stream));
        let mut sending: BoxFuture<()> = Box::pin(async move {
            stream.send(&message, None).await;
            if session.ended.is_set() {
                endpoint.legacy.purge_events([session]).await; // it may have ended while the event was being stored
            }
        });
        // Only an asynchronous event store needs a task.
        if poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await.is_pending() {
            let _ = tokio::spawn(sending).await; // if the store panics, only this message is lost
        }
    }
}
