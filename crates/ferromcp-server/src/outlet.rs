//! Where a call's notifications go, opened only when something is sent.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ferromcp_core::{Revision, ServerNotification};

/// Takes the notifications of a peer.
pub trait Sink: Send + Sync + 'static {
    /// Takes one notification, or says there is no room now.
    ///
    /// # Errors
    /// [`Full`] with the notification, when the peer reads too slowly.
    fn try_send(&self, notification: ServerNotification, revision: Revision) -> Result<(), Full>;

    /// Waits until there may be room.
    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// There was no room for this notification.
#[derive(Debug)]
pub struct Full(pub Box<ServerNotification>);

/// Where a call's notifications go. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Outlet(Option<Arc<dyn Sink>>);

impl Outlet {
    /// Nobody hears.
    pub fn closed() -> Self {
        Self(None)
    }

    /// `sink` hears.
    pub fn new(sink: Arc<dyn Sink>) -> Self {
        Self(Some(sink))
    }

    /// Whether anybody hears.
    pub fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Sends `notification` to a peer of `revision`, waiting for room while the peer reads slowly
    /// and `wanted` says yes.
    pub(crate) async fn send(
        &self,
        mut notification: ServerNotification,
        revision: Revision,
        wanted: impl Fn() -> bool,
    ) {
        let Some(sink) = &self.0 else { return };
        while wanted() {
            match sink.try_send(notification, revision) {
                Ok(()) => return,
                Err(Full(back)) => notification = *back,
            }
            sink.ready().await;
        }
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outlet({})", if self.is_open() { "open" } else { "closed" })
    }
}
