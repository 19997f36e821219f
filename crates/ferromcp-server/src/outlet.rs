//! Where a call's notifications go, opened only when something is sent.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::{RawJson, Revision, ServerNotification, ServerRequest};

use crate::pending_requests::RequestError;
use crate::peer::Peer;

/// Takes the notifications of a peer.
pub trait Sink: Send + Sync + 'static {
    /// Takes one notification under `call`, or says there is no room now.
    ///
    /// # Errors
    /// [`Full`] with the notification, when the peer reads too slowly.
    fn try_send(&self, call: u64, notification: ServerNotification, revision: Revision) -> Result<(), Full>;

    /// Waits until there may be room.
    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Asks the peer something in the middle of `call`, and waits for the result that it answers with. Only peers of
    /// handshake revisions are asked so. By itself nobody can be asked.
    fn ask<'s>(&'s self, call: u64, question: ServerRequest, peer: &'s Peer) -> ResponseFuture<'s> {
        let _ = (call, question, peer);
        Box::pin(std::future::ready(Err(RequestError::Unsupported)))
    }

    /// Whether [`ask`](Self::ask) reaches anybody.
    fn can_ask(&self) -> bool {
        false
    }

    /// Waits until the server wants its peer's calls to come to an end. Calls that would go on for ever
    /// answer then. By itself it never does.
    fn closing(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }

    /// Lets the connection of `call` go while the call runs on; the client comes back for the rest after `retry`.
    /// Where the client could not, nothing happens.
    fn disconnect(&self, call: u64, retry: Duration) {
        let _ = (call, retry);
    }
}

/// An answer on its way: the result of the question's method.
pub type ResponseFuture<'s> = Pin<Box<dyn Future<Output = Result<RawJson, RequestError>> + Send + 's>>;

/// There was no room for this notification.
#[derive(Debug)]
pub struct Full(pub Box<ServerNotification>);

/// Where a call's notifications go. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Outlet {
    sink: Option<Arc<dyn Sink>>,
    call: u64,
}

impl Outlet {
    /// Nobody hears.
    pub fn closed() -> Self {
        Self::default()
    }

    /// `sink` hears, and is told each time that it is for `call`, a number of its own choice.
    pub fn new(sink: Arc<dyn Sink>, call: u64) -> Self {
        Self { sink: Some(sink), call }
    }

    /// Whether anybody hears.
    pub fn is_open(&self) -> bool {
        self.sink.is_some()
    }

    /// Sends `notification` to a peer of `revision` if there is room.
    pub(crate) fn try_send(&self, notification: ServerNotification, revision: Revision) -> Result<(), Full> {
        match &self.sink {
            Some(sink) => sink.try_send(self.call, notification, revision),
            None => Ok(()),
        }
    }

    /// Lets the connection go, where the client comes back by itself.
    pub(crate) fn disconnect(&self, retry: Duration) {
        if let Some(sink) = &self.sink {
            sink.disconnect(self.call, retry);
        }
    }

    /// Whether the peer can be asked in the middle of the call.
    pub(crate) fn can_ask(&self) -> bool {
        self.sink.as_ref().is_some_and(|sink| sink.can_ask())
    }

    /// Asks the peer something, and waits for its answer.
    pub(crate) async fn ask(&self, question: ServerRequest, peer: &Peer) -> Result<RawJson, RequestError> {
        match &self.sink {
            Some(sink) => sink.ask(self.call, question, peer).await,
            None => Err(RequestError::Unsupported),
        }
    }

    /// Waits until there may be room.
    pub(crate) async fn ready(&self) {
        if let Some(sink) = &self.sink {
            sink.ready().await;
        }
    }

    /// Waits until the server wants the call to come to an end.
    pub(crate) async fn closing(&self) {
        match &self.sink {
            Some(sink) => sink.closing().await,
            None => std::future::pending().await,
        }
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outlet({})", if self.is_open() { "open" } else { "closed" })
    }
}
