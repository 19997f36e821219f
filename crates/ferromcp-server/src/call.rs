//! The model of the whole server: one request in, a few notifications, one reply out.
//!
//! A [`Call`] knows neither transport nor era; whoever made it has settled both.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use ferromcp_core::model::InputRequired;
use ferromcp_core::{ClientRequest, Error, RequestId, ServerResult};

use crate::client_requests::mrtr::replay::Replay;
use crate::outlet::Outlet;
pub use crate::peer::Peer;

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
    /// The rounds that the call belongs to, where there were some already.
    pub(crate) rounds: Option<CallRounds>,
}

impl Call {
    /// A call from `peer` whose notifications nobody hears.
    pub fn new(request: ClientRequest, peer: Peer) -> Self {
        Self { request, id: None, peer, outlet: Outlet::closed(), extensions: Extensions::default(), rounds: None }
    }

    /// The same call once more.
    pub(crate) fn again(&self) -> Self {
        Self {
            request: self.request.clone(),
            id: self.id.clone(),
            peer: self.peer.clone(),
            outlet: self.outlet.clone(),
            extensions: self.extensions.clone(),
            rounds: self.rounds.clone(),
        }
    }

    /// As a run against what is known from earlier ones.
    pub(crate) fn with_rounds(mut self, replay: Arc<Replay>) -> Self {
        self.rounds = Some(CallRounds { replay, is_inner: false });
        self
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

/// The rounds that a call belongs to.
#[derive(Clone)]
pub(crate) struct CallRounds {
    replay: Arc<Replay>,
    is_inner: bool,
}

impl CallRounds {
    /// The rounds of the call from inside of which another is made.
    pub(crate) fn inner(replay: &Arc<Replay>) -> Self {
        Self { replay: Arc::clone(replay), is_inner: true }
    }

    pub(crate) fn replay(&self) -> &Arc<Replay> {
        &self.replay
    }

    /// Whether whoever made the call drives the rounds.
    pub(crate) fn is_inner(&self) -> bool {
        self.is_inner
    }
}

impl fmt::Debug for CallRounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallRounds(round {})", self.replay.round())
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
