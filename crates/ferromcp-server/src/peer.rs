//! Who asks: the peer of a call, whatever its era.

use std::fmt;
use std::sync::{Arc, LazyLock};

use ferromcp_core::model::{ClientCapabilities, Implementation, LogLevel};
use ferromcp_core::{Identity, RawJson, Revision};

use crate::subscription::Mailbox;

/// Who asks: read from the request itself in the modern era, lent by the session in the legacy one.
///
/// Cloning is cheap.
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
    /// A peer of `revision` that can do nothing special and says nothing of itself.
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

    /// With these capabilities.
    pub fn with_capabilities(mut self, capabilities: impl Into<Arc<ClientCapabilities>>) -> Self {
        Arc::make_mut(&mut self.0).capabilities = capabilities.into();
        self
    }

    /// With what it says of itself: an [`Implementation`] as JSON.
    pub fn with_info(mut self, info: Option<RawJson>) -> Self {
        Arc::make_mut(&mut self.0).info = info;
        self
    }

    /// Hearing of log messages from `level` up; of none if `None`.
    pub fn with_log_level(mut self, level: Option<LogLevel>) -> Self {
        Arc::make_mut(&mut self.0).log_level = level;
        self
    }

    /// As an authenticated principal.
    pub fn with_identity(mut self, identity: impl Into<Arc<str>>) -> Self {
        Arc::make_mut(&mut self.0).identity = Some(identity.into());
        self
    }

    /// As the principal behind its connection or request, where there is one.
    pub(crate) fn identified(self, identity: Option<&Identity>) -> Self {
        match identity {
            Some(identity) => self.with_identity(identity.clone()),
            None => self,
        }
    }

    /// Hearing of changes through `mailbox`: a session.
    pub(crate) fn with_mailbox(mut self, mailbox: Arc<Mailbox>) -> Self {
        Arc::make_mut(&mut self.0).mailbox = Some(mailbox);
        self
    }

    /// Where changes wait for it, if it is a session that can hear of them.
    pub(crate) fn mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.0.mailbox.as_ref()
    }

    /// The revision it speaks.
    pub fn revision(&self) -> Revision {
        self.0.revision
    }

    /// What it declared for this request or session.
    pub fn capabilities(&self) -> &ClientCapabilities {
        &self.0.capabilities
    }

    /// Who it says it is; unverified.
    pub fn info(&self) -> Option<Implementation> {
        self.0.info.as_ref()?.decode().ok()
    }

    /// The least severity it wants to hear of.
    pub fn log_level(&self) -> Option<LogLevel> {
        self.0.log_level
    }

    /// The authenticated principal as a value of its own.
    pub(crate) fn principal(&self) -> Option<Identity> {
        self.0.identity.clone().map(Identity::new)
    }

    /// The authenticated principal, where there is one.
    pub fn identity(&self) -> Option<&str> {
        self.0.identity.as_deref()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The identity may be a credential's subject, so only its presence shows.
        f.debug_struct("Peer")
            .field("revision", &self.0.revision)
            .field("capabilities", &self.0.capabilities)
            .field("info", &self.0.info)
            .field("log_level", &self.0.log_level)
            .field("authenticated", &self.0.identity.is_some())
            .finish()
    }
}
