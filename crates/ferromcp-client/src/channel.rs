//! Interface between the engine and the transports: a stream pair or HTTP requests.
//!
//! A channel sends and receives messages. Negotiation, multi-round-trip requests and reconnects are the engine's task.
//! Dropping the future of a request cancels it: on a pipe by sending `notifications/cancelled`, on modern HTTP by
//! closing the response.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ferromcp_core::header::Annotation;
use ferromcp_core::{
    ClientNotification, ClientRequest, ClientResult, Error, RawJson, RequestId, Revision, ServerNotification,
    ServerRequest,
};

/// A boxed, sendable future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An outgoing request, with the `_meta` of its revision already set.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outgoing {
    /// The request ID, unique over the lifetime of the client.
    pub id: RequestId,
    /// The request.
    pub request: ClientRequest,
    /// The revision the request is serialized for.
    pub revision: Revision,
    /// Arguments of a tool call that are mirrored in HTTP headers. Ignored by stream transports.
    pub annotations: Arc<[Annotation]>,
}

impl Outgoing {
    /// Creates a request without mirrored arguments.
    pub fn new(id: RequestId, request: ClientRequest, revision: Revision) -> Self {
        Self { id, request, revision, annotations: Arc::default() }
    }

    /// Returns the name of the method, without a copy for the methods of the specification.
    pub(crate) fn method(&self) -> Cow<'static, str> {
        match self.request.info() {
            Some(method) => Cow::Borrowed(method.name),
            None => Cow::Owned(self.request.method().to_owned()),
        }
    }
}

/// Generator of request IDs, which are unique over the lifetime of a client.
#[derive(Debug)]
pub(crate) struct RequestIds(AtomicI64);

impl RequestIds {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(1))
    }

    /// Returns the next ID.
    pub(crate) fn next(&self) -> RequestId {
        RequestId::Number(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// The kind of transport. The specification has different rules for the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// One byte stream in each direction, often to a child process.
    Pipe,
    /// Streamable HTTP: one HTTP request for each message.
    Post,
}

/// An open connection to one server.
pub trait Channel: Send + Sync + 'static {
    /// Sends a request and waits for its result.
    ///
    /// There is no timeout at this level. Dropping the future cancels the request, except for `initialize` and
    /// `server/discover`, for which no cancellation is sent.
    fn request(&self, outgoing: Outgoing) -> BoxFuture<'static, Result<RawJson, ChannelError>>;

    /// Sends a notification.
    fn notify(
        &self,
        notification: ClientNotification,
        revision: Revision,
    ) -> BoxFuture<'static, Result<(), ChannelError>>;

    /// Sets the negotiated revision, which later responses, headers and streams use.
    fn set_revision(&self, revision: Revision);

    /// Returns whether the channel is closed, so that nothing more can be sent.
    fn is_closed(&self) -> bool;

    /// Waits until the channel is closed.
    fn closed(&self) -> BoxFuture<'static, ()>;

    /// Closes the channel gracefully: flushes queued messages and ends the session or process, within the grace period.
    fn close(&self) -> BoxFuture<'static, ()>;
}

/// Receiver of the messages that a server initiates.
///
/// The methods are called from the task that reads, so they must not block.
pub trait Inbound: Send + Sync + 'static {
    /// Handles a notification.
    fn notification(&self, notification: ServerNotification);

    /// Called when the response to request `id` arrives. Later progress for the request is ignored.
    fn response_received(&self, id: &RequestId) {
        let _ = id;
    }

    /// Handles a request of the server (revisions with a handshake only).
    fn request(&self, id: RequestId, request: ServerRequest, responder: Responder);
}

/// Sends one response to a request of the server.
pub struct Responder(Box<dyn FnOnce(Result<ClientResult, Error>) -> BoxFuture<'static, ()> + Send>);

impl Responder {
    /// Creates a responder that passes the outcome to `send`.
    pub fn new(send: impl FnOnce(Result<ClientResult, Error>) -> BoxFuture<'static, ()> + Send + 'static) -> Self {
        Self(Box::new(send))
    }

    /// Sends the response. It is discarded if the connection is closed.
    pub async fn send(self, outcome: Result<ClientResult, Error>) {
        (self.0)(outcome).await;
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responder(..)")
    }
}

/// Reason why a request has no result.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ChannelError {
    /// The server responded with a JSON-RPC error.
    Rpc {
        /// The error.
        error: Error,
        /// The HTTP status of the response, over HTTP.
        status: Option<u16>,
    },
    /// The server responded with an HTTP error status and without a JSON-RPC message.
    Status {
        /// The status.
        status: u16,
        /// The beginning of the body, for display.
        body: String,
    },
    /// 401 or 403: credentials are missing, invalid or insufficient.
    Unauthorized {
        /// The status.
        status: u16,
        /// The `WWW-Authenticate` header.
        challenge: Option<String>,
    },
    /// The credentials could not be obtained; the request was not sent.
    Credentials(Arc<dyn std::error::Error + Send + Sync>),
    /// The session expired (404 on legacy HTTP).
    SessionGone {
        /// Whether the server had accepted the request before. If not, the request was not executed.
        in_flight: bool,
    },
    /// The server rejected the session of the request (400 on legacy HTTP). The request was not executed.
    SessionRejected {
        /// The error, which may also have another reason.
        error: Error,
        /// The HTTP status.
        status: u16,
    },
    /// This transport cannot send the request, for example because an argument does not fit into a header.
    Unsendable(String),
    /// The request was not sent.
    Unsent(Arc<io::Error>),
    /// The connection was lost before the response arrived. The request may have been executed.
    Lost(Arc<io::Error>),
    /// The response is invalid.
    Malformed(String),
    /// The response is longer than this limit, in bytes.
    TooLarge(usize),
}

/// Returns whether a request that was not sent would fail again: it cannot be serialized, the server redirects it, or the
/// TLS handshake fails.
pub(crate) fn is_permanent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Unsupported)
}

impl ChannelError {
    /// Creates an [`Unsent`](Self::Unsent) error from `error`.
    pub fn unsent(error: io::Error) -> Self {
        Self::Unsent(Arc::new(error))
    }

    /// Creates a [`Lost`](Self::Lost) error from `error`.
    pub fn lost(error: io::Error) -> Self {
        Self::Lost(Arc::new(error))
    }
}

/// The error of a message that the server rejected, as the cause of an [`io::Error`] of a transport. The text is that of
/// the cause.
#[derive(Debug)]
pub(crate) struct Rejection {
    error: ChannelError,
    text: String,
}

impl Rejection {
    /// Creates an error of a transport.
    #[allow(dead_code, reason = "only HTTP+SSE reports rejections")]
    pub(crate) fn io_error(error: ChannelError, text: String) -> io::Error {
        io::Error::other(Self { error, text })
    }

    /// Returns the error of a rejected message, if that is the cause of `error`.
    pub(crate) fn of(error: &io::Error) -> Option<&ChannelError> {
        error.get_ref()?.downcast_ref::<Self>().map(|rejection| &rejection.error)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Rejection {}
