//! The peer of a call.

use std::fmt;
use std::sync::{Arc, LazyLock};

use ferromcp_core::model::{ClientCapabilities, Implementation, LogLevel};
use ferromcp_core::{Identity, RawJson, Repairs, Revision, wire};

use crate::subscription::Mailbox;

/// The client that sent a call: revision, capabilities, implementation info and authenticated principal.
///
/// On revision 2026-07-28 it is derived from `_meta` of the request, and on earlier revisions from the session. Cloning is
/// cheap.
#[derive(Clone)]
pub struct Peer(Arc<PeerParts>);

#[derive(Clone)]
struct PeerParts {
    revision: Revision,
    capabilities: Arc<ClientCapabilities>,
    info: Option<RawJson>,
    log_level: Option<LogLevel>,
    identity: Option<Arc<str>>,
    mailbox: Option<Arc<Mailbox>>,
}

impl Peer {
    /// Creates a peer of `revision` without capabilities and implementation info.
    pub fn new(revision: Revision) -> Self {
        static NONE: LazyLock<Arc<ClientCapabilities>> = LazyLock::new(Arc::default);
        Self(Arc::new(PeerParts {
            revision,
            capabilities: Arc::clone(&NONE),
            info: None,
            log_level: None,
            identity: None,
            mailbox: None,
        }))
    }

    /// Sets the capabilities.
    pub fn with_capabilities(mut self, capabilities: impl Into<Arc<ClientCapabilities>>) -> Self {
        Arc::make_mut(&mut self.0).capabilities = capabilities.into();
        self
    }

    /// Sets the implementation info, the JSON of an [`Implementation`].
    pub fn with_info(mut self, info: Option<RawJson>) -> Self {
        Arc::make_mut(&mut self.0).info = info;
        self
    }

    /// Sets the minimum level of log messages. `None` disables log messages.
    pub fn with_log_level(mut self, level: Option<LogLevel>) -> Self {
        Arc::make_mut(&mut self.0).log_level = level;
        self
    }

    /// Sets the authenticated principal.
    pub fn with_identity(mut self, identity: impl Into<Arc<str>>) -> Self {
        Arc::make_mut(&mut self.0).identity = Some(identity.into());
        self
    }

    /// Sets the principal of the connection or request, if any.
    pub(crate) fn identified(self, identity: Option<&Identity>) -> Self {
        match identity {
            Some(identity) => self.with_identity(identity.clone()),
            None => self,
        }
    }

    /// Sets the mailbox through which a session receives change notifications.
    pub(crate) fn with_mailbox(mut self, mailbox: Arc<Mailbox>) -> Self {
        Arc::make_mut(&mut self.0).mailbox = Some(mailbox);
        self
    }

    /// Returns the mailbox of pending changes, if this is a session that receives them.
    pub(crate) fn mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.0.mailbox.as_ref()
    }

    /// Returns the protocol revision.
    pub fn revision(&self) -> Revision {
        self.0.revision
    }

    /// Returns the capabilities that the client declared for this request or session.
    pub fn capabilities(&self) -> &ClientCapabilities {
        &self.0.capabilities
    }

    /// Returns the implementation info from the client, if it is valid. The info is not verified.
    pub fn info(&self) -> Option<Implementation> {
        wire::decode_result(self.0.info.as_ref()?, "clientInfo", &mut Repairs::new()).ok()
    }

    /// Returns the minimum level of log messages that the client receives, or `None` if it receives none.
    pub fn log_level(&self) -> Option<LogLevel> {
        self.0.log_level
    }

    /// Returns the authenticated principal as an owned value.
    pub(crate) fn principal(&self) -> Option<Identity> {
        self.0.identity.clone().map(Identity::new)
    }

    /// Returns the authenticated principal, if any.
    pub fn identity(&self) -> Option<&str> {
        self.0.identity.as_deref()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The identity may be the subject of a credential, so only its presence is shown.
        f.debug_struct("Peer")
            .field("revision", &self.0.revision)
            .field("capabilities", &self.0.capabilities)
            .field("info", &self.0.info)
            .field("log_level", &self.0.log_level)
            .field("authenticated", &self.0.identity.is_some())
            .finish()
    }
}
