//! HTTP+SSE, the transport of 2024-11-05: one stream for all that the server says, and POSTs beside it.
//!
//! Together they are a pipe, and are served as one. A conversation lives as long as its stream.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse>.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ferromcp_core::Identity;
use ferromcp_transport::memory::{MemoryRx, MemoryTx};
use ferromcp_transport::sse::Event;
use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport, memory};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use tokio::time::timeout;

use super::accept::{Accepts, is_json};
use super::body::Body;
use super::conversations::Conversation;
use super::endpoint::{Endpoint, Permit, Place};
use super::event_body::EventBody;
use super::out::Out;
use super::{post, read, reply};
use crate::random;
use crate::serve;

/// The last part of the path at which a stream begins.
const STREAM: &str = "sse";
/// The last part of the path to which messages are sent.
const MESSAGES: &str = "messages";
/// The parameter that says to which conversation a message belongs.
const CONVERSATION: &str = "sessionId";

/// Whether a path is one of the two of this transport.
pub(crate) fn is_at(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some(STREAM | MESSAGES))
}

/// Answers a request to one of the two paths.
pub(crate) async fn answer<B: http_body::Body>(endpoint: &Arc<Endpoint>, parts: &Parts, body: B) -> Response<Body> {
    let is_stream = parts.uri.path().ends_with(STREAM);
    match (is_stream, &parts.method) {
        (true, &Method::GET) => open(endpoint, parts),
        (false, &Method::POST) => message(endpoint, parts, body).await,
        (true, _) => reply::method_not_allowed("GET"),
        (false, _) => reply::method_not_allowed("POST"),
    }
}

/// Begins a conversation: its first event says where to send messages.
fn open(endpoint: &Arc<Endpoint>, parts: &Parts) -> Response<Body> {
    if !Accepts::of(&parts.headers).events {
        return reply::only_events();
    }
    let Some(permit) = endpoint.permit(Place::Stream) else { return reply::full(endpoint, Place::Stream) };
    let (id, halves) = match random::id().and_then(|id| Ok((Arc::<str>::from(id), halves()?))) {
        Ok(opened) => opened,
        Err(error) => {
            tracing::error!(%error, "no conversation can be opened");
            return reply::busy("No conversation can be opened");
        }
    };
    let identity = parts.extensions.get::<Identity>().cloned();
    let (tx, said, heard, answers) = halves;
    let conversation = Conversation { identity: identity.clone(), messages: Arc::new(tokio::sync::Mutex::new(tx)) };
    endpoint.conversations.add(&id, conversation);
    let out = Arc::new(Out::default());
    // Relative, so that it holds under whatever path a router has put this.
    out.event(Event::new(format!("{MESSAGES}?{CONVERSATION}={id}").as_bytes()).event("endpoint"));
    let served = serve::pipe(Arc::clone(&endpoint.inner), said, answers, identity);
    let open = Open::new(endpoint, id, permit);
    let driver = converse(open, served, heard, Arc::clone(&out));
    reply::events(EventBody::new(Box::pin(driver), out, endpoint.options.keep_alive))
}

/// Two pipes, by their halves: what we write of the client, what the server reads of it, what we read of
/// the server, what it writes.
type Halves = (MemoryTx, MemoryRx, MemoryRx, MemoryTx);

fn halves() -> io::Result<Halves> {
    let (ours, theirs) = memory();
    let ((heard, tx), (said, answers)) = (ours.split()?, theirs.split()?);
    Ok((tx, said, heard, answers))
}

/// An open conversation; forgotten when dropped.
struct Open {
    endpoint: Arc<Endpoint>,
    id: Arc<str>,
    _permit: Permit,
}

impl Open {
    fn new(endpoint: &Arc<Endpoint>, id: Arc<str>, permit: Permit) -> Self {
        endpoint.conversing.fetch_add(1, Ordering::AcqRel);
        Self { endpoint: Arc::clone(endpoint), id, _permit: permit }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.endpoint.conversing.fetch_sub(1, Ordering::AcqRel);
        self.endpoint.conversations.forget(&self.id);
    }
}

/// Serves the pipe and passes on what the server says, until either side ends it.
async fn converse(open: Open, served: impl Future<Output = io::Result<()>>, mut heard: MemoryRx, out: Arc<Out>) {
    let relay = async {
        while let Ok(Some(Frame::Whole(message))) = heard.recv().await {
            out.event(Event::new(&message).event("message"));
        }
    };
    let closing = async {
        open.endpoint.closing.wait().await;
        // Without a way in, the pipe is at its end, and ends in good order.
        open.endpoint.conversations.forget(&open.id);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        (served, ()) = async { tokio::join!(served, relay) } => {
            if let Err(error) = served {
                tracing::debug!(%error, "a conversation broke");
            }
        }
        () = closing => {}
    }
}

/// Takes a message of a conversation; the answer goes on its stream.
async fn message<B: http_body::Body>(endpoint: &Arc<Endpoint>, parts: &Parts, body: B) -> Response<Body> {
    if !parts.headers.get(CONTENT_TYPE).is_some_and(is_json) {
        return reply::not_json();
    }
    let Some(conversation) = find(endpoint, parts) else {
        let why = "Conversation not found: its stream is closed; open another with a GET";
        return reply::refuse(StatusCode::NOT_FOUND, why);
    };
    let Some(_permit) = endpoint.permit(Place::Call) else { return reply::full(endpoint, Place::Call) };
    let bytes = match read::whole(body, &endpoint.options.limits).await {
        Ok(bytes) => bytes,
        Err(unread) => return post::refuse_body(endpoint, unread),
    };
    let mut frame = Outbound::new();
    frame.frame(|out| out.extend_from_slice(&bytes));
    let write = async { conversation.messages.lock().await.write(&mut frame).await };
    match timeout(endpoint.options.limits.body_time, write).await {
        Ok(Ok(())) => reply::accepted(),
        Ok(Err(_)) => reply::refuse(StatusCode::NOT_FOUND, "Conversation not found: its stream is closed"),
        Err(_) => reply::busy("The conversation has no room: its client does not read its stream"),
    }
}

fn find(endpoint: &Endpoint, parts: &Parts) -> Option<Conversation> {
    let query = parts.uri.query()?;
    let id = query.split('&').find_map(|pair| pair.strip_prefix(CONVERSATION)?.strip_prefix('='))?;
    endpoint.conversations.find(id, parts.extensions.get::<Identity>())
}
