//! [`ChangeNotifier`]: sends change notifications to subscribed clients.

use std::fmt;
use std::sync::Arc;

use super::broadcaster::Broadcaster;
use super::change::Change;
use crate::namespace::uri_under;

/// Sends list and resource change notifications to all subscribed clients, on every revision.
///
/// Cloning is cheap, and a clone may outlive the call that created it: move it into the task or thread that watches the
/// data source.
///
/// No method blocks. Repeated changes are coalesced: a client that reads slowly receives each change once. Changes made
/// through the [`Registry`](crate::Registry) are sent automatically.
///
/// ```
/// use ferromcp_server::Server;
///
/// let server = Server::new("demo", "1.0.0");
/// let notify = server.notify();
/// std::thread::spawn(move || notify.resource_updated("file:///etc/motd"));
/// ```
#[derive(Clone)]
pub struct ChangeNotifier {
    broadcaster: Arc<Broadcaster>,
}

impl ChangeNotifier {
    pub(crate) fn new(broadcaster: Arc<Broadcaster>) -> Self {
        Self { broadcaster }
    }

    /// Sends a change to the subscribers of the server, of servers that were built from a clone of it, and of servers
    /// that it is mounted in.
    fn send(&self, change: &Change) {
        for (member, namespaces) in self.broadcaster.family() {
            member.notify(match change {
                Change::Resource(uri) if !namespaces.is_empty() => Change::Resource(full_uri(uri, &namespaces).into()),
                other => other.clone(),
            });
        }
    }

    /// Notifies subscribers that the list of tools, or the definition of a tool, changed.
    pub fn tools_changed(&self) {
        self.send(&Change::Tools);
    }

    /// Notifies subscribers that the list of prompts, or the definition of a prompt, changed.
    pub fn prompts_changed(&self) {
        self.send(&Change::Prompts);
    }

    /// Notifies subscribers that the list of resources or resource templates changed.
    pub fn resources_changed(&self) {
        self.send(&Change::Resources);
    }

    /// Notifies subscribers that the content of the resource at `uri` changed.
    ///
    /// Subscribers of a parent URI are notified too: a subscriber of `file:///a` is notified about `file:///a/b`.
    pub fn resource_updated(&self, uri: impl AsRef<str>) {
        self.send(&Change::Resource(Arc::from(uri.as_ref())));
    }

    /// Notifies the client that the URL elicitation with this id is complete, whatever its outcome.
    ///
    /// Only the client that received the elicitation is notified, and only on 2025-11-25 while its session is open; it
    /// may then retry the call. Returns whether there is such a client. The id comes from
    /// [`UrlConsent`](crate::UrlConsent).
    pub fn elicitation_complete(&self, id: &str) -> bool {
        self.broadcaster.family().iter().any(|(member, _)| member.complete_elicitation(id))
    }

    /// Returns whether any client subscribes to `uri` or to one of its parent URIs.
    ///
    /// Use it to skip expensive change detection while there are no subscribers.
    pub fn has_subscribers(&self, uri: &str) -> bool {
        self.broadcaster.family().iter().any(|(member, namespaces)| member.has_subscribers(&full_uri(uri, namespaces)))
    }
}

/// Returns the URI that a resource has under these namespaces, the innermost first.
fn full_uri(uri: &str, namespaces: &[Arc<str>]) -> String {
    namespaces.iter().fold(uri.to_owned(), |uri, namespace| uri_under(namespace, &uri))
}

impl fmt::Debug for ChangeNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeNotifier").finish_non_exhaustive()
    }
}
