//! The peer of a call.

use std::fmt;
use std::sync::{Arc, LazyLock};

use ferromcp_core::model::{ClientCapabilities, Implementation, LogLevel};
use ferromcp_core::{Identity, RawJson, Repairs, Revision, wire};

use crate::principal::Principal;
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
    principal: Option<Principal>,
    /// Whether the peer may use only items whose scopes are granted. Otherwise it may use all.
    is_scoped: bool,
    mailbox: Option<Arc<Mailbox>>,
}

/// The sender of the requests of a connection, or of one HTTP request.
#[derive(Clone, Default)]
pub(crate) struct Caller {
    identity: Option<Identity>,
    principal: Option<Principal>,
    is_scoped: bool,
}

impl Caller {
    /// Returns the caller of a local connection, which may use all items.
    pub(crate) fn local(identity: Option<Identity>) -> Self {
        Self { identity, principal: None, is_scoped: false }
    }

    /// Returns a remote caller, which may use items with scopes only if its principal has them.
    pub(crate) fn remote(identity: Option<Identity>, principal: Option<Principal>) -> Self {
        Self { identity, principal, is_scoped: true }
    }

    /// Returns the identity, if known.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }
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
            principal: None,
            is_scoped: false,
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

    /// Sets the authenticated principal with its scopes. Items that require other scopes are hidden from the peer, and its
    /// calls of them fail.
    pub fn with_principal(mut self, principal: Principal) -> Self {
        let parts = Arc::make_mut(&mut self.0);
        parts.identity = Some(principal.identity().clone().into());
        parts.principal = Some(principal);
        parts.is_scoped = true;
        self
    }

    /// Sets the sender of a request or the client of a connection.
    pub(crate) fn called_by(mut self, caller: &Caller) -> Self {
        let is_same = caller.identity.is_none() && caller.principal.is_none() && caller.is_scoped == self.0.is_scoped;
        if !is_same {
            let parts = Arc::make_mut(&mut self.0);
            parts.identity = caller.identity.clone().map(Into::into);
            parts.principal.clone_from(&caller.principal);
            parts.is_scoped = caller.is_scoped;
        }
        self
    }

    /// Restricts the peer to items whose scopes are granted.
    pub(crate) fn scoped(mut self) -> Self {
        Arc::make_mut(&mut self.0).is_scoped = true;
        self
    }

    /// Returns whether the peer may use only items whose scopes are granted.
    pub(crate) fn is_scoped(&self) -> bool {
        self.0.is_scoped
    }

    /// Returns whether the peer may use an item that requires these scopes.
    pub(crate) fn may_use(&self, scopes: &[String]) -> bool {
        if scopes.is_empty() || !self.0.is_scoped {
            return true;
        }
        let principal = self.0.principal.as_ref();
        principal.is_some_and(|principal| scopes.iter().all(|scope| principal.has_scope(scope)))
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

    /// Returns the identity as an owned value.
    pub(crate) fn owned_identity(&self) -> Option<Identity> {
        self.0.identity.clone().map(Identity::new)
    }

    /// Returns whether both calls belong to the same session of a handshake revision.
    pub fn is_same_session(&self, other: &Self) -> bool {
        self.mailbox().zip(other.mailbox()).is_some_and(|(one, two)| Arc::ptr_eq(one, two))
    }

    /// Returns the authenticated principal with its scopes and claims, if the endpoint has an authorization that provides
    /// it.
    pub fn principal(&self) -> Option<&Principal> {
        self.0.principal.as_ref()
    }

    /// Returns the identity of the authenticated principal, if any.
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
