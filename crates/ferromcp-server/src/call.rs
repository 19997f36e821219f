//! [`Call`] and [`Reply`]: one request in, notifications, one reply out.
//!
//! A [`Call`] is independent of the transport and of the protocol era.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::BytesMut;
use ferromcp_core::model::InputRequired;
use ferromcp_core::wire::encode::{self, EncodeContext};
use ferromcp_core::{ClientRequest, Error, RawJson, RequestId, Revision, ServerResult};

pub use crate::peer::Peer;
use crate::request_sink::RequestSink;
use crate::request_state::StateOptions;
use crate::rounds::replay::Replay;

/// One request, with everything needed to handle it.
///
/// ```
/// use ferromcp_server::{Call, Peer};
/// use ferromcp_core::{ClientRequest, Revision};
/// use ferromcp_core::model::CallToolParams;
///
/// let request = ClientRequest::CallTool(CallToolParams::new("add"));
/// let call = Call::new(request, Peer::new(Revision::LATEST));
/// assert_eq!(call.request.method(), "tools/call");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Call {
    /// The request.
    pub request: ClientRequest,
    /// The request id, for logs and spans. In-process calls may have none.
    pub id: Option<RequestId>,
    /// The client that sent the request.
    pub peer: Peer,
    /// Receives the notifications that belong to this request.
    pub sink: RequestSink,
    /// Values that middleware passes to handlers.
    pub extensions: Extensions,
    /// The multi-round-trip state, if earlier rounds exist.
    pub(crate) rounds: Option<CallRounds>,
    /// The number of calls of handlers that led to this call; 0 if the client made it.
    pub(crate) depth: usize,
    /// The server that the handling server is mounted in.
    pub(crate) outer: Option<Arc<OuterServer>>,
}

/// The settings of the outermost server that apply to a call of a mounted server.
#[derive(Debug)]
pub(crate) struct OuterServer {
    pub(crate) state_options: StateOptions,
    /// The audience of sealed states: that of the outermost server, with the namespaces of the mounts.
    pub(crate) audience: String,
}

impl Call {
    /// Creates a call from `peer` that discards its notifications.
    pub fn new(request: ClientRequest, peer: Peer) -> Self {
        Self {
            request,
            id: None,
            peer,
            sink: RequestSink::closed(),
            extensions: Extensions::default(),
            rounds: None,
            depth: 0,
            outer: None,
        }
    }

    /// Returns a copy of the call.
    pub(crate) fn again(&self) -> Self {
        Self {
            request: self.request.clone(),
            id: self.id.clone(),
            peer: self.peer.clone(),
            sink: self.sink.clone(),
            extensions: self.extensions.clone(),
            rounds: self.rounds.clone(),
            depth: self.depth,
            outer: self.outer.clone(),
        }
    }

    /// Attaches the state of earlier rounds.
    pub(crate) fn with_rounds(mut self, replay: Arc<Replay>) -> Self {
        self.rounds = Some(CallRounds { replay, is_inner: false });
        self
    }

    /// Returns whether the call runs user code: a tool, resource, prompt or completion.
    pub(crate) fn runs_user_code(&self) -> bool {
        matches!(
            self.request,
            ClientRequest::CallTool(_)
                | ClientRequest::ReadResource(_)
                | ClientRequest::GetPrompt(_)
                | ClientRequest::Complete(_)
        )
    }

    /// Sets the sink for the notifications of this call.
    pub fn sink(mut self, sink: RequestSink) -> Self {
        self.sink = sink;
        self
    }

    /// Sets the request id.
    pub fn id(mut self, id: RequestId) -> Self {
        self.id = Some(id);
        self
    }
}

/// The multi-round-trip state of a call.
#[derive(Clone)]
pub(crate) struct CallRounds {
    replay: Arc<Replay>,
    is_inner: bool,
}

impl CallRounds {
    /// Creates the state of a call that a handler makes, sharing the handler's replay.
    pub(crate) fn inner(replay: &Arc<Replay>) -> Self {
        Self { replay: Arc::clone(replay), is_inner: true }
    }

    pub(crate) fn replay(&self) -> &Arc<Replay> {
        &self.replay
    }

    /// Returns whether the calling handler drives the rounds.
    pub(crate) fn is_inner(&self) -> bool {
        self.is_inner
    }
}

impl fmt::Debug for CallRounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallRounds(round {})", self.replay.round())
    }
}

/// The reply to a call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// A result.
    Done(ServerResult),
    /// Requests for client input (`input_required`, 2026-07-28). The client retries the call with its responses.
    ///
    /// Handlers return a [`RoundOutcome`](crate::RoundOutcome) instead. A middleware that returns this reply on a
    /// handshake revision, or for a request other than `tools/call`, `resources/read` and `prompts/get`, fails the
    /// request. On 2026-07-28 it receives the retry with its own state and must remove both the state and the responses
    /// before it runs the rest of the chain. That state is not encrypted or authenticated.
    NeedsInput(InputRequired),
    /// A protocol error.
    Failed(Error),
}

impl Reply {
    /// Serializes the reply to request `id` for a peer of `revision`. A serialization error becomes an error response.
    pub(crate) fn write(self, out: &mut BytesMut, id: &RequestId, revision: Revision, server_info: &RawJson) {
        let context = EncodeContext::new(revision).server_info(server_info);
        let written = match self {
            Self::Done(result) => encode::server_result(out, id, result, context),
            Self::NeedsInput(required) => encode::input_required(out, id, required, context),
            Self::Failed(error) => {
                encode::error(out, Some(id), error, revision);
                Ok(())
            }
        };
        if let Err(error) = written {
            tracing::error!(%error, "cannot serialize a result");
            encode::error(out, Some(id), Error::internal("Internal error: cannot serialize the result"), revision);
        }
    }
}

impl<T: Into<ServerResult>> From<Result<T, Error>> for Reply {
    fn from(result: Result<T, Error>) -> Self {
        match result {
            Ok(result) => Self::Done(result.into()),
            Err(error) => Self::Failed(error),
        }
    }
}

/// A map of values by type that middleware passes to handlers. An empty map does not allocate.
#[derive(Clone, Default)]
pub struct Extensions(Option<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Extensions {
    /// Inserts `value`, replacing an earlier value of the same type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.0.get_or_insert_default().insert(TypeId::of::<T>(), Arc::new(value));
    }

    /// Returns the value of type `T`, if present.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.as_ref()?.get(&TypeId::of::<T>())?.downcast_ref()
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extensions({})", self.0.as_ref().map_or(0, HashMap::len))
    }
}
