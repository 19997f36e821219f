//! The handshake era: a session with a negotiated revision and capabilities, created by `initialize`.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle>.

use std::sync::Arc;

use ferromcp_core::meta::key;
use ferromcp_core::model::{InitializeParams, LogLevel};
use ferromcp_core::{ClientRequest, Error, Revision, ServerNotification};

use super::retained;
use crate::call::Peer;
use crate::subscription::{Broadcaster, Mailbox};

/// The log level until the client sets another one.
const FIRST_LEVEL: LogLevel = LogLevel::Info;

/// The session of one peer, created before `initialize`.
///
/// The default session receives no change notifications.
#[derive(Default)]
pub(crate) struct Session {
    peer: Option<Peer>,
    broadcaster: Option<Arc<Broadcaster>>,
    /// The client sent `notifications/initialized`.
    is_ready: bool,
    /// The client may use only items whose scopes are granted.
    is_scoped: bool,
}

impl Session {
    /// Creates a session that receives change notifications after `initialize`.
    pub(crate) fn with_notifications(broadcaster: Arc<Broadcaster>) -> Self {
        Self { peer: None, broadcaster: Some(broadcaster), is_ready: false, is_scoped: false }
    }

    /// Restricts the client to items whose scopes are granted with each request.
    pub(crate) fn scoped(mut self) -> Self {
        self.is_scoped = true;
        self
    }

    /// Records `notifications/initialized`. The server may send notifications from then on.
    pub(crate) fn initialized(&mut self) {
        self.is_ready = true;
    }

    /// Returns the mailbox of pending changes after `initialize`, if the session receives changes.
    pub(crate) fn mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.peer.as_ref()?.mailbox()
    }

    /// Returns the next pending change if the client is initialized.
    pub(crate) fn try_next_change(&self) -> Option<ServerNotification> {
        self.mailbox().filter(|_| self.is_ready)?.try_next()
    }

    /// Waits for the next change. Does not complete before the client is initialized.
    pub(crate) async fn next_change(&self) -> ServerNotification {
        match self.mailbox().filter(|_| self.is_ready) {
            Some(mailbox) => mailbox.next().await,
            None => std::future::pending().await,
        }
    }

    /// Returns the negotiated revision.
    pub(crate) fn revision(&self) -> Option<Revision> {
        self.peer.as_ref().map(Peer::revision)
    }

    /// Returns the revision for messages that belong to no valid request: the negotiated revision, or the newest one with a
    /// handshake.
    pub(crate) fn revision_or_latest(&self) -> Revision {
        self.revision().unwrap_or(Revision::LATEST_LEGACY)
    }

    /// Returns the peer of a request. `initialize` creates it.
    ///
    /// # Errors
    /// Fails for a request before `initialize`, for a second `initialize`, and for a method that the revision does not have.
    pub(crate) fn admit(&mut self, request: &ClientRequest) -> Result<Peer, Error> {
        match request {
            ClientRequest::Initialize(params) => self.open(params),
            // A ping may arrive before `initialize`; any handshake revision is valid for its response.
            ClientRequest::Ping(_) => Ok(self.peer.clone().unwrap_or_else(|| Peer::new(Revision::LATEST_LEGACY))),
            ClientRequest::SetLevel(params) => {
                let peer = self.peer.take().ok_or_else(|| premature(request.method()))?;
                Ok(self.peer.insert(peer.with_log_level(Some(params.level))).clone())
            }
            _ => {
                let peer = self.peer.as_ref().ok_or_else(|| premature(request.method()))?;
                match request.info() {
                    Some(method) if !method.exists_in(peer.revision()) => Err(Error::method_not_found(method.name)),
                    _ => Ok(peer.clone()),
                }
            }
        }
    }

    fn open(&mut self, params: &InitializeParams) -> Result<Peer, Error> {
        if self.peer.is_some() {
            return Err(Error::invalid_request("Invalid request: the session is already initialized"));
        }
        let mut peer = Peer::new(negotiate(&params.protocol_version))
            .with_capabilities(retained::capabilities(&params.capabilities)?)
            .with_info(Some(retained::client_info(&params.client_info)?))
            .with_log_level(Some(FIRST_LEVEL));
        if self.is_scoped {
            peer = peer.scoped();
        }
        if let Some(broadcaster) = &self.broadcaster {
            peer = peer.with_mailbox(broadcaster.open_session());
        }
        Ok(self.peer.insert(peer).clone())
    }
}

impl Drop for Session {
    /// Closes the mailbox. Calls may still have references to it, but it is not read any more.
    fn drop(&mut self) {
        if let Some(mailbox) = self.mailbox() {
            mailbox.close();
        }
    }
}

/// Returns the peer of a request without a session.
///
/// # Errors
/// Fails with -32601 if the revision does not have the method.
pub(crate) fn stateless_peer(request: &ClientRequest, revision: Revision) -> Result<Peer, Error> {
    match request.info() {
        Some(method) if !method.exists_in(revision) => Err(Error::method_not_found(method.name)),
        _ => Ok(Peer::new(revision).with_log_level(Some(FIRST_LEVEL))),
    }
}

/// Returns the requested revision if it is supported and has a handshake, otherwise the newest revision with a handshake.
fn negotiate(requested: &str) -> Revision {
    Revision::parse(requested).filter(|revision| !revision.is_modern()).unwrap_or(Revision::LATEST_LEGACY)
}

fn premature(method: &str) -> Error {
    Error::invalid_params(format!(
        "Invalid params: `{method}` before `initialize`; send `initialize` first, or set `{}` and `{}` in `_meta`",
        key::PROTOCOL_VERSION,
        key::CLIENT_CAPABILITIES
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negotiates_requested_revision_when_it_has_a_handshake() {
        // S-070, S-071, S-072
        for revision in Revision::ALL {
            let expected = if revision.is_modern() { Revision::LATEST_LEGACY } else { revision };
            assert_eq!(negotiate(revision.as_str()), expected);
        }
        assert_eq!(negotiate("2099-01-01"), Revision::LATEST_LEGACY);
    }
}
