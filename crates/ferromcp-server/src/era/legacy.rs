//! The legacy era: a session that `initialize` opens, with one revision and one set of capabilities.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle>.

use std::sync::Arc;

use ferromcp_core::meta::key;
use ferromcp_core::model::{InitializeParams, LogLevel};
use ferromcp_core::{ClientRequest, Error, RawJson, Revision, ServerNotification};

use crate::call::Peer;
use crate::subscription::{Hub, Mailbox};

/// What is logged until the client says otherwise.
const FIRST_LEVEL: LogLevel = LogLevel::Info;

/// The session of one peer, from its `initialize` on.
///
/// By default it cannot be told of changes: there is nothing to send them on.
#[derive(Default)]
pub(crate) struct Session {
    peer: Option<Peer>,
    hub: Option<Arc<Hub>>,
    /// The client said `notifications/initialized`.
    is_ready: bool,
}

impl Session {
    /// A session that hears of changes from its `initialize` on.
    pub(crate) fn hearing(hub: Arc<Hub>) -> Self {
        Self { peer: None, hub: Some(hub), is_ready: false }
    }

    /// The client said that it is ready for messages of the server's own.
    pub(crate) fn initialized(&mut self) {
        self.is_ready = true;
    }

    /// Where changes wait, once the session is open, if it hears of them.
    pub(crate) fn mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.peer.as_ref()?.mailbox()
    }

    /// The next change, if there is one and the client is ready for it.
    pub(crate) fn try_news(&self) -> Option<ServerNotification> {
        self.mailbox().filter(|_| self.is_ready)?.try_next()
    }

    /// Waits for the next change, and until the client is ready for it.
    pub(crate) async fn news(&self) -> ServerNotification {
        match self.mailbox().filter(|_| self.is_ready) {
            Some(mailbox) => mailbox.next().await,
            None => std::future::pending().await,
        }
    }

    /// The revision that was agreed on.
    pub(crate) fn revision(&self) -> Option<Revision> {
        self.peer.as_ref().map(Peer::revision)
    }

    /// The peer of a request, as the session knows it; `initialize` opens the session.
    ///
    /// # Errors
    /// When there is no session yet, or already one, or its revision does not have the method.
    pub(crate) fn admit(&mut self, request: &ClientRequest) -> Result<Peer, Error> {
        match request {
            ClientRequest::Initialize(params) => self.open(params),
            // A ping is answered at any time; before the session any revision will do.
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
            return Err(Error::invalid_request("Invalid request: this session is initialized already"));
        }
        let mut peer = Peer::new(agree(&params.protocol_version))
            .with_capabilities(params.capabilities.clone())
            .with_info(RawJson::new(&params.client_info).ok())
            .with_log_level(Some(FIRST_LEVEL));
        if let Some(hub) = &self.hub {
            peer = peer.with_mailbox(hub.join());
        }
        Ok(self.peer.insert(peer).clone())
    }
}

impl Drop for Session {
    /// Calls may still hold the mailbox, but nobody reads it any more.
    fn drop(&mut self) {
        if let Some(mailbox) = self.mailbox() {
            mailbox.leave();
        }
    }
}

/// The peer of a request that belongs to no session.
///
/// # Errors
/// -32601 when its revision does not have the method.
pub(crate) fn stateless_peer(request: &ClientRequest, revision: Revision) -> Result<Peer, Error> {
    match request.info() {
        Some(method) if !method.exists_in(revision) => Err(Error::method_not_found(method.name)),
        _ => Ok(Peer::new(revision).with_log_level(Some(FIRST_LEVEL))),
    }
}

/// The revision asked for where it is spoken and has a handshake, else the newest that has one.
fn agree(requested: &str) -> Revision {
    Revision::parse(requested).filter(|revision| !revision.is_modern()).unwrap_or(Revision::LATEST_LEGACY)
}

fn premature(method: &str) -> Error {
    Error::invalid_params(format!(
        "Invalid params: `{method}` before `initialize`; open a session first, or say `{}` and `{}` in `_meta`",
        key::PROTOCOL_VERSION,
        key::CLIENT_CAPABILITIES
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_agreed_on() {
        // S-070, S-071, S-072
        for revision in Revision::ALL {
            let expected = if revision.is_modern() { Revision::LATEST_LEGACY } else { revision };
            assert_eq!(agree(revision.as_str()), expected);
        }
        assert_eq!(agree("2099-01-01"), Revision::LATEST_LEGACY);
    }
}
