//! HTTP+SSE, the transport of 2024-11-05: one GET stream for all server messages, and POSTs for client messages.
//!
//! Together they form a bidirectional pipe, and are served like stdio. A session lives as long as its stream. Each message
//! has the access of its POST.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse>.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ferromcp_core::Identity;
use ferromcp_transport::sse::Event;
use ferromcp_transport::{Frame, FrameRx, MemoryRx, MemoryTx, Transport, memory};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use tokio::time::timeout;

use super::sse_messages::{self, MessageRx, MessageTx};
use super::sse_sessions::SseSession;
use crate::http::accept::{Accepts, is_json, is_unencoded};
use crate::http::authorization::caller;
use crate::http::body::Body;
use crate::http::connection::Client;
use crate::http::endpoint::{Endpoint, Limit, Permit};
use crate::http::event_body::EventBody;
use crate::http::event_buffer::EventBuffer;
use crate::http::post::reject_body;
use crate::http::{reply, request_body};
use crate::principal;
use crate::random;
use crate::serve;

/// The last segment of the path of the GET stream.
const STREAM: &str = "sse";
/// The last segment of the path for messages.
const MESSAGES: &str = "messages";
/// The query parameter with the session id.
const SESSION_ID: &str = "sessionId";

/// Returns whether a path is one of the two paths of this transport.
pub(crate) fn is_path(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some(STREAM | MESSAGES))
}

/// Responds to a request for one of the two paths.
pub(crate) async fn handle<B: http_body::Body>(
    endpoint: &Arc<Endpoint>,
    parts: &Parts,
    body: B,
    client: &Client<'_>,
) -> Response<Body> {
    let is_stream = parts.uri.path().ends_with(STREAM);
    match (is_stream, &parts.method) {
        (true, &Method::GET) => open(endpoint, parts, client),
        (false, &Method::POST) => message(endpoint, parts, body, client).await,
        (true, _) => reply::method_not_allowed("GET"),
        (false, _) => reply::method_not_allowed("POST"),
    }
}

/// Opens a session. The first event of its stream names the URL for messages.
fn open(endpoint: &Arc<Endpoint>, parts: &Parts, client: &Client<'_>) -> Response<Body> {
    if !Accepts::of(&parts.headers).events {
        return reply::events_not_accepted();
    }
    let permit = match endpoint.acquire(Limit::Streams, client) {
        Ok(permit) => permit,
        Err(reason) => return reply::refused(reason),
    };
    let (id, pipes) = match random::id().and_then(|id| Ok((Arc::<str>::from(id), Pipes::new()?))) {
        Ok(opened) => opened,
        Err(error) => {
            tracing::error!(%error, "cannot open an HTTP+SSE session");
            return reply::unavailable("Cannot open an HTTP+SSE session");
        }
    };
    let access_end = principal::access_end(parts.extensions.get());
    let Pipes { client_tx, server_rx, client_rx, server_tx } = pipes;
    let session = SseSession { identity: parts.extensions.get().cloned(), messages: client_tx };
    endpoint.legacy.sse_sessions.add(&id, session);
    let buffer = Arc::new(EventBuffer::default());
    // Relative, so that it is valid under any path where a router mounts the endpoint.
    buffer.event(Event::new(format!("{MESSAGES}?{SESSION_ID}={id}").as_bytes()).event("endpoint"));
    let served = serve::pipe(Arc::clone(&endpoint.inner), server_rx, server_tx);
    let driver = run(OpenSession::new(endpoint, id, permit), served, access_end, client_rx, Arc::clone(&buffer));
    let body = EventBody::new(
        Box::pin(driver),
        buffer,
        endpoint.options.keep_alive,
        client.responses(&endpoint.sending.responses),
    );
    reply::events(body.ends_when_written(client.ends_when_written()))
}

