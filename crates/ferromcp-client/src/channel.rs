//! The seam between the engine and the ways to a server: a pipe, or one POST after another.
//!
//! Above it nobody knows how a message travels; below it nobody knows of eras, rounds or restarts.
//! Dropping the future of a request is its cancellation, and each way says so as the specification wants:
//! by `notifications/cancelled` on a pipe, by closing the response on modern HTTP.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use ferromcp_core::header::Annotation;
use ferromcp_core::{
    ClientNotification, ClientRequest, ClientResult, Error, RawJson, RequestId, Revision, ServerNotification,
    ServerRequest,
};

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A request on its way out, dressed for its era.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outgoing {
    /// The id, which no other request of this client has or had.
    pub id: RequestId,
    /// The request.
    pub request: ClientRequest,
    /// The revision it is written in.
    pub revision: Revision,
    /// Which arguments of a tool's call are repeated in headers; a pipe has no use for them.
    pub annotations: Arc<[Annotation]>,
}

impl Outgoing {
    /// A request of which nothing is repeated.
    pub fn new(id: RequestId, request: ClientRequest, revision: Revision) -> Self {
        Self { id, request, revision, annotations: Arc::default() }
    }
}

/// What kind of way it is; the specification's rules differ between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One stream in each direction, and often a process at its end.
    Pipe,
    /// Each request is an HTTP request.
    Post,
}

/// An open way to one server.
pub trait Channel: Send + Sync + 'static {
    /// Sends a request and waits for its result. There is no timeout here; dropping the future cancels the request,
    /// save for `initialize` and `server/discover`, of which nothing more is said.
    fn request(&self, outgoing: Outgoing) -> BoxFuture<'static, Result<RawJson, Failure>>;

    /// Sends a notification.
    fn notify(&self, notification: ClientNotification, revision: Revision) -> BoxFuture<'static, Result<(), Failure>>;

    /// Learns what was agreed on: from now on answers, headers and streams are of this revision.
    fn agreed(&self, revision: Revision);

    /// Whether nothing more can be sent.
    fn is_over(&self) -> bool;

    /// Waits until nothing more can be sent.
    fn over(&self) -> BoxFuture<'static, ()>;

    /// Ends tidily: what is queued is sent, the session or process is ended, and waited for within bounds.
    fn close(&self) -> BoxFuture<'static, ()>;
}

/// Where a channel delivers what the server says of its own accord. Called from the task that reads, so it must
/// neither block nor wait.
pub trait Inbound: Send + Sync + 'static {
    /// A notification.
    fn notification(&self, notification: ServerNotification);

    /// The answer to this request has come: what is still said of it is late.
    fn answered(&self, id: &RequestId) {
        let _ = id;
    }

    /// A request (legacy era).
    fn question(&self, id: RequestId, question: ServerRequest, answer: Answer);
}

/// Carries one answer back to the server that asked.
pub struct Answer(Box<dyn FnOnce(Result<ClientResult, Error>) -> BoxFuture<'static, ()> + Send>);

impl Answer {
    /// An answer that `send` carries.
    pub fn new(send: impl FnOnce(Result<ClientResult, Error>) -> BoxFuture<'static, ()> + Send + 'static) -> Self {
        Self(Box::new(send))
    }

    /// Sends it. What can no longer arrive is dropped.
    pub async fn send(self, outcome: Result<ClientResult, Error>) {
        (self.0)(outcome).await;
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(..)")
    }
}

/// Why a request has no result.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Failure {
    /// The server answered with an error.
    Rpc {
        /// What it said.
        error: Error,
        /// The HTTP status it came with, where there is one.
        status: Option<u16>,
    },
    /// The server answered with an HTTP status and nothing that can be read as an answer.
    Status {
        /// The status.
        status: u16,
        /// The beginning of the body, for people.
        body: String,
    },
    /// 401 or 403: credentials are missing, wrong or too weak.
    Unauthorized {
        /// The status.
        status: u16,
        /// The `WWW-Authenticate` header, which says what is wanted.
        challenge: Option<String>,
    },
    /// The credentials could not be had; nothing was sent.
    Credentials(Arc<dyn std::error::Error + Send + Sync>),
    /// The session is over (404 on legacy HTTP).
    SessionGone {
        /// Whether the request had been taken before and is lost with the session; else it was not executed.
        under_way: bool,
    },
    /// The request cannot leave this way at all: an argument that no header can repeat, for example.
    Unfit(String),
    /// The request did not leave.
    Unsent(Arc<io::Error>),
    /// The request left, and the connection was lost before an answer came: it may have run.
    Lost(Arc<io::Error>),
    /// What came is no answer to the request.
    Malformed(String),
    /// The answer is longer than this many bytes.
    TooLarge(usize),
}

impl Failure {
    /// The request did not leave, because of `error`.
    pub fn unsent(error: io::Error) -> Self {
        Self::Unsent(Arc::new(error))
    }

    /// The request may have run; the answer is lost because of `error`.
    pub fn lost(error: io::Error) -> Self {
        Self::Lost(Arc::new(error))
    }
}
