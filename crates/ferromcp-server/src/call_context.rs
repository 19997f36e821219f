//! What a call's context needs of the server, without knowing the server.

use std::sync::Arc;

use ferromcp_core::{ClientRequest, RequestMeta};

use crate::request_state::StateOptions;
use crate::call::{CallRounds, Call, Extensions, Peer, Reply};
use crate::limits::Limits;
use crate::request_sink::RequestSink;
use crate::maybe_ready::BoxFuture;
use crate::state::States;
use crate::subscription::Broadcaster;

/// The server as handlers' contexts see it.
pub(crate) trait ServerContext: Send + Sync {
    /// The state by type.
    fn states(&self) -> Arc<States>;

    /// Whether a value inside a string may stand for itself.
    fn is_lenient(&self) -> bool;

    /// Whether handlers may log to the client.
    fn logs(&self) -> bool;

    /// Where changes are told.
    fn broadcaster(&self) -> &Arc<Broadcaster>;

    /// The bounds.
    fn limits(&self) -> &Limits;

    /// How the states of calls are kept, and for whom they are.
    fn request_state_options(&self) -> (&StateOptions, &str);

    /// Answers a call made from inside a handler.
    fn call(self: Arc<Self>, call: Call) -> BoxFuture<Reply>;
}

/// What surrounds a call.
#[derive(Clone, Copy)]
pub(crate) struct CallContext<'a> {
    pub(crate) peer: &'a Peer,
    pub(crate) sink: &'a RequestSink,
    pub(crate) extensions: &'a Extensions,
    pub(crate) meta: Option<&'a RequestMeta>,
    pub(crate) request: &'a ClientRequest,
    pub(crate) rounds: Option<&'a CallRounds>,
}