/// The two directions of a session in memory: client to server, and server to client.
struct Pipes {
    client_tx: MessageTx,
    server_rx: MessageRx,
    client_rx: MemoryRx,
    server_tx: MemoryTx,
}

impl Pipes {
    fn new() -> io::Result<Self> {
        let (client_tx, server_rx) = sse_messages::queue();
        let (client, server) = memory();
        let ((client_rx, _), (_, server_tx)) = (client.split()?, server.split()?);
        Ok(Self { client_tx, server_rx, client_rx, server_tx })
    }
}

/// An open session. Removed from the endpoint when dropped.
struct OpenSession {
    endpoint: Arc<Endpoint>,
    id: Arc<str>,
    _permit: Permit,
}

impl OpenSession {
    fn new(endpoint: &Arc<Endpoint>, id: Arc<str>, permit: Permit) -> Self {
        endpoint.legacy.open_sse_streams.fetch_add(1, Ordering::AcqRel);
        Self { endpoint: Arc::clone(endpoint), id, _permit: permit }
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.endpoint.legacy.open_sse_streams.fetch_sub(1, Ordering::AcqRel);
        self.endpoint.legacy.sse_sessions.remove(&self.id);
    }
}

/// Serves the pipe and forwards server messages to `buffer`, until the client disconnects or loses its access, or the server
/// shuts down.
async fn run(
    session: OpenSession,
    served: impl Future<Output = io::Result<()>>,
    access_end: impl Future<Output = &'static str>,
    mut client_rx: MemoryRx,
    buffer: Arc<EventBuffer>,
) {
    let forward = async {
        while let Ok(Some(Frame::Complete(message))) = client_rx.recv().await {
            buffer.event(Event::new(&message).event("message"));
        }
    };
    let closing = async {
        session.endpoint.sending.closing.wait().await;
        // Drops the sender of the pipe, so that `served` reads EOF and shuts down gracefully.
        session.endpoint.legacy.sse_sessions.remove(&session.id);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        (served, ()) = async { tokio::join!(served, forward) } => {
            if let Err(error) = served {
                tracing::debug!(%error, "an HTTP+SSE session failed");
            }
        }
        () = closing => {}
        reason = access_end => tracing::debug!("an HTTP+SSE stream ended: {reason}"),
    }
}

/// Handles a POST with a message. The reply is sent on the stream of the session.
async fn message<B: http_body::Body>(
    endpoint: &Arc<Endpoint>,
    parts: &Parts,
    body: B,
    client: &Client<'_>,
) -> Response<Body> {
    if !parts.headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return reply::not_json();
    }
    if !is_unencoded(&parts.headers) {
        return reply::encoded_body();
    }
    let Some(session) = find(endpoint, parts) else {
        let why = "Session not found: its stream is closed; open a new one with GET";
        return reply::reject(StatusCode::NOT_FOUND, why);
    };
    let _permit = match endpoint.acquire(Limit::InFlight, client) {
        Ok(permit) => permit,
        Err(reason) => return reply::refused(reason),
    };
    let (bytes, _lease) = match request_body::read(body, &parts.headers, endpoint, client).await {
        Ok(read) => read,
        Err(error) => return reject_body(endpoint, error),
    };
    let sent = session.messages.send(&bytes, caller(parts));
    match timeout(endpoint.options.limits.body_timeout, sent).await {
        Ok(Ok(())) => reply::accepted(),
        Ok(Err(_)) => reply::reject(StatusCode::NOT_FOUND, "Session not found: its stream is closed"),
        Err(_) => reply::unavailable("The buffer of the session is full: the client does not read its stream"),
    }
}

fn find(endpoint: &Endpoint, parts: &Parts) -> Option<SseSession> {
    let query = parts.uri.query()?;
    let id = query.split('&').find_map(|pair| pair.strip_prefix(SESSION_ID)?.strip_prefix('='))?;
    endpoint.legacy.sse_sessions.find(id, parts.extensions.get::<Identity>())
}
