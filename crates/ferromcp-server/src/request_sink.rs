//! [`RequestSink`]: sends the notifications and client requests of one call.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::{RawJson, Revision, ServerNotification, ServerRequest};

use crate::peer::Peer;
use crate::pending_requests::RequestError;

/// A transport's outbound queue for notifications and requests to one peer.
pub trait NotificationSink: Send + Sync + 'static {
    /// Queues one notification that belongs to `call`, without waiting.
    ///
    /// # Errors
    /// Returns [`QueueFull`] with the notification if the queue is full because the peer reads too slowly.
    fn try_send(&self, call: u64, notification: ServerNotification, revision: Revision) -> Result<(), QueueFull>;

    /// Waits until the queue may have capacity.
    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Sends a request to the peer during `call` and waits for the result.
    ///
    /// Used with handshake revisions only. The default implementation returns [`RequestError::Unsupported`].
    fn ask<'s>(&'s self, call: u64, question: ServerRequest, peer: &'s Peer) -> ResponseFuture<'s> {
        let _ = (call, question, peer);
        Box::pin(std::future::ready(Err(RequestError::Unsupported)))
    }

    /// Returns whether [`ask`](Self::ask) is supported. The default is `false`.
    fn can_ask(&self) -> bool {
        false
    }

    /// Resolves when the server shuts down and long-running calls must complete.
    ///
    /// Calls without an end, such as `subscriptions/listen`, complete then. The default implementation never resolves.
    fn closing(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }

    /// Closes the connection of `call` while the call continues; the client reconnects after `retry`.
    ///
    /// Does nothing if the client cannot resume the stream.
    fn disconnect(&self, call: u64, retry: Duration) {
        let _ = (call, retry);
    }
}

/// A future that resolves to the client's result for a server request.
pub type ResponseFuture<'s> = Pin<Box<dyn Future<Output = Result<RawJson, RequestError>> + Send + 's>>;

/// The error returned when the outbound queue is full; holds the notification that was not queued.
#[derive(Debug)]
pub struct QueueFull(pub Box<ServerNotification>);

/// Sends the notifications and client requests of one call. Cloning is cheap.
#[derive(Clone, Default)]
pub struct RequestSink {
    sink: Option<Arc<dyn NotificationSink>>,
    call: u64,
}

impl RequestSink {
    /// Creates a sink that discards all notifications.
    pub fn closed() -> Self {
        Self::default()
    }

    /// Creates a sink that forwards to `sink`.
    ///
    /// `call` identifies the call to `sink`; the caller chooses the number.
    pub fn new(sink: Arc<dyn NotificationSink>, call: u64) -> Self {
        Self { sink: Some(sink), call }
    }

    /// Returns whether notifications are delivered.
    pub fn is_open(&self) -> bool {
        self.sink.is_some()
    }

    /// Queues `notification` for a peer of `revision`, if there is capacity.
    pub(crate) fn try_send(&self, notification: ServerNotification, revision: Revision) -> Result<(), QueueFull> {
        match &self.sink {
            Some(sink) => sink.try_send(self.call, notification, revision),
            None => Ok(()),
        }
    }

    /// Closes the connection if the client can resume the stream.
    pub(crate) fn disconnect(&self, retry: Duration) {
        if let Some(sink) = &self.sink {
            sink.disconnect(self.call, retry);
        }
    }

    /// Returns whether the peer accepts requests during the call.
    pub(crate) fn can_ask(&self) -> bool {
        self.sink.as_ref().is_some_and(|sink| sink.can_ask())
    }

    /// Sends a request to the peer and waits for its response.
    pub(crate) async fn ask(&self, question: ServerRequest, peer: &Peer) -> Result<RawJson, RequestError> {
        match &self.sink {
            Some(sink) => sink.ask(self.call, question, peer).await,
            None => Err(RequestError::Unsupported),
        }
    }

    /// Waits until the queue may have capacity.
    pub(crate) async fn ready(&self) {
        if let Some(sink) = &self.sink {
            sink.ready().await;
        }
    }

    /// Resolves when the server shuts down and the call must complete.
    pub(crate) async fn closing(&self) {
        match &self.sink {
            Some(sink) => sink.closing().await,
            None => std::future::pending().await,
        }
    }
}

impl fmt::Debug for RequestSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestSink({})", if self.is_open() { "open" } else { "closed" })
    }
}
