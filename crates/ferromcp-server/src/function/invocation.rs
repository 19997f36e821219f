//! The context of a call before its function runs, for extractors.

use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;

pub(crate) use super::input::Input;
use super::signature::Signature;
use crate::call::{Extensions, Peer};
use crate::ctx::{CallContext, Ctx};
use crate::registry::Registry; // lint: allow(cycle): a handler can change the registry that contains it
use crate::state::States;

/// The context of one call, from which extractors take their values.
pub struct Invocation<'a> {
    context: CallContext<'a>,
    input: Input<'a>,
    signature: &'a Signature,
    ctx: OnceCell<Ctx>,
    states: OnceCell<Arc<States>>,
}

impl<'a> Invocation<'a> {
    /// Creates the context of a call to a function with this signature.
    pub(crate) fn new(context: CallContext<'a>, signature: &'a Signature, input: Input<'a>) -> Self {
        Self { context, input, signature, ctx: OnceCell::new(), states: OnceCell::new() }
    }

    /// Returns the client that sent the request.
    pub fn peer(&self) -> &Peer {
        self.context.peer
    }

    /// Returns the extensions that middleware inserted.
    pub fn extensions(&self) -> &Extensions {
        self.context.extensions
    }

    /// Returns the state of type `T`, or `None` if there is no such state.
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.states.get_or_init(|| self.context.server.states()).get()
    }

    /// Returns the [`Ctx`] of this call; created on first use.
    pub fn ctx(&self) -> Ctx {
        self.ctx.get_or_init(|| Ctx::new(self.context)).clone()
    }

    pub(crate) fn input(&self) -> Input<'a> {
        self.input
    }

    /// Returns the context of the same call with other arguments.
    pub(crate) fn with_json<'b>(&self, json: &'b str) -> Invocation<'b>
    where
        'a: 'b,
    {
        Invocation::new(self.context, self.signature, Input::Json(json))
    }

    /// Returns the signature of the function.
    pub(crate) fn signature(&self) -> &'a Signature {
        self.signature
    }

    /// Returns the registry of the server that handles the call.
    pub(crate) fn registry(&self) -> &Registry {
        self.context.registry()
    }

    /// Returns true if JSON values inside strings are accepted.
    pub(crate) fn is_lenient(&self) -> bool {
        self.context.server.lenient
    }

    /// Returns the [`Ctx`] if it was created.
    pub(crate) fn made(&self) -> Option<Ctx> {
        self.ctx.get().cloned()
    }

    /// Returns the [`Ctx`] of a non-async function if it was created. Such a function cannot await responses.
    pub(crate) fn made_plain(&self) -> Option<Ctx> {
        self.made().inspect(Ctx::is_plain)
    }
}

impl fmt::Debug for Invocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation").field("peer", self.context.peer).finish_non_exhaustive()
    }
}
