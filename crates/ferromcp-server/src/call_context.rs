//! [`CallContext`] and [`ServerContext`]: the parts of a call and of the server that handlers use.
//!
//! The trait keeps `ctx` and `function` independent of `inner`, which depends on both.

use std::sync::Arc;

use ferromcp_core::{ClientRequest, RequestMeta};

use crate::call::{Call, CallRounds, Extensions, Peer, Reply};
use crate::limits::Limits;
use crate::maybe_ready::BoxFuture;
use crate::request_sink::RequestSink;
use crate::request_state::StateOptions;
use crate::state::States;
use crate::subscription::Broadcaster;

/// The server's interface for handler contexts.
pub(crate) trait ServerContext: Send + Sync {
    /// Returns the shared state.
    fn states(&self) -> Arc<States>;

    /// Returns whether values wrapped in a string are accepted as arguments.
    fn is_lenient(&self) -> bool;

    /// Returns whether handlers may send log messages to the client.
    fn logs(&self) -> bool;

    /// Returns the broadcaster of change notifications.
    fn broadcaster(&self) -> &Arc<Broadcaster>;

    /// Returns the limits.
    fn limits(&self) -> &Limits;

    /// Returns the request state options and the audience.
    fn request_state_options(&self) -> (&StateOptions, &str);

    /// Handles a call made by a handler.
    fn call(self: Arc<Self>, call: Call) -> BoxFuture<Reply>;
}

/// The parts of a call that a handler's context is created from.
#[derive(Clone, Copy)]
pub(crate) struct CallContext<'a> {
    pub(crate) peer: &'a Peer,
    pub(crate) sink: &'a RequestSink,
    pub(crate) extensions: &'a Extensions,
    pub(crate) meta: Option<&'a RequestMeta>,
    pub(crate) request: &'a ClientRequest,
    pub(crate) rounds: Option<&'a CallRounds>,
}
