//! The model of the whole server: one request in, a few notifications, one reply out.
//!
//! A [`Call`] knows neither transport nor era; whoever made it has settled both.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use ferromcp_core::model::{ClientCapabilities, Implementation, InputRequired, LogLevel};
use ferromcp_core::{ClientRequest, Error, Identity, RawJson, RequestId, Revision, ServerResult};

use crate::outlet::Outlet;
use crate::subscription::Mailbox;

/// One request, with all that answering it needs.
#[derive(Debug)]
#[non_exhaustive]
pub struct Call {
    /// What is asked.
    pub request: ClientRequest,
    /// The request's id, for logs and spans; in-process calls have none.
    pub id: Option<RequestId>,
    /// Who asks.
    pub peer: Peer,
    /// Where notifications under this request go.
    pub outlet: Outlet,
    /// Whatever middleware wants handlers to find.
    pub extensions: Extensions,
}

impl Call {
    /// A call from `peer` whose notifications nobody hears.
    pub fn new(request: ClientRequest, peer: Peer) -> Self {
        Self { request, id: None, peer, outlet: Outlet::closed(), extensions: Extensions::default() }
    }

    /// Whether answering it runs a function of the server's author: tools, resources, prompts, completions.
    pub(crate) fn runs_user_code(&self) -> bool {
        matches!(
            self.request,
            ClientRequest::CallTool(_)
                | ClientRequest::ReadResource(_)
                | ClientRequest::GetPrompt(_)
                | ClientRequest::Complete(_)
        )
    }

    /// Sends notifications under this call to `outlet`.
    pub fn outlet(mut self, outlet: Outlet) -> Self {
        self.outlet = outlet;
        self
    }

    /// States the request's id.
    pub fn id(mut self, id: RequestId) -> Self {
        self.id = Some(id);
        self
    }
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// A result.
    Done(ServerResult),
    /// Questions to the client; the call comes again with their answers.
    NeedsInput(InputRequired),
    /// A protocol error.
    Failed(Error),
}

impl<T: Into<ServerResult>> From<Result<T, Error>> for Reply {
    fn from(result: Result<T, Error>) -> Self {
        match result {
            Ok(result) => Self::Done(result.into()),
            Err(error) => Self::Failed(error),
        }
    }
}

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

/// Values by type, for what middleware leaves to handlers. Empty costs nothing.
#[derive(Clone, Default)]
pub struct Extensions(Option<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Extensions {
    /// Leaves `value`, in place of an earlier one of its type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.get_or_insert_default().insert(TypeId::of::<T>(), Arc::new(value));
    }

    /// The value of type `T`.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.as_ref()?.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extensions({})", self.0.as_ref().map_or(0, HashMap::len))
    }
}
