//! How a server's author says that something changed.

use std::fmt;
use std::sync::Arc;

use super::change::Change;
use super::hub::Hub;

/// Tells the clients that asked to know, of either era, that something changed. Cloning is cheap, and a
/// clone may outlive the call it came from: hand it to whatever watches the outside world.
///
/// Nothing here waits. A client that reads slowly hears of a change once however often it happened
/// meanwhile. What the [`Registry`](crate::Registry) changes by itself is told by itself.
///
/// ```
/// use ferromcp_server::Server;
///
/// let server = Server::new("demo", "1.0.0");
/// let notify = server.notify();
/// std::thread::spawn(move || notify.resource_updated("file:///etc/motd"));
/// ```
#[derive(Clone)]
pub struct Notify {
    hub: Arc<Hub>,
}

impl Notify {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }

    /// The list of tools is another, or what it says of one.
    pub fn tools_changed(&self) {
        self.hub.notify(Change::Tools);
    }

    /// The list of prompts is another, or what it says of one.
    pub fn prompts_changed(&self) {
        self.hub.notify(Change::Prompts);
    }

    /// The list of resources or resource templates is another, or what it says of one.
    pub fn resources_changed(&self) {
        self.hub.notify(Change::Resources);
    }

    /// What is read at `uri` is another. Whoever watches something it is a part of hears of it too:
    /// of `file:///a/b` one who watches `file:///a`.
    pub fn resource_updated(&self, uri: impl AsRef<str>) {
        self.hub.notify(Change::Resource(Arc::from(uri.as_ref())));
    }

    /// The visit to a URL that is known by `id` is over, of whatever outcome: the client that was asked for it hears of
    /// it, if it is of 2025-11-25 and its session still there, and may call again what it waited with. Says whether
    /// there is such a client. The id is that of [`Visit`](crate::Visit).
    pub fn elicitation_complete(&self, id: &str) -> bool {
        self.hub.end_visit(id)
    }

    /// Whether any client watches `uri` or something it is a part of, so that there is a point in
    /// looking at what lies behind it.
    pub fn has_subscribers(&self, uri: &str) -> bool {
        self.hub.is_watched(uri)
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify").finish_non_exhaustive()
    }
}
